"""Which part of a picture of a person becomes the picture of another shape that the network needs."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from cvae.pictures import resize_frame

_MARGIN = 0.15
"""Around all places of the joints, in heights of the box around these: hair, hands and feet reach further."""
_SAME_SHAPE = 1.05
"""Proportions that differ by less are stretched; nobody sees it."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of a picture, in its pixels; it may reach beyond the picture, where it is black."""

    left: int
    top: int
    width: int
    height: int

    @staticmethod
    def whole(picture: tuple[int, int]) -> "Window":
        """All of a picture of this height and width."""
        return Window(left=0, top=0, width=picture[1], height=picture[0])

    def cut(self, frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """This part of a frame `(H, W, 3)`, resized to `size`."""
        height, width = frame.shape[:2]
        right, bottom = self.left + self.width, self.top + self.height
        inside = frame[max(0, self.top) : max(0, bottom), max(0, self.left) : max(0, right)]
        edges = (max(0, -self.top), max(0, bottom - height), max(0, -self.left), max(0, right - width))
        padded = cv2.copyMakeBorder(inside, *edges, cv2.BORDER_CONSTANT) if any(edges) else inside
        return resize_frame(np.asarray(padded, np.uint8), size)

    def move(self, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Key points `(..., 3)` of the picture as those of the cut of `size`; missing joints stay missing."""
        scale = (size[1] / self.width, size[0] / self.height)
        moved = points.copy()
        moved[..., :2] = (points[..., :2] - (self.left, self.top)) * scale
        return np.where(points[..., 2:] > 0, moved, points)


def choose_window(
    picture: tuple[int, int], size: tuple[int, int], points: np.ndarray, *, is_still: bool = False
) -> Window:
    """The largest window of the shape of `size` inside a picture that has the person in its middle.

    Where the person does not fit into it, it grows beyond the picture until the person does, or all of the picture.

    Args:
        picture: Height and width.
        size: Height and width of the result; only their ratio counts.
        points: The person's key points over time, `(T, 23, 3)`, in pixels of the picture.
        is_still: Whether it is one photo; in it, hair and fingertips are rather cut off than black is added.
    """
    height, width = picture
    ratio = size[1] / size[0]
    if 1 / _SAME_SHAPE < ratio * height / width < _SAME_SHAPE:
        return Window.whole(picture)
    across = min(width, height * ratio)  # the largest inside the picture
    low, high = _extent(points, picture, 0.0)
    if not is_still or _across(low, high, ratio) > across:
        low, high = _extent(points, picture, _MARGIN)
    across = max(across, _across(low, high, ratio))
    shape = (round(across), round(across / ratio))
    middle = (low + high) / 2
    left, top = (
        _place(side, whole_side, at) for side, whole_side, at in zip(shape, (width, height), middle, strict=True)
    )
    return Window(left=left, top=top, width=shape[0], height=shape[1])


def window_note(what: str, window: Window, picture: tuple[int, int]) -> Iterator[str]:
    """Whether another part than all of a picture is shown, as a sentence; `what` is the picture's name."""
    if window.width > picture[1] or window.height > picture[0]:
        yield f"Black is added at the edges of {what}, so that all of the person is in the picture."
    elif window != Window.whole(picture):
        part = f"{window.width / picture[1]:.0%} of its width, {window.height / picture[0]:.0%} of its height"
        yield f"Of {what} the part around the person is used: {part}."


def _extent(points: np.ndarray, picture: tuple[int, int], margin: float) -> tuple[np.ndarray, np.ndarray]:
    """The corners of the box around the person, `(2,)` each, inside the picture."""
    seen = points[points[..., 2] > 0][:, :2]
    most = np.array(picture[::-1], np.float64)
    if not len(seen):
        return np.zeros(2), most
    low, high = seen.min(axis=0), seen.max(axis=0)
    around = margin * (high[1] - low[1])
    return np.clip(low - around, 0, most), np.clip(high + around, 0, most)


def _across(low: np.ndarray, high: np.ndarray, ratio: float) -> float:
    """The width of the least window of this ratio of width and height that holds a box."""
    return float(max(high[0] - low[0], (high[1] - low[1]) * ratio))


def _place(side: int, whole_side: int, middle: float) -> int:
    """Where a window of `side` begins, so that it has `middle` in its middle or ends at the picture's edge."""
    if side >= whole_side:
        return -round((side - whole_side) / 2)
    return min(max(0, round(middle - side / 2)), whole_side - side)
