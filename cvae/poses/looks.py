"""What the pictures of a clip show, told by their pixels: skeletons, on white or on black, or anything else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

Look = Literal["skeleton on white", "skeleton on black", "photo", "all white", "all black"]

_ENOUGH = 8  # pictures with anything in them
_PLAIN = 32  # how far from white or black the ground may be: noise, wrong ranges
_BRIGHT = 64  # how far from its ground a drawing is somewhere at least; a photo in the dark is not
_LEAST_GROUND = 0.85
_MOST_SCORE = 0.05
_MOST_THICK = 0.2
_MOST_GREY = 0.85
_FEW_ROWS = 64


@dataclass(frozen=True, kw_only=True)
class _Drawing:
    """How what is not ground looks; each is a share, 0 to 1."""

    ground: float
    """Of the picture that is ground."""
    grey: float
    """Of its paint that has no colour. Skeletons: 0 to 0.2; a person: 0.3 to 1."""
    thick: float
    """Of its area where a brush of 8 % of its size fits. Skeletons: 0 to 0.2; a person: 0.4 to 1."""
    variety: float
    """Entropy of its hues, 1 where all are used alike. Skeletons: 0.5 to 0.95; a person: 0.4 to 0.85."""
    faint: bool
    """Nowhere far from the ground."""


def look_of(frames: Iterable[np.ndarray]) -> Look:
    """Tells what a clip shows from the first eight of the frames that are not white or black all over.

    Args:
        frames: uint8 RGB `(H, W, 3)` each, not none at all; of any sizes, of which 512 pixels a side are enough. No
            more are taken than needed.

    Returns:
        What most of them show; "all white" or "all black" only where in every single one nothing stands out.
    """
    seen: Counter[Look] = Counter()
    blank: Counter[Look] = Counter()
    for frame in frames:
        look = _look_of_one(frame)
        (blank if look in ("all white", "all black") else seen)[look] += 1
        if seen.total() == _ENOUGH:
            break
    assert seen or blank, "a look at no frames"
    return (seen or blank).most_common(1)[0][0]


def _look_of_one(frame: np.ndarray) -> Look:
    on_white, on_black = _drawing(255 - frame), _drawing(frame)
    if on_white is None:
        return "all white"
    if on_black is None:
        return "all black"
    if _is_skeleton_on_white(on_white, len(frame)):
        return "skeleton on white"
    return "skeleton on black" if _is_skeleton_on_black(on_black) else "photo"


def _is_skeleton_on_white(drawing: _Drawing, rows: int) -> bool:
    # Thin lines on white lose their colours first when a video is compressed, in small pictures all of them.
    is_thin = drawing.thick < _MOST_THICK and (drawing.grey < _MOST_GREY or rows <= _FEW_ROWS)
    return drawing.ground > _LEAST_GROUND and (is_thin or _is_colourful_and_thin(drawing))


def _is_skeleton_on_black(drawing: _Drawing) -> bool:
    return drawing.ground > _LEAST_GROUND and not drawing.faint and _is_colourful_and_thin(drawing)


def _is_colourful_and_thin(drawing: _Drawing) -> bool:
    return drawing.grey + drawing.thick - drawing.variety < _MOST_SCORE


def _drawing(paint: np.ndarray) -> _Drawing | None:
    """Measures a picture whose ground is 0; None where nothing is drawn."""
    most, least = paint.max(axis=2), paint.min(axis=2)
    drawn = most > _PLAIN
    if drawn.sum() <= 2:
        return None
    body = (most > 1.5 * _PLAIN).astype(np.uint8)
    rows, columns = np.nonzero(drawn)
    extent = max(np.ptp(np.percentile(along, (1, 99))) for along in (rows, columns))
    width = max(3, round(0.08 * extent)) | 1
    opened = cv2.morphologyEx(
        body, cv2.MORPH_OPEN, np.ones((width, width)), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return _Drawing(
        ground=1 - float(drawn.mean()),
        grey=float(least[drawn].sum(dtype=float) / most[drawn].sum(dtype=float)),
        thick=float(opened.sum() / max(1, body.sum())),
        variety=_variety_of_hues(paint[drawn], (most - least)[drawn]),
        faint=int(most.max()) < _BRIGHT,
    )


def _variety_of_hues(colors: np.ndarray, weights: np.ndarray) -> float:
    hues = cv2.cvtColor(colors[:, None], cv2.COLOR_RGB2HSV)[:, 0, 0].astype(int)  # half degrees
    shares = np.bincount((hues + 15) // 30 % 6, weights=weights, minlength=6)
    shares = shares[shares > 0] / max(1, shares.sum())
    return float(-(shares * np.log(shares)).sum() / np.log(6))
