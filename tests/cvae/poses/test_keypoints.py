import numpy as np
import pytest

from cvae.poses.keypoints import Keypoints, to_numbers

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


def test_numbers_are_shares_of_the_picture_and_whether_a_joint_is_seen() -> None:
    points = np.zeros((2, 23, 3))
    points[0, 0] = 16, 4, 0.3
    points[1, 22] = 40, -2, 1
    points[1, 1] = 5, 5, 0
    numbers = to_numbers(points, (8, 32))
    assert numbers.shape == (2, 69) and numbers.dtype == np.float32
    expected = np.zeros((2, 69), np.float32)
    expected[0, :3] = 0.5, 0.5, 1
    expected[1, -3:] = 1.25, -0.25, 1
    assert np.array_equal(numbers, expected)
