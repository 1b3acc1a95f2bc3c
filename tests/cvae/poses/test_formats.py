import numpy as np
import pytest

from cvae.poses.formats import BODY_25, COCO_18, EDN_23, FORMATS, on_canvas, to_edn

BODY_25_OF_EDN_23 = [*range(1, 12), 22, 23, 12, 13, 14, 19, 20, 0, 15, 17, 16, 18]  # as the EDN code has it


def _points(joints: int, frames: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.1, 0.9, (frames, joints, 3)) * [640, 480, 1]


def _sequence(x: tuple[float, float], y: tuple[float, float]) -> np.ndarray:
    """Somebody whose joints lie anywhere between the given bounds."""
    places = np.random.default_rng(0).uniform((x[0], y[0]), (x[1], y[1]), (20, 23, 2))
    return np.concatenate([places, np.ones((20, 23, 1))], axis=2)


def test_the_number_of_joints_tells_the_format() -> None:
    assert FORMATS == {18: COCO_18, 23: EDN_23, 25: BODY_25}
    assert len(set(COCO_18)) == 18 and len(set(BODY_25)) == 25
    assert set(COCO_18) < set(EDN_23) < set(BODY_25)


def test_body_25_is_picked_as_edn_picks_it() -> None:
    points = _points(25)
    assert np.array_equal(to_edn(points), points[:, BODY_25_OF_EDN_23])


def test_edn_23_stays_as_it_is() -> None:
    points = _points(23)
    assert np.array_equal(to_edn(points), points)


def test_coco_18_goes_to_the_joints_of_the_same_name() -> None:
    points = _points(18)
    edn = to_edn(points)
    for joint in COCO_18:
        assert np.array_equal(edn[:, EDN_23.index(joint)], points[:, COCO_18.index(joint)])


def test_the_mid_hip_of_coco_18_lies_between_the_hips_where_both_are_there() -> None:
    points = _points(18)
    points[0, 8], points[0, 11] = (10, 20, 0.5), (30, 60, 0.9)
    points[1, 11] = 0
    edn = to_edn(points)
    assert edn[0, EDN_23.index("MidHip")].tolist() == [20, 40, 0.5]
    assert not edn[1, EDN_23.index("MidHip")].any()


def test_coco_18_has_no_toes() -> None:
    edn = to_edn(_points(18))
    assert [EDN_23[index] for index in np.flatnonzero(~edn.any(axis=(0, 2)))] == [
        *("RBigToe", "RSmallToe", "LBigToe", "LSmallToe")
    ]


@pytest.mark.parametrize(
    "joint",
    [(5, 5, 0), (5, 5, -1), (0, 0, 0.9), (-1, -1, 1), (np.nan, 5, 1), (5, np.inf, 1), (5, 5, np.nan), (5, 5, np.inf)],
)
def test_every_way_to_say_missing_becomes_zeros(joint: tuple[float, float, float]) -> None:
    points = _points(23)
    points[1, 4] = joint
    expected = points.copy()
    expected[1, 4] = 0
    assert np.array_equal(to_edn(points), expected)


def test_a_joint_on_the_border_of_the_picture_is_there() -> None:
    points = _points(23)
    points[0, 0] = (0, 7, 0.5)
    assert np.array_equal(to_edn(points), points)


def test_pixels_stay_as_they_are() -> None:
    points = _sequence((-40, 500), (10, 800))
    for canvas in (None, (720.0, 480.0)):
        same, on = on_canvas(points, canvas)
        assert np.array_equal(same, points) and on == canvas


def test_pixels_of_a_tiny_picture_are_pixels() -> None:
    points = _sequence((0, 6), (0, 8))
    assert on_canvas(points, None)[1] is None


def test_normalised_points_lie_on_a_canvas_of_one_pixel() -> None:
    points = _sequence((0.1, 0.9), (0, 1))
    same, canvas = on_canvas(points, None)
    assert np.array_equal(same, points) and canvas == (1, 1)


def test_normalised_points_become_pixels_where_the_canvas_is_told() -> None:
    points = _sequence((0.1, 0.9), (0, 1))
    pixels, canvas = on_canvas(points, (512, 256))
    np.testing.assert_allclose(pixels, points * [256, 512, 1])
    assert canvas == (512, 256)


def test_joints_outside_a_normalised_picture_leave_it_normalised() -> None:
    points = _sequence((0.1, 0.9), (0, 1.3))
    points[3, 5] = (-0.2, 4, 1)
    same, canvas = on_canvas(points, None)
    assert np.array_equal(same, points) and canvas == (1, 1)


@pytest.mark.parametrize("x", [(-0.3, 0.3), (0.2, 0.6), (-0.9, -0.5)])
def test_points_around_the_middle_are_moved_from_minus_one_to_one(x: tuple[float, float]) -> None:
    points = _sequence(x, (-0.8, 0.7))
    points[0, 0] = 0
    expected = (points + np.array([1, 1, 0])) / [2, 2, 1]
    expected[0, 0] = 0
    moved, canvas = on_canvas(points, None)
    np.testing.assert_allclose(moved, expected)
    assert canvas == (1, 1)


def test_joints_a_little_outside_on_the_left_do_not_move_a_normalised_picture() -> None:
    points = _sequence((-0.14, 0.4), (0.1, 0.9))
    assert np.array_equal(on_canvas(points, None)[0], points)


def test_somebody_leaving_a_normalised_picture_on_the_left_is_not_moved() -> None:
    points = _sequence((0.2, 0.6), (0.1, 0.9))
    points[-2:, :, 0] -= 0.7
    assert np.array_equal(on_canvas(points, None)[0], points)


def test_where_a_canvas_is_told_nobody_is_moved() -> None:
    points = _sequence((-0.5, 0.5), (0.1, 0.9))
    assert np.array_equal(on_canvas(points, (1, 1))[0], points)


def test_nobody_lies_on_whatever_canvas_is_told() -> None:
    nobody = np.zeros((2, 23, 3))
    assert on_canvas(nobody, None)[1] is None and on_canvas(nobody, (4, 5))[1] == (4, 5)
