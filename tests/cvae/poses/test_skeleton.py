"""The reference here follows the published recipe literally, on its 1080x1920 canvas."""

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.poses.skeleton import COLORS, JOINTS, LIMBS, draw_skeleton, draw_skeletons

GOLDEN = Path(__file__).with_name("skeleton.png")
STANDING = np.array(
    [
        *((64, 17), (58, 18), (56, 26), (55, 34), (70, 18), (73, 26), (72, 34), (64, 35), (61, 35), (60, 46), (60, 57)),
        *((58, 60), (56, 59), (67, 35), (69, 46), (70, 57), (72, 60), (74, 59)),
        *((64, 11), (63, 10), (61, 10), (65, 10), (67, 10)),
    ],
    np.float64,
)


def standing():
    return np.column_stack([STANDING, np.ones(len(JOINTS))])


def by_the_recipe(keypoints, size):
    scale = 1080 / size[0]
    canvas = np.full((1080, round(size[1] * scale), 3), 255, np.uint8)
    points = keypoints[:, :2] * scale
    for (x, y), color in zip(points, COLORS, strict=True):
        cv2.circle(canvas, (int(x), int(y)), 8, color, -1)
    for first, second in LIMBS:
        (x0, y0), (x1, y1) = points[first], points[second]
        middle, half = (int((x0 + x1) / 2), int((y0 + y1) / 2)), int(math.hypot(x1 - x0, y1 - y0) / 2)
        angle = int(math.degrees(math.atan2(y1 - y0, x1 - x0)))
        painted = canvas.copy()
        cv2.fillConvexPoly(painted, cv2.ellipse2Poly(middle, (half, 4), angle, 0, 360, 1), COLORS[first])
        canvas = cv2.addWeighted(canvas, 0.4, painted, 0.6, 0)
    return cv2.resize(canvas, size[::-1], interpolation=cv2.INTER_AREA)


def psnr(one, other):
    return -10 * np.log10(np.mean((one / 255.0 - other / 255.0) ** 2))


@pytest.mark.parametrize("size", [(32, 64), (64, 128), (128, 256)])
def test_picture_agrees_with_the_recipe_on_its_large_canvas(size):
    keypoints = standing() * [size[0] / 64, size[0] / 64, 1]
    picture = draw_skeleton(keypoints, size)
    assert psnr(picture, by_the_recipe(keypoints, size)) > 40


def test_picture_stays_as_it_was():
    golden = cv2.cvtColor(cv2.imread(str(GOLDEN)), cv2.COLOR_BGR2RGB)
    picture = draw_skeleton(standing(), (64, 128))
    assert np.abs(picture.astype(int) - golden).mean() < 0.05


def test_torso_is_blue_right_leg_green_and_left_leg_orange():
    picture = draw_skeleton(standing() * [8, 8, 1], (512, 1024)).astype(int)
    torso, right, left = picture[26 * 8, 64 * 8], picture[51 * 8, 60 * 8], picture[51 * 8, 69 * 8 + 4]
    assert torso[2] > torso[0] + 50
    assert right[1] > right[0] + 50
    assert left[0] > left[2] + 50


def test_small_picture_is_as_faint_as_the_published_ones():
    picture = draw_skeleton(standing() * [0.5, 0.5, 1], (32, 64))
    assert 80 < (picture < 255).any(axis=-1).sum() < 160
    assert picture.mean() > 250


def test_nobody_is_a_white_picture():
    assert (draw_skeleton(np.zeros((23, 3)), (16, 32)) == 255).all()


@pytest.mark.parametrize("missing", [0.0, np.nan])
def test_missing_joint_takes_its_limbs_with_it(missing):
    keypoints = standing()
    elbow = JOINTS.index("LElb")
    keypoints[elbow, 2] = missing
    gone = draw_skeleton(keypoints, (64, 128))
    whole = draw_skeleton(standing(), (64, 128))
    beside = np.s_[20:32, 71:76]  # where the arm was, clear of shoulder and wrist
    assert (gone[beside] == 255).all()
    assert (whole[beside] < 255).any()


@pytest.mark.parametrize("place", [(-30.0, 20.0), (1e9, 20.0), (np.inf, 20.0), (64.0, -1e12)])
def test_joint_far_outside_draws_without_error(place):
    keypoints = standing()
    keypoints[JOINTS.index("RWri"), :2] = place
    assert draw_skeleton(keypoints, (64, 128)).shape == (64, 128, 3)


def test_joint_is_centred_on_its_key_point():
    keypoints = np.zeros((23, 3))
    keypoints[0] = 20.5, 10.5, 1  # the middle of a pixel
    dark = 255 - draw_skeleton(keypoints, (32, 64)).astype(float).min(axis=-1)
    rows, columns = np.mgrid[:32, :64] + 0.5
    assert (dark * columns).sum() / dark.sum() == pytest.approx(20.5, abs=0.02)
    assert (dark * rows).sum() / dark.sum() == pytest.approx(10.5, abs=0.02)


def test_sequence_is_its_pictures():
    sequence = np.stack([standing(), standing() + np.array([3, 0, 0])])
    pictures = draw_skeletons(sequence, (32, 128))
    assert pictures.shape == (2, 32, 128, 3)
    assert (pictures[1] == draw_skeleton(sequence[1], (32, 128))).all()


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"shape \(23, 3\), got \(18, 3\)"):
        draw_skeleton(np.zeros((18, 3)), (64, 128))


if __name__ == "__main__":  # makes the golden picture anew
    cv2.imwrite(str(GOLDEN), cv2.cvtColor(draw_skeleton(standing(), (64, 128)), cv2.COLOR_RGB2BGR))
