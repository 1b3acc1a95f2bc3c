from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses.coco_pictures import read_coco_pictures
from cvae.video import read_clip
from tests.cvae.media import encode_video, through_h264
from tests.cvae.poses.coco_drawings import add_face, add_hand, draw_coco, standing

BODY_HEIGHT = 408 / 512  # of the picture


def mean_error(found: np.ndarray, expected: np.ndarray, size: int) -> float:
    """Of the joints that both have, in shares of the person's height."""
    both = (found[..., 2] > 0) & (expected[..., 2] > 0)
    return float(np.hypot(*(found - expected)[both][:, :2].T).mean() / (BODY_HEIGHT * size))


def without(points: np.ndarray, *joints: int) -> np.ndarray:
    points = points.copy()
    points[list(joints)] = 0
    return points


def moved(points: np.ndarray, x: float, y: float) -> np.ndarray:
    return points + np.array([x, y, 0])


@pytest.mark.parametrize("recipe", ["dimmed", "blended"])
@pytest.mark.parametrize("size", [256, 384, 512, 768, 1024])
def test_every_joint_is_found_in_any_size(recipe: str, size: int) -> None:
    picture = cv2.resize(draw_coco(standing(), recipe=recipe), (size, size), interpolation=cv2.INTER_AREA)
    found = read_coco_pictures([picture], "a.mp4")
    assert found[0, :, 2].sum() >= 17
    assert mean_error(found[0], standing(size / 512), size) < 0.01


def test_a_thick_brush_is_read_too() -> None:
    found = read_coco_pictures([draw_coco(standing(0.5), (256, 256))], "a.mp4")
    assert found[0, :, 2].sum() >= 16
    assert mean_error(found[0], standing(0.5), 256) < 0.01


@pytest.mark.parametrize(("size", "crf", "least"), [(512, 23, 18), (512, 35, 16), (256, 23, 16), (1024, 35, 18)])
def test_joints_survive_h264(tmp_path: Path, size: int, crf: int, least: int) -> None:
    picture = cv2.resize(draw_coco(standing()), (size, size), interpolation=cv2.INTER_AREA)
    found = read_coco_pictures([through_h264(picture, tmp_path / "a.mp4", crf)], "a.mp4")
    assert found[0, :, 2].sum() >= least
    assert mean_error(found[0], standing(size / 512), size) < 0.015


def test_joints_survive_the_few_dotted_colours_of_a_gif(tmp_path: Path) -> None:
    picture = draw_coco(standing())
    add_hand(picture, *standing()[3:5, :2])
    read = read_clip(encode_video(tmp_path / "a.gif", np.stack([picture] * 2))).frames[:1]
    assert not np.array_equal(read[0], picture)
    found = read_coco_pictures(read, "a.mp4")
    assert found[0, :, 2].sum() >= 17
    assert found[0, 4, 2] == 1
    assert mean_error(found[0], standing(), 512) < 0.01


def test_hands_hide_wrists_and_a_face_hides_a_nose_but_both_are_found() -> None:
    points = standing()
    picture = draw_coco(points)
    for elbow, wrist in ((3, 4), (6, 7)):
        add_hand(picture, points[elbow, :2], points[wrist, :2])
    add_face(picture, points[0, :2])
    found = read_coco_pictures([picture], "a.mp4")[0]
    assert found[:14, 2].all()
    assert np.hypot(*(found - points)[:14, :2].T).max() < 0.02 * 408


@pytest.mark.parametrize("missing", [(4,), (3, 4), (0, 14, 15, 16, 17), (8, 9, 10), (16,)])
def test_joints_that_are_not_drawn_are_three_zeros(missing: tuple[int, ...]) -> None:
    points = without(standing(), *missing)
    found = read_coco_pictures([draw_coco(points)], "a.mp4")[0]
    assert not found[list(missing)].any()
    assert mean_error(found, points, 512) < 0.005


def test_the_blue_dots_of_hands_are_no_knee_of_someone_seen_to_the_waist() -> None:
    points = without(standing(), 8, 9, 10, 11, 12, 13)
    picture = draw_coco(points)
    add_hand(picture, points[3, :2], points[4, :2])
    assert not read_coco_pictures([picture], "a.mp4")[0, 8:14].any()


def test_joints_outside_the_picture_are_not_there() -> None:
    points = moved(standing(), 0, 120)
    found = read_coco_pictures([draw_coco(points)], "a.mp4")[0]
    assert not found[[10, 13]].any()
    assert found[:10, 2].all()


def test_one_of_two_people_is_followed() -> None:
    left, right = moved(standing(), -120, 0), moved(standing(), 120, 0)
    pictures = [np.maximum(draw_coco(moved(left, 0, 4 * t)), draw_coco(moved(right, 0, -4 * t))) for t in range(6)]
    found = read_coco_pictures(pictures, "a.mp4")
    assert found[..., 2].all()
    assert np.ptp(found[:, :, 0], axis=0).max() < 3
    assert np.allclose(np.diff(found[:, :, 1], axis=0), found[1, 1, 1] - found[0, 1, 1], atol=3)


def test_black_pictures_are_frames_without_anybody() -> None:
    black = np.zeros((512, 512, 3), np.uint8)
    found = read_coco_pictures(iter([black, draw_coco(standing()), black]), "a.mp4")
    assert found.shape == (3, 18, 3)
    assert not found[[0, 2]].any()
    assert found[1, :, 2].all()
    with pytest.raises(InputError, match=r'A skeleton was found in 0 of 1 pictures of "a\.mp4"'):
        read_coco_pictures([black], "a.mp4")


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (2, 3), (32, 32)])
def test_odd_sizes_do_not_break_it(size: tuple[int, int]) -> None:
    assert not read_coco_pictures([np.zeros((*size, 3), np.uint8), draw_coco(standing())], "a.mp4")[0].any()
    with pytest.raises(InputError):
        read_coco_pictures([np.full((*size, 3), (255, 0, 0), np.uint8)], "a.mp4")


def test_pictures_of_anything_else_are_refused() -> None:
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    text = np.zeros((128, 256, 3), np.uint8)
    cv2.putText(text, "Part one", (20, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 3)
    for pictures in (noise, [text], np.full((2, 64, 64, 3), 200, np.uint8)):
        with pytest.raises(InputError, match=r'in 0 of \d pictures of "a\.mp4"; expected skeletons of 18 joints'):
            read_coco_pictures(pictures, "a.mp4")
