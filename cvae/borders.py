"""Borders whose colour tells given, predicted and true frames apart."""

import numpy as np
from numpy.typing import NDArray

BORDER = 2  # pixels of a small frame
GIVEN, PREDICTED, TRUE = (34, 160, 80), (214, 40, 40), (128, 128, 128)  # green, red, grey


def bordered_video(frames: NDArray[np.uint8], given: int) -> NDArray[np.uint8]:
    """A video whose first frames are given and whose others are predicted, each in its border; see `bordered`."""
    return np.concatenate([bordered(frames[:given], GIVEN), bordered(frames[given:], PREDICTED)])


def bordered(frames: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Frames `(t, H, W, 3)` with a border around each, `(t, H + 4, W + 4, 3)`."""
    t, height, width, _ = frames.shape
    framed = np.full((t, height + 2 * BORDER, width + 2 * BORDER, 3), colour, np.uint8)
    framed[:, BORDER:-BORDER, BORDER:-BORDER] = frames
    return framed
