from pathlib import Path

import numpy as np
import pytest

from cvae.errors import InputError
from training.puppets.dataset import PuppetsConfig, write_puppets


def config(out, **changes):
    values = {
        "clips": 2,
        "val_clips": 1,
        "test_clips": 1,
        "frames": 2,
        "test_frames": 2,
        "size": (16, 32),
        "workers": 1,
    }
    return PuppetsConfig(out=out, **values | changes)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.png")}


def test_folders_are_laid_out_as_in_the_lab(tmp_path):
    write_puppets(config(tmp_path / "set"))
    found = sorted(str(path) for path in contents(tmp_path / "set"))
    pairs = [f"{split}/{split}_{kind}/{n}.png" for split, kind, n in (
        *(("train", kind, n) for kind in ("img", "label") for n in (0, 1, 1000, 1001)),
        *(("val", kind, n) for kind in ("img", "label") for n in (0, 1)),
    )]  # fmt: skip
    tests = ["test_gt/0/0", "test_gt/0/1", "test_img/0/0", "test_label/0/0", "test_label/0/1"]
    assert found == sorted(pairs + [f"test/{name}.png" for name in tests])


def test_key_points_have_the_numbers_of_the_pictures(tmp_path):
    write_puppets(config(tmp_path / "set"))
    stored = np.load(tmp_path / "set/train/train_keypoints.npz")
    assert stored["number"].tolist() == [0, 1, 1000, 1001]
    assert stored["keypoints"].shape == (4, 23, 3)
    assert np.load(tmp_path / "set/test/test_keypoints/0.npz")["keypoints"].shape == (2, 23, 3)


def test_files_do_not_depend_on_the_number_of_workers(tmp_path):
    write_puppets(config(tmp_path / "one", workers=1))
    write_puppets(config(tmp_path / "two", workers=2))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_another_seed_gives_other_pictures(tmp_path):
    write_puppets(config(tmp_path / "one", clips=1, val_clips=0, test_clips=0))
    write_puppets(config(tmp_path / "two", clips=1, val_clips=0, test_clips=0, seed=1))
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert all(one[name] != two[name] for name in one)


def test_a_folder_with_something_in_it_is_refused_and_kept(tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="already exists and is not an empty folder"):
        write_puppets(config(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_the_folder_at_hand_may_be_filled(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    monkeypatch.chdir(tmp_path / "set")
    write_puppets(config(Path(), clips=1, val_clips=0, test_clips=0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]
    assert (tmp_path / "set/train/train_img/0.png").exists()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch, interruption):
    def interrupt(job):
        raise interruption

    monkeypatch.setattr("training.puppets.dataset._write_clip", interrupt)
    with pytest.raises(interruption):
        write_puppets(config(tmp_path / "set"))
    assert list(tmp_path.iterdir()) == []


def test_a_size_out_of_range_is_refused(tmp_path):
    with pytest.raises(InputError, match="size is 4x32"):
        config(tmp_path, size=(4, 32))
