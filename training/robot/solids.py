"""Shaded solids painted into a picture one over the other, the farthest first."""

from dataclasses import dataclass

import cv2
import numpy as np

from training.robot.camera import PLACE, pixels_per_metre, project

LIGHT = np.array([-0.38, -0.30, 0.87])
"""`(3,)`, unit vector toward the light."""
_AMBIENT, _DIRECT, _GLOSS = 0.5, 0.55, 45.0
_TURN = np.arange(16)[:, None] * np.pi / 8
_CIRCLE = np.concatenate([np.cos(_TURN), np.sin(_TURN), 0 * _TURN], axis=1)
_HALF_TURN = np.stack([np.cos(np.linspace(0, np.pi, 11)), np.sin(np.linspace(0, np.pi, 11))], axis=1)
_BITS = 4  # of a pixel's fraction, in OpenCV's whole numbers


@dataclass(frozen=True)
class Prism:
    """An upright solid between two heights.

    Attributes:
        outline: `(N, 2)`, convex, counter-clockwise seen from above, metres.
        color: `(3,)`, RGB, 0 to 255.
    """

    outline: np.ndarray
    bottom: float
    top: float
    color: np.ndarray

    def corners(self) -> np.ndarray:
        """Points `(2 N, 3)` that it is the hull of, the lower ones first."""
        return np.concatenate([level(self.outline, self.bottom), level(self.outline, self.top)])

    def paint(self, picture: np.ndarray) -> None:
        """Paints it into uint8 `(H, W, 3)`."""
        count = len(self.outline)
        after = (np.arange(count) + 1) % count
        edges = self.outline[after] - self.outline
        normals = level(edges[:, ::-1] * [1, -1], 0.0)
        seen = np.flatnonzero(np.sum(normals[:, :2] * (PLACE[:2] - self.outline), axis=1) > 0)
        colors = shade(self.color, np.concatenate([normals[seen], [[0.0, 0.0, 1.0]]]))
        corners = fixed(self.corners(), picture)
        sides = corners[np.stack([seen, after[seen], after[seen] + count, seen + count], axis=1)]
        for side, color in zip([*sides, corners[count:]], colors, strict=True):
            fill(picture, side, color)


@dataclass(frozen=True)
class Tube:
    """A round rod that grows or shrinks from one end to the other."""

    start: np.ndarray
    end: np.ndarray
    start_radius: float
    end_radius: float
    color: np.ndarray

    def corners(self) -> np.ndarray:
        """Points `(N, 3)` that it is about the hull of."""
        return np.concatenate([_ring(self.start, self.start_radius), _ring(self.end, self.end_radius)])

    def paint(self, picture: np.ndarray) -> None:
        """Paints it into uint8 `(H, W, 3)`, in strips along its axis."""
        axis = self.end - self.start
        side = _unit(np.cross(axis, PLACE - self.start))
        around = _HALF_TURN @ np.stack([side, _unit(np.cross(side, axis))])  # (N, 3), normals of the half that is seen
        one = fixed(self.start + self.start_radius * around, picture)
        other = fixed(self.end + self.end_radius * around, picture)
        strips = np.stack([one[:-1], one[1:], other[1:], other[:-1]], axis=1)
        for strip, color in zip(strips, shade(self.color, around[1:] + around[:-1]), strict=True):
            fill(picture, strip, color)


@dataclass(frozen=True)
class Ball:
    """A sphere."""

    center: np.ndarray
    radius: float
    color: np.ndarray

    def corners(self) -> np.ndarray:
        """Points `(N, 3)` that it is about the hull of, seen from above."""
        return _ring(self.center, self.radius)

    def paint(self, picture: np.ndarray) -> None:
        """Paints it into uint8 `(H, W, 3)`, in discs that shrink toward its brightest point."""
        view = _unit(PLACE - self.center)
        bright = LIGHT - (LIGHT @ view) * view
        inward = np.linspace(0, 0.9, 7)[:, None]
        colors = shade(self.color, inward * LIGHT + (1 - inward) * (0.6 * view - bright))
        middles = fixed(self.center + 0.8 * inward * self.radius * bright, picture)
        radii = (1 - inward[:, 0]) * self.radius * pixels_per_metre(self.center, picture.shape[:2]) * 2**_BITS
        for middle, radius, color in zip(middles.tolist(), radii.tolist(), colors.tolist(), strict=True):
            cv2.circle(picture, middle, round(radius), color, -1, shift=_BITS)


Solid = Prism | Tube | Ball


def shade(color: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Colours `(..., 3)`, RGB, 0 to 255, of surfaces with normals `(..., 3)` of any length."""
    length = np.sqrt(np.einsum("...k,...k->...", normals, normals))
    facing = np.maximum(normals @ LIGHT / length, 0)[..., None]
    return np.minimum(color * (_AMBIENT + _DIRECT * facing) + _GLOSS * facing**12, 255)


def fixed(points: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """World points `(..., 3)` to pixels in OpenCV's whole numbers with a fraction."""
    return np.rint((project(points, picture.shape[:2]) - 0.5) * 2**_BITS).astype(np.int32)


def fill(picture: np.ndarray, corners: np.ndarray, color: np.ndarray) -> None:
    """Fills a convex polygon `(N, 2)` of what `fixed` gives."""
    cv2.fillConvexPoly(picture, corners, color.tolist(), shift=_BITS)


def level(outline: np.ndarray, height: float) -> np.ndarray:
    """Points `(N, 2)` at a height, `(N, 3)`."""
    points = np.full((len(outline), 3), height)
    points[:, :2] = outline
    return points


def _ring(center: np.ndarray, radius: float) -> np.ndarray:
    return center + radius * _CIRCLE


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt(vector @ vector)


def circle(center: np.ndarray, radius: float) -> np.ndarray:
    """An outline `(16, 2)`."""
    return center + radius * _CIRCLE[:, :2]


def rectangle(center: np.ndarray, half: tuple[float, float], angle: float = 0.0) -> np.ndarray:
    """An outline `(4, 2)` of that half width and half depth, turned by an angle."""
    sine, cosine = np.sin(angle), np.cos(angle)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return center + corners @ np.array([[cosine, sine], [-sine, cosine]])
