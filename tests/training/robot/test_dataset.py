import numpy as np
import pytest

from cvae.cli import run_options
from cvae.errors import InputError
from cvae.steering import move
from training.robot.dataset import RobotConfig, write_robot


def config(out, **changes):
    values = {"clips": 2, "val_clips": 1, "test_clips": 1, "frames": 3, "size": (16, 16), "workers": 1}
    return RobotConfig(out=out, **values | changes)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_folders_are_laid_out_as_in_the_lab(tmp_path):
    write_robot(config(tmp_path / "set"))
    clips = ["train/traj_0_to_255/0", "train/traj_0_to_255/1", "validate/traj_0_to_255/0", "test/traj_0_to_255/0"]
    files = ["0.png", "1.png", "2.png", "actions.csv", "endeffector_positions.csv"]
    assert sorted(contents(tmp_path / "set")) == sorted(f"{clip}/{file}" for clip in clips for file in files)


def test_clips_go_on_in_the_next_folder_when_one_is_full(tmp_path, monkeypatch):
    monkeypatch.setattr("training.robot.dataset._GROUP", 2)
    write_robot(config(tmp_path / "set", clips=3, val_clips=0, test_clips=0, frames=1))
    folders = sorted(str(path.parent.relative_to(tmp_path / "set")) for path in tmp_path.rglob("0.png"))
    assert folders == ["train/traj_0_to_1/0", "train/traj_0_to_1/1", "train/traj_2_to_3/2"]


def test_written_positions_follow_the_written_actions(tmp_path):
    write_robot(config(tmp_path / "set", clips=1, val_clips=0, test_clips=0, frames=20))
    clip = tmp_path / "set/train/traj_0_to_255/0"
    actions, positions = (
        np.loadtxt(clip / f"{name}.csv", delimiter=",") for name in ("actions", "endeffector_positions")
    )
    assert actions.shape == (20, 4)
    assert positions.shape == (20, 3)
    assert positions[1:] == pytest.approx(move(positions[:-1], actions[:-1]), abs=1e-9)


def test_files_do_not_depend_on_the_number_of_workers(tmp_path):
    write_robot(config(tmp_path / "one", workers=1))
    write_robot(config(tmp_path / "two", workers=2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_seed_and_another_split_give_other_clips(tmp_path):
    write_robot(config(tmp_path / "one", clips=1))
    write_robot(config(tmp_path / "two", clips=1, seed=1))
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert all(one[name] != two[name] for name in one)
    assert len(set(one.values())) == len(one)


def test_a_folder_with_something_in_it_is_refused_and_kept(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="already exists and is not an empty folder"):
        write_robot(config(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch, interruption):
    def interrupt(*_, **__):
        raise interruption

    monkeypatch.setattr("training.robot.dataset.np.savetxt", interrupt)
    with pytest.raises(interruption):
        write_robot(config(tmp_path / "set"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--clips", "-1"], "clips is -1, expected 0 to 1000000"),
        (["--frames", "0"], "frames is 0, expected 1 to 10000"),
        (["--size", "4", "64"], "size is 4x64, expected sides of 8 to 1024 pixels"),
    ],
)
def test_wrong_options_end_in_one_sentence(tmp_path, capsys, options, sentence):
    with pytest.raises(SystemExit) as ended:
        run_options(write_robot, "robot", ["--out", str(tmp_path / "set"), *options])
    assert ended.value.code == 2
    assert f"Error: {sentence}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
