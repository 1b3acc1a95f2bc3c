import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cvae.actions import to_conditions
from cvae.errors import InputError
from tests.conftest import moving_square
from tests.training.robot_data import robot_rows, write_robot, write_trajectory
from training.data.recordings import Split
from training.data.trajectories import are_trajectories, open_trajectories, trajectory_names


@pytest.fixture
def robot(tmp_path: Path) -> Path:
    return write_robot(tmp_path / "robot")


def test_pictures_and_tables_are_read_as_they_lie_on_disk(robot: Path) -> None:
    recordings = open_trajectories(robot, "train")
    assert recordings.spans == [(0, 3), (3, 5), (5, 9)]
    expected = [moving_square(count, 16, 16)[0] for count in (3, 2, 4)]
    assert np.array_equal(recordings.frames, np.concatenate(expected))
    rows = [to_conditions(robot_rows(count, seed)) for seed, count in enumerate((3, 2, 4))]
    assert recordings.conditions.dtype == np.float32
    assert np.array_equal(recordings.conditions, np.concatenate(rows))


def test_trajectories_are_named_in_natural_order(robot: Path) -> None:
    assert trajectory_names(robot, "train") == ["traj_0/2", "traj_0/10", "traj_10/0"]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_every_span_has_a_name_in_the_same_order(robot: Path, split: Split) -> None:
    folder = robot / ("validate" if split == "val" else split)
    counts = [len(list((folder / name).glob("*.png"))) for name in trajectory_names(robot, split)]
    assert counts == [end - begin for begin, end in open_trajectories(robot, split).spans]


def test_to_name_trajectories_opens_none_of_them(robot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, scan = [], os.scandir
    monkeypatch.setattr("os.scandir", lambda path: opened.append(Path(path).name) or scan(path))
    trajectory_names(robot, "train")
    assert sorted(opened) == ["train", "traj_0", "traj_10"]


def test_val_is_the_folder_validate_or_else_val(robot: Path) -> None:
    assert len(open_trajectories(robot, "val")) == 9
    (robot / "validate").rename(robot / "val")
    assert len(open_trajectories(robot, "val")) == 9


def test_pictures_are_resized_to_the_size_asked_for(robot: Path) -> None:
    assert open_trajectories(robot, "test", (8, 24)).frames.shape == (9, 8, 24, 3)


def test_a_second_start_decodes_and_parses_nothing(robot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_trajectories(robot, "train")
    monkeypatch.setattr("training.data.cache.read_picture", None)
    monkeypatch.setattr("training.data.trajectories.parse_table", None)
    again = open_trajectories(robot, "train", first.size)
    assert np.array_equal(first.frames, again.frames)
    assert np.array_equal(first.conditions, again.conditions)


def test_a_changed_table_is_read_again(robot: Path) -> None:
    open_trajectories(robot, "train")
    write_trajectory(robot / "train" / "traj_0" / "2", np.ones((3, 7), np.float32))
    assert (open_trajectories(robot, "train").conditions[:3] == 1).all()


def test_mapped_trajectories_are_sent_to_another_process_by_name(robot: Path) -> None:
    sent = pickle.dumps(open_trajectories(robot, "train"))
    assert len(sent) < 2000
    assert len(pickle.loads(sent)) == 9


def test_hidden_folders_and_other_files_are_no_trajectories(robot: Path) -> None:
    (robot / "train" / ".git" / "objects").mkdir(parents=True)
    (robot / "train" / "traj_0" / ".cache").mkdir()
    (robot / "train" / "traj_0" / "2" / "aux1_0.png").touch()
    (robot / "train" / "readme.txt").touch()
    assert len(trajectory_names(robot, "train")) == 3
    assert len(open_trajectories(robot, "train")) == 9


def test_layouts_are_told_apart(robot: Path, lab_folder: Path, tmp_path: Path) -> None:
    (lab_folder / "test" / "test_img" / "0").mkdir(parents=True)
    assert [are_trajectories(robot, split) for split in ("train", "val", "test")] == [True, True, True]
    assert [are_trajectories(lab_folder, split) for split in ("train", "val", "test")] == [False, False, False]
    assert not are_trajectories(tmp_path / "nowhere", "train")


def test_pictures_too_large_for_any_network_are_refused(tmp_path: Path) -> None:
    write_trajectory(tmp_path / "train" / "traj_0" / "0", robot_rows(1), side=1200)
    with pytest.raises(InputError, match=r"traj_0/0 holds pictures of 1200x1200 pixels: .* Give --size\."):
        open_trajectories(tmp_path, "train")


# Faults people meet


def in_train(change: Callable[[Path], object]) -> Callable[[Path], Path]:
    """A change to the folder `train` of a data set."""

    def changed(robot: Path) -> Path:
        change(robot / "train")
        return robot

    return changed


def glue(folder: Path) -> None:
    """Every file of a trajectory beside it, its name behind that of the trajectory."""
    for path in list(folder.iterdir()):
        path.rename(folder.parent / f"{folder.name}{path.name}")


def glue_all(train: Path) -> None:
    for folder in list(train.glob("*/*")):
        glue(folder)
        folder.rmdir()


def glue_the_split(robot: Path) -> Path:
    (robot / "train").rename(robot.parent / "robottrain")
    return robot


def glue_the_whole(robot: Path) -> Path:
    glue_the_split(robot)
    shutil.rmtree(robot)
    return robot


def one_level_less(train: Path) -> None:
    for folder in list(train.glob("*/*")):
        folder.rename(train / f"{folder.parent.name}_{folder.name}")
    for group in ("traj_0", "traj_10"):
        (train / group).rmdir()


def one_level_more(train: Path) -> None:
    train.rename(train.parent / "inner")
    train.mkdir()
    (train.parent / "inner").rename(train / "inner")


def empty(train: Path) -> None:
    shutil.rmtree(train)
    train.mkdir()


def ragged(train: Path) -> None:
    (train / "traj_0" / "2" / "actions.csv").write_text("1,2,3,4\n1,2,3\n1,2,3,4\n")


def a_row_too_few(train: Path) -> None:
    (train / "traj_0" / "2" / "endeffector_positions.csv").write_text("1,2,3\n1,2,3\n")


def swapped(train: Path) -> None:
    folder = train / "traj_0" / "2"
    (folder / "actions.csv").rename(folder / "swap")
    (folder / "endeffector_positions.csv").rename(folder / "actions.csv")
    (folder / "swap").rename(folder / "endeffector_positions.csv")


def into_a_folder(train: Path) -> None:
    (train / "traj_0" / "2" / "actions.csv").unlink()
    (train / "traj_0" / "2" / "actions.csv").mkdir()


def linked(name: str, to: str) -> Callable[[Path], Path]:
    def link(train: Path) -> None:
        (train / "traj_0" / name).unlink(missing_ok=True)
        (train / "traj_0" / name).symlink_to(to)

    return in_train(link)


def without(*names: str) -> Callable[[Path], Path]:
    return in_train(lambda train: [(train / "traj_0" / "2" / name).unlink() for name in names])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (glue_the_split, r"robot/train is not there, but \S+/robottrain is: a slash was lost.* Rename it to \S+/train"),
        (glue_the_whole, r"robot/train is not there, but \S+/robottrain is: a slash was lost"),
        (
            in_train(lambda train: glue(train / "traj_0" / "2")),
            r"traj_0 holds 20\.png: a slash was lost between 2 and 0\.png.* here to \S+/traj_0/2/0\.png",
        ),
        (
            in_train(lambda train: (train / "traj_0" / "2" / "actions.csv").rename(train / "traj_0" / "2actions.csv")),
            r"traj_0 holds 2actions\.csv: a slash was lost between 2 and actions\.csv.* here to \S+/2/actions\.csv",
        ),
        (in_train(glue_all), r"holds \d+(actions|endeffector_positions)\.csv: a slash was lost between \d+ and "),
        (in_train(ragged), r'traj_0/2: Line 2 of "actions\.csv" has 3 numbers; expected 4, as in line 1'),
        (in_train(swapped), r'traj_0/2: The lines of "actions\.csv" have 3 numbers; expected 4\.'),
        (in_train(a_row_too_few), r"traj_0/2 has 3 pictures, 3 rows in actions\.csv and 2 rows in endeffector_"),
        (without("1.png"), r"traj_0/2 has 2 pictures and lacks 1\.png; expected 0\.png to 1\.png"),
        (without("0.png", "1.png", "2.png"), r"traj_0/2 has no 0\.png; expected DIR/\{train"),
        (without("actions.csv"), r"traj_0/2 has no actions\.csv; expected DIR/\{train"),
        (without("endeffector_positions.csv"), r"traj_0/2 has no endeffector_positions\.csv; expected DIR"),
        (in_train(into_a_folder), r'traj_0/2: "actions\.csv" cannot be opened: Is a directory\.'),
        (linked("2/0.png", "gone.png"), r"traj_0/2/0\.png cannot be read: No such file or directory\."),
        (linked("2/actions.csv", "gone.csv"), r"traj_0/2/actions\.csv cannot be read: No such file or directory\."),
        (linked("3", "3"), r"traj_0/3 cannot be read: Too many levels of symbolic links\."),
        (
            in_train(lambda train: os.truncate(train / "traj_0" / "2" / "actions.csv", 10**12)),  # a hole: no disk
            r'traj_0/2: "actions\.csv" has 1,000,000,000,000 bytes; expected a table of at most 60000 rows',
        ),
        (in_train(one_level_less), r"train/traj_\d+_\d+ is a trajectory, too high in the data set; expected it two"),
        (in_train(one_level_more), r"inner/traj_\d+ holds trajectories one level too deep"),
        (in_train(empty), r"train holds no trajectories; expected DIR/\{train"),
        (in_train(shutil.rmtree), r"robot/train is not there; expected a robot's trajectories"),
        (lambda robot: robot / "train", r"robot/train lies within the data set; give the folder above, \S+/robot\."),
        (lambda robot: robot / "train" / "traj_0", r"traj_0 lies within .*; give the folder above, \S+/robot\."),
        (lambda robot: robot.parent, r"has no folder train; give the folder within that has one, \S+/robot\."),
    ],
)
def test_what_is_wrong_is_said_with_how_to_mend_it(robot: Path, change: Callable[[Path], Path], sentence: str) -> None:
    data = change(robot)
    with pytest.raises(InputError, match=sentence):
        open_trajectories(data, "train", (16, 16))
    assert not list(data.glob(".cache/*.npy"))


def test_what_the_system_does_not_let_us_read_is_said(robot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    for read in (open_trajectories, trajectory_names, are_trajectories):
        with pytest.raises(InputError, match=r"robot/train cannot be read: Permission denied\."):
            read(robot, "train")
