import numpy as np
import pytest

from cvae.poses.smoothing import smooth


def motion(times: np.ndarray, noise: float = 0.0) -> np.ndarray:
    """Joints in steady motion, each at another speed."""
    points = np.ones((len(times), 23, 3))
    points[..., :2] = 50 + times[:, None, None] * np.arange(46).reshape(23, 2)
    points[..., :2] += noise * np.random.default_rng(0).standard_normal(points[..., :2].shape)
    return points


UNEVEN = np.array([0, 0.03, 0.05, 0.1, 0.11, 0.2, 0.24, 0.3])
ONE_PIECE = np.zeros(8, int)


def test_steady_motion_is_left_alone_at_uneven_times_and_ends_too() -> None:
    np.testing.assert_allclose(smooth(motion(UNEVEN), UNEVEN, ONE_PIECE), motion(UNEVEN), atol=1e-9)


def test_it_is_the_weighted_line_of_least_squares() -> None:
    points, width = motion(UNEVEN, noise=3), 0.06
    smoothed = smooth(points, UNEVEN, ONE_PIECE, width=width)
    for t in range(8):
        later = UNEVEN - UNEVEN[t]
        weights = np.where(np.abs(later) <= 3 * width, np.exp(-((later / width) ** 2) / 2), 0)
        line = np.polyfit(later, points[:, 5, 0], 1, w=np.sqrt(weights))
        assert smoothed[t, 5, 0] == pytest.approx(np.polyval(line, 0), abs=0.02)


def test_jitter_shrinks() -> None:
    times = np.arange(60) / 30
    came, clean = motion(times, noise=1), motion(times)
    left = np.abs(smooth(came, times, np.zeros(60, int)) - clean)[..., :2].mean()
    assert left < 0.7 * np.abs(came - clean)[..., :2].mean()


def test_missing_joints_stay_missing_and_do_not_pull() -> None:
    points = motion(UNEVEN)
    points[3, 4] = 0
    smoothed = smooth(points, UNEVEN, ONE_PIECE)
    assert not smoothed[3, 4].any()
    np.testing.assert_allclose(smoothed, points, atol=1e-9)


def test_a_joint_seen_once_stays_where_it_is() -> None:
    points = np.zeros((8, 23, 3))
    points[2, 0] = (7, 8, 0.9)
    np.testing.assert_array_equal(smooth(points, UNEVEN, ONE_PIECE), points)


def test_nothing_is_smoothed_across_a_cut() -> None:
    points = motion(UNEVEN)
    points[4:, :, 0] += 100
    pieces = np.array([1, 1, 1, 1, 2, 2, 2, 2])
    np.testing.assert_allclose(smooth(points, UNEVEN, pieces), points, atol=1e-9)


def test_one_frame_is_enough() -> None:
    np.testing.assert_array_equal(smooth(motion(UNEVEN[:1]), UNEVEN[:1], ONE_PIECE[:1]), motion(UNEVEN[:1]))
