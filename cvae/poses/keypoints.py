"""Key points of one person over time: what every source of poses is turned into before it is drawn."""

from dataclasses import dataclass

import numpy as np

FARTHEST = 1e6
"""Of any number among key points, pixels: far outside every picture, and safe to reckon with."""


LEAST_CANVAS = 8
"""Pixels of a side; nobody finds joints in a smaller picture."""


def is_canvas(height: float, width: float, most: float) -> bool:
    """Whether these can be the sides of a picture, at most so large; 1 and 1 are those of normalised key points."""
    return height == width == 1 or (LEAST_CANVAS <= height <= most and LEAST_CANVAS <= width <= most)


@dataclass(frozen=True, kw_only=True)
class Keypoints:
    """EDN-23 key points of one person over time."""

    points: np.ndarray
    """float64 `(T, 23, 3)`: x, y and confidence. Confidence 0, and then x = y = 0 too: joint missing. Never NaN."""
    canvas: tuple[float, float] | None
    """`(H, W)` of the picture in whose pixels x and y are; (1, 1) for normalised ones; None where nobody says."""
    fps: float | None = None
    """Frames per second; None where the source has no rate."""
    notes: tuple[str, ...] = ()
    """Sentences that the user should see: who was followed, which joints or frames are missing."""

    @property
    def is_normalised(self) -> bool:
        """Whether x and y are shares of a picture of any shape."""
        return self.canvas == (1, 1)

    def at(self, size: tuple[int, int]) -> np.ndarray:
        """The points in pixels of a picture of `size` `(H, W)`: `(T, 23, 3)`, a copy. The canvas must be known."""
        assert self.canvas is not None
        height, width = self.canvas
        return self.points * [size[1] / width, size[0] / height, 1]


def to_numbers(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Key points as the numbers that a network is conditioned on.

    Args:
        points: `(T, 23, 3)`, x and y in pixels of a picture, and confidence, 0 where a joint is missing.
        size: Height and width of that picture.

    Returns:
        float32 `(T, 69)`: of every joint x and y as shares of width and height, and whether it is seen, 0 or 1; all
        three are 0 where it is missing.
    """
    seen = points[..., 2:] > 0
    shares = points[..., :2] / [size[1], size[0]]
    return np.where(seen, np.append(shares, seen, axis=-1), 0).reshape(len(points), -1).astype(np.float32)
