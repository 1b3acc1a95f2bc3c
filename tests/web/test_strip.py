import base64
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cvae.poses.keypoints import Keypoints
from cvae.poses.source import Poses
from cvae.video import Clip
from tests.conftest import moving_square
from web.strip import HEIGHT, fault_strip, poses_strip, progress_strip
from web.worker import Progress

SIZE = (16, 32)


def poses(content: Keypoints | np.ndarray, title: str = "test", video: np.ndarray | None = None, **given: Any) -> Poses:
    """Of key points or of pictures; `given` are their rate and notes."""
    if isinstance(content, Keypoints):
        return Poses(title=title, content=replace(content, **given), video=video)
    return Poses(title=title, content=Clip(frames=content, **{"fps": None, **given}))


def rows(text: str) -> list[np.ndarray]:
    found = re.findall(r"base64,([^\"]+)", text)
    return [np.array(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


def line(low: float, high: float, count: int = 5) -> np.ndarray:
    """Somebody of whom only neck and middle of the hip are seen, one straight above the other."""
    points = np.zeros((count, 23, 3))
    points[:, 0] = ((low + high) / 2, low, 1)
    points[:, 7] = ((low + high) / 2, high, 1)
    return points


def drawn(picture: np.ndarray) -> np.ndarray:
    """The first and the last row with something on white, in shares of the height."""
    where = np.flatnonzero((picture < 200).any(axis=(1, 2)))
    return where[[0, -1]] / len(picture)


def test_strip_shows_first_and_last_picture_and_what_came() -> None:
    _, pictures = moving_square(40)
    text = poses_strip(poses(pictures, title="skeletons on white"), SIZE)
    (row,) = rows(text)
    assert row.shape == (16, 32 * 4, 3)
    assert np.array_equal(row[:, :32], pictures[0])
    assert np.array_equal(row[:, -32:], pictures[-1])
    assert "<p>40 poses from skeletons on white</p>" in text


def test_more_narrow_pictures_are_shown_than_wide_ones() -> None:
    _, narrow = moving_square(40, 32, 16)
    (row,) = rows(poses_strip(poses(narrow), (32, 16)))
    assert row.shape == (32, 16 * 10, 3)


def test_rate_and_length_are_told() -> None:
    points = Keypoints(points=line(2, 14, 75), canvas=SIZE)
    assert "75 poses from test (25 frames a second, 3.0 s long)<" in poses_strip(poses(points, fps=25.0), SIZE)
    assert "75 poses from test (29.97 frames a second, 2.5 s long)<" in poses_strip(
        poses(points, fps=30000 / 1001), SIZE
    )


def test_one_pose_is_no_poses() -> None:
    assert "1 pose from test<" in poses_strip(poses(moving_square(1)[1]), SIZE)


def test_video_of_a_person_has_its_frames_above_the_skeletons() -> None:
    video, _ = moving_square(5)
    text = poses_strip(poses(Keypoints(points=line(4, 12), canvas=SIZE), video=video), SIZE)
    frames, skeletons = rows(text)
    assert np.array_equal(frames[:, :32], video[0])
    assert skeletons.shape[1] / skeletons.shape[0] == frames.shape[1] / frames.shape[0]
    assert drawn(skeletons) == pytest.approx([4 / 16, 12 / 16], abs=0.03)


def test_key_points_are_drawn_on_their_canvas() -> None:
    (row,) = rows(poses_strip(poses(Keypoints(points=line(50, 75), canvas=(100, 100))), SIZE))
    assert row.shape == (HEIGHT, HEIGHT * 5, 3)
    assert drawn(row) == pytest.approx([0.5, 0.75], abs=0.03)


def test_normalised_key_points_are_drawn_in_the_shape_of_the_network() -> None:
    (row,) = rows(poses_strip(poses(Keypoints(points=line(0.25, 0.5), canvas=(1, 1))), SIZE))
    assert row.shape == (HEIGHT, HEIGHT * 2 * 4, 3)
    assert drawn(row) == pytest.approx([0.25, 0.5], abs=0.03)


@pytest.mark.parametrize(("low", "high"), [(100, 300), (-5000, 90_000), (0, 1e9), (7, 7)])
def test_key_points_of_an_unknown_picture_are_drawn_in_their_own_extent(low: float, high: float) -> None:
    (row,) = rows(poses_strip(poses(Keypoints(points=line(low, high), canvas=None)), SIZE))
    if low < high:
        assert drawn(row) == pytest.approx([0.1 / 1.2, 1.1 / 1.2], abs=0.03)
    assert (row < 200).any()


def test_frames_without_anybody_are_shown_empty() -> None:
    (row,) = rows(poses_strip(poses(Keypoints(points=np.zeros((3, 23, 3)), canvas=None)), SIZE))
    assert (row == 255).all()


def test_notes_with_file_names_are_shown_as_text() -> None:
    text = poses_strip(poses(moving_square(1)[1], notes=("<script>.png is left out",)), SIZE)
    assert "<script>" not in text + fault_strip("<script>")
    assert "<p>&lt;script&gt;.png is left out</p>" in text


def test_progress_has_a_bar_where_its_end_is_known() -> None:
    assert 'value="0.250"' in progress_strip(Progress(sentence="Frame 1 of 4", share=0.25))
    assert "value" not in progress_strip(Progress(sentence="Frame 1"))
