import numpy as np
import pytest

from cvae.poses.window import Window, choose_window, window_note


def person(*corners: tuple[float, float]) -> np.ndarray:
    """Key points at these x and y, `(1, 23, 3)`."""
    points = np.zeros((1, 23, 3))
    points[0, : len(corners)] = [(x, y, 1) for x, y in corners]
    return points


def test_a_picture_of_the_right_shape_is_taken_whole() -> None:
    assert choose_window((100, 200), (32, 64), person((10, 10))) == Window.whole((100, 200))
    assert choose_window((1080, 1920), (36, 64), person((10, 10))) == Window.whole((1080, 1920))


def test_the_largest_part_of_the_shape_has_the_person_in_its_middle() -> None:
    window = choose_window((100, 400), (64, 128), person((280, 20), (320, 80)))
    assert (window.width, window.height, window.top) == (200, 100, 0)
    assert window.left + window.width / 2 == pytest.approx(300, abs=1)


def test_the_part_ends_at_the_edge_of_the_picture() -> None:
    window = choose_window((100, 400), (64, 128), person((380, 20), (395, 80)))
    assert (window.left, window.width) == (200, 200)


def test_a_person_taller_than_the_part_makes_it_grow_beyond_the_picture() -> None:
    window = choose_window((400, 200), (64, 128), person((90, 100), (110, 300)))  # 200 high, 260 with margins
    assert window.height == pytest.approx(260, abs=1) and window.width == pytest.approx(520, abs=2)
    assert window.left < 0 < window.top
    assert window.left + window.width / 2 == pytest.approx(100, abs=1)


def test_of_a_photo_the_margin_is_rather_cut_off_than_black_added() -> None:
    tight, too_tall = person((90, 100), (110, 195)), person((90, 100), (110, 205))  # 100 rows fit
    assert choose_window((400, 200), (64, 128), tight).left < 0
    window = choose_window((400, 200), (64, 128), tight, is_still=True)
    assert (window.left, window.width, window.height) == (0, 200, 100)
    assert window.top + window.height / 2 == pytest.approx(147.5, abs=1)
    with_margin = choose_window((400, 200), (64, 128), too_tall)
    assert choose_window((400, 200), (64, 128), too_tall, is_still=True) == with_margin and with_margin.left < 0


def test_what_is_shown_of_a_picture_is_told() -> None:
    told = [
        *window_note("a", Window.whole((40, 60)), (40, 60)),
        *window_note("b", Window(left=-5, top=0, width=70, height=35), (40, 60)),
        *window_note("c", Window(left=0, top=10, width=60, height=30), (40, 60)),
    ]
    assert told == [
        "Black is added at the edges of b, so that all of the person is in the picture.",
        "Of c the part around the person is used: 100% of its width, 75% of its height.",
    ]


def test_without_a_person_all_of_the_picture_is_shown() -> None:
    window = choose_window((400, 200), (64, 128), np.zeros((1, 23, 3)))
    assert (window.left, window.top, window.width, window.height) == (-300, 0, 800, 400)


def test_the_cut_and_the_moved_points_agree() -> None:
    frame = np.full((60, 40, 3), 50, np.uint8)
    frame[30:34, 10:14] = 250  # its middle is at x 12, y 32
    window = Window(left=-10, top=20, width=60, height=30)
    cut = window.cut(frame, (60, 120))
    moved = window.move(person((12, 32)), (60, 120))
    ys, xs = np.nonzero(cut[..., 0] > 200)
    np.testing.assert_allclose(moved[0, 0, :2], (xs.mean() + 0.5, ys.mean() + 0.5), atol=0.1)
    assert not cut[:, :19].any() and not cut[:, 101:].any()  # black beyond the picture
    assert not moved[0, 1:].any()
