"""COCO-18 skeletons on black by the two usual recipes, for the tests of reading them."""

import colorsys
import math
from typing import Literal

import cv2
import numpy as np

LIMBS = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17)),
)
STANDING = np.array(
    [
        *((254, 62), (256, 110), (212, 112), (180, 180), (168, 250), (300, 112), (330, 182), (344, 250)),
        *((232, 262), (222, 360), (226, 460), (280, 262), (292, 358), (300, 458)),
        *((244, 52), (264, 52), (230, 58), (280, 58)),
    ],
    np.float64,
)
"""Of a picture of 512x512."""


def standing(scale: float = 1.0) -> np.ndarray:
    """`(18, 3)` key points, all of them visible."""
    return np.column_stack([STANDING * scale, np.ones(18)])


def hue(turn: float) -> tuple[int, ...]:
    return tuple(round(255 * channel) for channel in colorsys.hsv_to_rgb(turn, 1, 1))


def draw_coco(
    points: np.ndarray, size: tuple[int, int] = (512, 512), *, recipe: Literal["dimmed", "blended"] = "dimmed"
) -> np.ndarray:
    """Draws with a brush of 4 pixels, in the order of DWPose (dimmed) or of the first ControlNet (blended)."""
    canvas = np.zeros((*size, 3), np.uint8)
    if recipe == "blended":
        _draw_discs(canvas, points)
    for index, (first, second) in enumerate(LIMBS):
        if points[first, 2] > 0 and points[second, 2] > 0:
            painted = canvas.copy()
            _draw_limb(painted, points[first, :2], points[second, :2], hue(index / 18))
            canvas = painted if recipe == "dimmed" else cv2.addWeighted(canvas, 0.4, painted, 0.6, 0)
    if recipe == "dimmed":
        canvas = (canvas * 0.6).astype(np.uint8)
        _draw_discs(canvas, points)
    return canvas


def add_hand(picture: np.ndarray, elbow: np.ndarray, wrist: np.ndarray) -> None:
    """Draws 21 blue dots, the first on the wrist, and the thin rainbow lines between them."""
    along = (wrist - elbow) / math.hypot(*(wrist - elbow)) * 10
    across = np.array([-along[1], along[0]])
    fingers = [[wrist + along * step + across * spread * step / 4 for step in range(1, 5)] for spread in range(-2, 3)]
    dots = [wrist, *(dot for finger in fingers for dot in finger)]
    for index in range(20):
        start = wrist if index % 4 == 0 else dots[index]
        cv2.line(picture, _whole(start), _whole(dots[index + 1]), hue(index / 20), 2)
    for dot in dots:
        cv2.circle(picture, _whole(dot), 4, (0, 0, 255), -1)


def add_face(picture: np.ndarray, nose: np.ndarray) -> None:
    """Draws white dots: the jaw, the brows, both eyes, the nose, the mouth."""
    jaw = [(22 * math.cos(turn), 22 * math.sin(turn)) for turn in np.linspace(0, math.pi, 17)]
    brows = [(x, -18) for x in (-18, -14, -10, -6, 6, 10, 14, 18)]
    eyes = [(x + 5 * math.cos(turn), -10 + 3 * math.sin(turn)) for x in (-10, 10) for turn in range(6)]
    mouth = [(9 * math.cos(turn), 12 + 4 * math.sin(turn)) for turn in np.linspace(0, 2 * math.pi, 12)]
    for offset in [*jaw, *brows, *eyes, *mouth, (0, -8), (0, -4), (-4, 3), (4, 3)]:
        cv2.circle(picture, _whole(nose + offset), 3, (255, 255, 255), -1)


def _draw_discs(canvas: np.ndarray, points: np.ndarray) -> None:
    for index, point in enumerate(points):
        if point[2] > 0:
            cv2.circle(canvas, _whole(point), 4, hue(index / 18), -1)


def _draw_limb(canvas: np.ndarray, start: np.ndarray, end: np.ndarray, color: tuple[int, ...]) -> None:
    angle = round(math.degrees(math.atan2(end[1] - start[1], end[0] - start[0])))
    axes = (int(math.hypot(*(end - start)) / 2), 4)
    cv2.fillConvexPoly(canvas, cv2.ellipse2Poly(_whole((start + end) / 2), axes, angle, 0, 360, 1), color)


def _whole(point: np.ndarray) -> tuple[int, int]:
    return int(point[0]), int(point[1])
