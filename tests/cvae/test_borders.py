import numpy as np

from cvae.borders import GIVEN, PREDICTED, TRUE, bordered


def test_a_border_has_its_colour_and_leaves_the_frame_as_it_is() -> None:
    frames = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    framed = bordered(frames, GIVEN)
    assert framed.shape == (2, 7, 8, 3)
    assert (framed[:, 2:5, 2:6] == frames).all()
    outside = np.ones((7, 8), bool)
    outside[2:5, 2:6] = False
    assert (framed[:, outside] == GIVEN).all()


def test_the_colours_are_the_green_red_and_grey_that_captions_name() -> None:
    assert (np.argmax(GIVEN), np.argmax(PREDICTED), len(set(TRUE))) == (1, 0, 1)
