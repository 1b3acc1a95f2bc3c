from pathlib import Path

import numpy as np
import pytest

from cvae.errors import InputError
from cvae.pictures import read_picture
from training.data.layout import numbers_taken, read_keypoints, write_keypoints, write_recording


@pytest.mark.parametrize(("frames", "numbers"), [(1, 1000), (999, 1000), (1000, 2000), (1001, 2000)])
def test_between_two_recordings_a_number_is_always_left_out(frames: int, numbers: int) -> None:
    assert numbers_taken(frames) == numbers > frames


def test_frames_and_poses_have_the_same_numbers(tmp_path: Path) -> None:
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    for kind in ("img", "label"):
        (tmp_path / "val" / f"val_{kind}").mkdir(parents=True)
    write_recording(tmp_path / "val", 2000, frames, frames + 255)
    for kind, level in (("img", 0), ("label", 255)):
        files = sorted((tmp_path / "val" / f"val_{kind}").iterdir())
        assert [file.name for file in files] == ["2000.png", "2001.png", "2002.png"]
        assert (read_picture(files[0]) == level).all()


def test_key_points_are_read_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    points = np.random.default_rng(0).normal(size=(5, 23, 3))
    write_keypoints(tmp_path / "val", [(7, points[:2]), (1000, points[2:])])
    numbers, read = read_keypoints(tmp_path / "val")
    assert numbers.tolist() == [7, 8, 1000, 1001, 1002]
    assert np.array_equal(read, points)


def test_missing_key_points_are_told_with_the_command_that_finds_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"val_keypoints\.npz is not there; .* `python -m training prepare`"):
        read_keypoints(tmp_path / "val")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"number": np.arange(2)}, "is no file of key points; expected the arrays number and keypoints"),
        ({"number": np.arange(2), "keypoints": np.ones((2, 18, 3))}, r"keypoints \(2, 18, 3\); expected .*23, 3\)"),
        ({"number": np.arange(2.0), "keypoints": np.ones((2, 23, 3))}, "expected whole numbers"),
        ({"number": np.arange(2), "keypoints": np.full((2, 23, 3), np.nan)}, "no finite numbers"),
        ({"number": np.array([4, 4]), "keypoints": np.ones((2, 23, 3))}, "has number 4 twice"),
    ],
)
def test_other_arrays_are_no_key_points(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    (tmp_path / "val").mkdir()
    np.savez(tmp_path / "val" / "val_keypoints.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        read_keypoints(tmp_path / "val")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"text"])
def test_a_damaged_file_holds_no_key_points(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "val_keypoints.npz").write_bytes(content)
    with pytest.raises(InputError, match="is no file of key points"):
        read_keypoints(tmp_path / "val")
