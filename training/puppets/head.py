"""Head, face, hair and cap as solids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from training.puppets.dancer import Dancer, linear
from training.puppets.raster import Ball, Blend, Cone, Solid

NO_SPHERES = np.zeros((0, 4), np.float32)

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
    yield _skull(dancer, middle, turn, size)
    yield Cone(at(0, 0.03, 0.37), 0.03 * size, at(0, -0.1, 0.44), 0.055 * size, dancer.skin)
    for x in (-0.335, 0.335):
        yield Ball(at(x, -0.02, -0.03), turn, (0.05 * size, 0.11 * size, 0.07 * size), dancer.skin * 0.9)
    yield from _hair(dancer, pose, at, size, turn)


def _skull(dancer: Dancer, middle: np.ndarray, turn: np.ndarray, size: float) -> Blend:
    places = np.array([(0, 0.07, -0.02), (0, -0.2, 0.05)]) * size
    radii = np.array([(0.335, 0.425, 0.41), (0.24, 0.27, 0.27)], np.float32) * np.float32(size)
    centers = (middle + places @ turn.T).astype(np.float32)
    shrinks = np.array([(turn / r).T for r in radii], np.float32)
    paint = _face(dancer)
    return Blend(centers, shrinks, radii, NO_SPHERES, 0.3 * size, lambda points: paint((points - middle) @ turn / size))


def _face(dancer: Dancer) -> Callable[[np.ndarray], np.ndarray]:
    """Paints eyes, brows, mouth and beard at points `(N, 3)` of the head, in head heights from its middle."""
    white, dark, brow = linear((236, 234, 230)), linear((40, 28, 24)), dancer.hair * 0.4 + dancer.skin * 0.12

    def paint(points: np.ndarray) -> np.ndarray:
        x, y, z = points.T
        front, aside = z > 0.1, np.abs(x)
        colors = np.repeat(dancer.skin[None].astype(np.float32), len(points), axis=0)
        blush = np.exp(-(((aside - 0.19) / 0.07) ** 2) - ((y + 0.09) / 0.06) ** 2) * front
        colors *= 1 - blush[:, None] * np.array([-0.02, 0.14, 0.14], np.float32)
        if dancer.beard:
            colors[(z > -0.05) & (y < -0.16 - 0.5 * np.maximum(0.17 - aside, 0))] = dancer.hair
        colors[front & ((x / 0.105) ** 2 + ((y + 0.265 - 1.2 * x * x) / 0.028) ** 2 < 1)] = dancer.lips
        eye = ((aside - 0.135) / 0.062) ** 2 + ((y - 0.055) / 0.033) ** 2
        colors[front & (eye < 1)] = white
        iris = ((aside - 0.133) / 0.034) ** 2 + ((y - 0.057) / 0.034) ** 2
        colors[front & (iris < 1) & (eye < 1.3)] = np.where(
            (iris < 0.3)[front & (iris < 1) & (eye < 1.3), None], dark * 0.3, dancer.iris
        )
        lash = ((aside - 0.137) / 0.07) ** 2 + ((y - 0.052) / 0.043) ** 2
        colors[front & (lash < 1) & (eye > 1) & (y > 0.06)] = dark
        colors[front & (np.abs(aside - 0.14) < 0.075) & (np.abs(y - 0.158 + 4 * (aside - 0.12) ** 2) < 0.014)] = brow
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
        for k in range(14):  # a spiral of tufts over crown and back
            y, angle = 0.62 - 0.062 * k, 2.4 * k
            out = 0.36 * np.sqrt(max(0.0, 1 - ((y - 0.15) / 0.5) ** 2))
            x, z = out * np.sin(angle), out * np.cos(angle) * 0.8 - 0.12
            if z < 0.05 + 1.1 * (y - 0.2):
                yield Ball(at(x, y, z), turn, (0.19 * size, 0.19 * size, 0.19 * size), hair * (1 + 0.1 * (k % 3 - 1)))
    elif style == "bob":
        for x in (-0.3, 0.3):
            yield Cone(at(x, 0.1, -0.1), 0.15 * size, at(x, -0.38, -0.07), 0.13 * size, hair)
        yield Cone(at(0, 0.05, -0.2), 0.27 * size, at(0, -0.3, -0.2), 0.24 * size, hair)
    elif style == "long":
        nape, back = pose.at("neck", "chest", 0, 0.0, -0.1), pose.at("neck", "chest", 0, -0.06, -0.105)
        yield Cone(at(0, 0.05, -0.18), 0.32 * size, nape, 0.24 * size, hair)
        chest, long = pose.turns["chest"], 0.75 * size
        yield Ball(back, chest, (0.36 * size, long, 0.17 * size), strands)
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
