import numpy as np
import pytest

from cvae.poses.keypoints import Keypoints

POINTS = np.array([[[0.25, 0.5, 0.9]] * 22 + [[0, 0, 0]]])


def test_normalised_points_are_scaled_to_a_picture() -> None:
    points = Keypoints(points=POINTS, canvas=(1, 1)).at((40, 80))
    assert points[0, 0].tolist() == [20, 20, 0.9]


def test_pixels_are_scaled_from_the_canvas_they_lie_on() -> None:
    points = Keypoints(points=POINTS * [100, 100, 1], canvas=(100, 50)).at((10, 20))
    assert points[0, 0].tolist() == pytest.approx([10, 5, 0.9])


def test_missing_joints_stay_at_zero() -> None:
    assert Keypoints(points=POINTS, canvas=(1, 1)).at((40, 80))[0, 22].tolist() == [0, 0, 0]


def test_scaling_leaves_the_original_alone() -> None:
    keypoints = Keypoints(points=POINTS.copy(), canvas=(1, 1))
    keypoints.at((1, 1))[:] = 7
    assert np.array_equal(keypoints.points, POINTS)
