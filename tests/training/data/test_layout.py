from pathlib import Path

import numpy as np
import pytest

from cvae.pictures import read_picture
from training.data.layout import numbers_taken, write_recording


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
