"""Head, face, hair and cap as solids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from training.puppets.dancer import Dancer, linear
from training.puppets.raster import Ball, Cone, Solid

if TYPE_CHECKING:
    from training.puppets.parts import Pose


def head_parts(dancer: Dancer, pose: Pose) -> Iterator[Solid]:
    """Neck, skull with its face, ears, nose, and what is worn on it."""
    size, turn = dancer.body.head, pose.turns["head"]
    middle = pose.joints["head"]

    def at(x: float, y: float, z: float) -> np.ndarray:
        return middle + turn @ np.array([x, y, z]) * size

    neck = 0.052 * dancer.girth**0.6 * (0.88 if dancer.hips > 1 else 1.0)
    base = pose.at("neck", "chest", 0.0, -0.02, -0.005)
    yield Cone(base, neck * 1.08, at(0, -0.3, -0.08), neck, dancer.skin * 0.92)
    yield Ball(at(0, 0.07, -0.02), turn, (0.335 * size, 0.43 * size, 0.41 * size), _face(dancer, 0.07, 0.43, 0.335))
    yield Ball(at(0, -0.19, 0.045), turn, (0.262 * size, 0.31 * size, 0.305 * size), _face(dancer, -0.19, 0.31, 0.262))
    yield Cone(at(0, 0.03, 0.37), 0.03 * size, at(0, -0.1, 0.44), 0.055 * size, dancer.skin)
    for x in (-0.335, 0.335):
        yield Ball(at(x, -0.02, -0.03), turn, (0.05 * size, 0.11 * size, 0.07 * size), dancer.skin * 0.9)
    yield from _hair(dancer, pose, at, size, turn)


def _face(dancer: Dancer, center: float, high: float, wide: float) -> Callable[[np.ndarray], np.ndarray]:
    """Paints eyes, brows, mouth and beard where a ball of the head shows the front."""
    white, dark, brow = linear((240, 238, 236)), linear((38, 28, 24)), dancer.hair * 0.55

    def paint(local: np.ndarray) -> np.ndarray:
        x, y = local[:, 0] * wide, local[:, 1] * high + center
        front = local[:, 2] > 0
        aside = np.abs(x)
        colors = np.repeat(dancer.skin[None].astype(np.float32), len(local), axis=0)
        colors[front & (((aside - 0.2) / 0.07) ** 2 + ((y + 0.1) / 0.055) ** 2 < 1)] *= (1.02, 0.93, 0.92)
        if dancer.beard:
            colors[(local[:, 2] > -0.2) & (y < -0.2 - 0.35 * (0.2 - aside)) & (y < -0.12)] = dancer.hair
        colors[front & ((x / 0.105) ** 2 + ((y + 0.265 - 1.2 * x * x) / 0.028) ** 2 < 1)] = dancer.lips
        eye = ((aside - 0.135) / 0.068) ** 2 + ((y - 0.06) / 0.038) ** 2
        colors[front & (eye < 1)] = white
        colors[front & (((aside - 0.13) / 0.036) ** 2 + ((y - 0.06) / 0.036) ** 2 < 1)] = dark
        colors[front & (np.abs(aside - 0.14) < 0.075) & (np.abs(y - 0.142 + 2.2 * (aside - 0.14) ** 2) < 0.017)] = brow
        if dancer.glasses:
            rim = np.sqrt(((aside - 0.14) / 0.105) ** 2 + ((y - 0.05) / 0.08) ** 2)
            bridge = (np.abs(y - 0.075) < 0.012) & ((aside < 0.04) | (aside > 0.24))
            colors[front & ((np.abs(rim - 1) < 0.14) | bridge)] = dark
        return colors

    return paint


def _hairline(low: float) -> Callable[[np.ndarray], np.ndarray]:
    def keep(local: np.ndarray) -> np.ndarray:
        x, y, z = local[..., 0], local[..., 1], local[..., 2]
        return (z < 0.02 + 1.25 * y + 0.25 * x * x) & (y > low)

    return keep


def _hair(
    dancer: Dancer, pose: Pose, at: Callable[[float, float, float], np.ndarray], size: float, turn: np.ndarray
) -> Iterator[Solid]:
    style, hair = dancer.hair_style, dancer.hair

    def strands(local: np.ndarray) -> np.ndarray:
        streak = 1 + 0.14 * np.sin(local[:, :1] * 23 + local[:, 2:] * 9)
        return (hair * streak).astype(np.float32)

    if style == "bald":
        return
    if style == "cap":
        yield from _cap(dancer, at, size, turn)
        yield Ball(at(0, 0.04, -0.05), turn, (0.36 * size, 0.4 * size, 0.42 * size), strands, _hairline(-0.45))
        return
    thick = {"curls": 0.09, "bob": 0.05, "short": 0.015}.get(style, 0.025)
    low = {"short": -0.5, "bob": -0.95, "curls": -0.7}.get(style, -0.6)
    radii = ((0.36 + thick) * size, (0.455 + thick) * size, (0.435 + thick) * size)
    yield Ball(at(0, 0.085, -0.04), turn, radii, strands, _hairline(low))
    if style == "curls":
        for x, y, z in ((-0.3, 0.3, -0.1), (0.3, 0.3, -0.1), (0, 0.5, 0.0), (0, 0.25, -0.4), (0.2, 0.45, 0.2)):
            yield Ball(at(x, y, z), turn, (0.2 * size, 0.2 * size, 0.2 * size), strands)
    elif style == "bob":
        for x in (-0.3, 0.3):
            yield Cone(at(x, 0.1, -0.1), 0.15 * size, at(x, -0.38, -0.07), 0.13 * size, hair)
        yield Cone(at(0, 0.05, -0.2), 0.27 * size, at(0, -0.3, -0.2), 0.24 * size, hair)
    elif style == "long":
        nape, back = pose.at("neck", "chest", 0, 0.0, -0.1), pose.at("neck", "chest", 0, -0.17, -0.135)
        yield Cone(at(0, 0.05, -0.18), 0.32 * size, nape, 0.3 * size, hair)
        yield Cone(nape, 0.3 * size, back, 0.2 * size, hair * 0.94)
        for x in (-0.31, 0.31):
            yield Cone(at(x, 0.1, -0.1), 0.12 * size, at(x * 1.05, -0.5, -0.1), 0.1 * size, hair)
    elif style == "bun":
        yield Ball(at(0, 0.5, -0.28), turn, (0.19 * size, 0.18 * size, 0.19 * size), strands)
    elif style == "ponytail":
        yield Cone(at(0, 0.3, -0.42), 0.12 * size, at(0, 0.12, -0.66), 0.13 * size, hair)
        yield Cone(at(0, 0.12, -0.66), 0.13 * size, at(0, -0.6, -0.62), 0.05 * size, hair * 0.94)


def _cap(
    dancer: Dancer, at: Callable[[float, float, float], np.ndarray], size: float, turn: np.ndarray
) -> Iterator[Solid]:
    def above(local: np.ndarray) -> np.ndarray:
        return local[..., 1] > 0.12

    def front(local: np.ndarray) -> np.ndarray:
        return local[..., 2] > 0.0

    yield Ball(at(0, 0.12, -0.03), turn, (0.375 * size, 0.46 * size, 0.45 * size), dancer.accent, above)
    yield Ball(at(0, 0.19, 0.3), turn, (0.3 * size, 0.035 * size, 0.42 * size), dancer.accent * 0.8, front)
