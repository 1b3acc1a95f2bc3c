"""Solids drawn into depth, normal and colour buffers, each in its own box of pixels.

Solids live in the camera's axes (right, up, backward; metres). Within one solid the perspective is taken as parallel
rays with the scale at its middle, which nobody sees at arm's length of depth.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Paint = np.ndarray | Callable[[np.ndarray], np.ndarray]
"""A colour `(3,)`, or colours `(N, 3)` from what the solid tells of its points."""


@dataclass(frozen=True)
class Lens:
    """Turns the camera's axes into pixels of a buffer.

    Attributes:
        scale: Pixels of a metre that is a metre away.
        middle: x, y of the optical axis in the buffer.
    """

    scale: float
    middle: np.ndarray

    def to_pixels(self, point: np.ndarray) -> tuple[float, float, float]:
        """x, y and pixels a metre at a point in front of the camera."""
        zoom = self.scale / max(-float(point[2]), 0.2)
        return self.middle[0] + point[0] * zoom, self.middle[1] - point[1] * zoom, zoom


class Buffers:
    """What is nearest in each pixel: depth (metres ahead, infinite where empty), normal and linear colour."""

    def __init__(self, height: int, width: int) -> None:
        self.depth = np.full((height, width), np.inf, np.float32)
        self.normal = np.zeros((height, width, 3), np.float32)
        self.color = np.zeros((height, width, 3), np.float32)

    def box(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice] | None:
        """The whole pixels of a box, or nothing if it lies outside."""
        height, width = self.depth.shape
        x, y = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
        x_end, y_end = min(width, int(np.ceil(right)) + 1), min(height, int(np.ceil(bottom)) + 1)
        return (slice(y, y_end), slice(x, x_end)) if x < x_end and y < y_end else None

    def put(
        self, box: tuple[slice, slice], mask: np.ndarray, depth: np.ndarray, normal: tuple, paint: Paint, told: tuple
    ) -> None:
        """Writes the masked pixels that are nearer than what is there; `told` are arrays that a paint asks for."""
        mask = mask & (depth < self.depth[box])
        if not mask.any():
            return
        self.depth[box][mask] = depth[mask]
        self.normal[box][mask] = np.stack([part[mask] for part in normal], axis=1)
        self.color[box][mask] = paint(np.stack([part[mask] for part in told], axis=1)) if callable(paint) else paint


def _pixels(box: tuple[slice, slice], x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = box
    return (
        np.arange(columns.start, columns.stop, dtype=np.float32)[None] + np.float32(0.5 - x),
        np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + np.float32(0.5 - y),
    )


@dataclass(frozen=True)
class Cone:
    """A cone with round ends; the paint is told how far along it is (0 to 1) and how far around (-1 to 1).

    Attributes:
        cut: The far end is flat, as a hem.
    """

    start: np.ndarray
    start_radius: float
    end: np.ndarray
    end_radius: float
    paint: Paint
    cut: bool = False

    def draw(self, buffers: Buffers, lens: Lens) -> None:
        """Draws it; solids close to or behind the camera are left out."""
        if self.start[2] > -0.25 or self.end[2] > -0.25:
            return
        x0, y0, zoom0 = lens.to_pixels(self.start)
        x1, y1, zoom1 = lens.to_pixels(self.end)
        r0, r1 = self.start_radius * zoom0, self.end_radius * zoom1
        box = buffers.box(min(x0 - r0, x1 - r1), min(y0 - r0, y1 - r1), max(x0 + r0, x1 + r1), max(y0 + r0, y1 + r1))
        if box is None:
            return
        length = float(np.hypot(x1 - x0, y1 - y0))
        ux, uy = ((x1 - x0) / length, (y1 - y0) / length) if length > 1e-3 else (1.0, 0.0)
        length = max(length, 1e-3)
        axis = self.end - self.start
        toward = float(axis[2] / max(np.linalg.norm(axis), 1e-6))  # how much the axis points to the viewer
        dx, dy = _pixels(box, x0, y0)
        along, across = dx * ux + dy * uy, dy * ux - dx * uy
        across2 = across * across
        radius = r0 + (r1 - r0) * np.clip(along / length, 0, 1)
        bulge = np.sqrt(np.maximum(radius * radius - across2, 0))
        share = np.clip((along + bulge * toward) / length, 0, 1)
        radius = r0 + (r1 - r0) * share
        rest = along - share * length
        front2 = radius * radius - across2 - rest * rest
        mask = front2 > 0
        if self.cut:
            mask &= along < length + 0.22 * bulge * max(0.0, -toward + 0.35)
        radius = np.maximum(radius, 1e-6)
        front = np.sqrt(np.maximum(front2, 0)) / radius
        nx, ny = (rest * ux - across * uy) / radius, -(rest * uy + across * ux) / radius
        size = self.start_radius + (self.end_radius - self.start_radius) * share
        depth = -(self.start[2] + axis[2] * share) - front * size
        buffers.put(box, mask, depth, (nx, ny, front), self.paint, (share, across / radius))


@dataclass(frozen=True)
class Ball:
    """An ellipsoid; paint and cut-out are told points on the unit sphere along its own axes.

    Attributes:
        axes: `(3, 3)`, columns are its axes.
        keep: Which points are there; all, if none is given.
    """

    center: np.ndarray
    axes: np.ndarray
    radii: tuple[float, float, float]
    paint: Paint
    keep: Callable[[np.ndarray], np.ndarray] | None = None

    def draw(self, buffers: Buffers, lens: Lens) -> None:
        """Draws it; solids close to or behind the camera are left out."""
        if self.center[2] > -0.25:
            return
        x, y, zoom = lens.to_pixels(self.center)
        stretch = self.axes * self.radii  # unit sphere to camera
        wide, high = (float(np.linalg.norm(stretch[k])) * zoom for k in (0, 1))
        box = buffers.box(x - wide, y - high, x + wide, y + high)
        if box is None:
            return
        dx, dy = _pixels(box, x, y)
        shrink = (self.axes / self.radii).T.astype(np.float32)  # camera to unit sphere
        flat = [row[0] / zoom * dx - row[1] / zoom * dy for row in shrink]
        ray = shrink[:, 2]
        a = float(ray @ ray)
        b = flat[0] * ray[0] + flat[1] * ray[1] + flat[2] * ray[2]
        inside = b * b - a * (flat[0] ** 2 + flat[1] ** 2 + flat[2] ** 2 - 1)
        mask = inside > 0
        forward = (np.sqrt(np.maximum(inside, 0)) - b) / a
        local = [part + forward * way for part, way in zip(flat, ray, strict=True)]
        if self.keep is not None:
            mask &= self.keep(np.stack(local, axis=-1))
        normal = [sum(shrink[k, axis] * local[k] for k in range(3)) for axis in range(3)]
        norm = np.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2) + 1e-9
        buffers.put(
            box, mask, -self.center[2] - forward, tuple(part / norm for part in normal), self.paint, tuple(local)
        )


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("nk,nk->n", vectors, vectors))


@dataclass(frozen=True)
class Blend:
    """Ellipsoids and spheres melted into one smooth body, found by sphere tracing.

    Attributes:
        centers: `(K, 3)`.
        shrinks: `(K, 3, 3)`, each turns the camera's axes into the unit sphere of an ellipsoid.
        radii: `(K, 3)`.
        spheres: `(J, 4)`, centres and radii.
        melt: Width in metres over which two surfaces flow together.
        paint: Told the points `(N, 3)` in the camera's axes.
    """

    centers: np.ndarray
    shrinks: np.ndarray
    radii: np.ndarray
    spheres: np.ndarray
    melt: float
    paint: Paint

    def distance(self, points: np.ndarray) -> np.ndarray:
        """About how far points `(N, 3)` are from the surface, negative inside."""
        total = np.full(len(points), np.inf, np.float32)
        for center, shrink, radii in zip(self.centers, self.shrinks, self.radii, strict=True):
            local = (points - center) @ shrink.T
            size = _length(local)
            total = self._melted(total, size * (size - 1) / np.maximum(_length(local / radii), 1e-6))
        for sphere in self.spheres:
            total = self._melted(total, _length(points - sphere[:3]) - sphere[3])
        return total

    def _melted(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        overlap = np.maximum(self.melt - np.abs(one - other), 0)
        return np.minimum(one, other) - overlap * overlap * np.float32(0.25 / self.melt)

    def draw(self, buffers: Buffers, lens: Lens) -> None:
        """Draws it; solids close to or behind the camera are left out."""
        center = self.centers.mean(axis=0)
        if self.centers[:, 2].max() > -0.3:
            return
        x, y, zoom = lens.to_pixels(center)
        spread = np.linalg.norm(np.linalg.inv(self.shrinks), axis=2)  # (K, 3): half sizes along the camera's axes
        middles = np.concatenate([self.centers, self.spheres[:, :3]]) - center
        spread = np.concatenate([spread, np.repeat(self.spheres[:, 3:], 3, axis=1)])
        low, high = (middles - spread).min(axis=0) - 0.02, (middles + spread).max(axis=0) + 0.02
        box = buffers.box(x + low[0] * zoom, y - high[1] * zoom, x + high[0] * zoom, y - low[1] * zoom)
        if box is None:
            return
        dx, dy = np.broadcast_arrays(*_pixels(box, x, y))
        points = np.stack([dx / zoom, -dy / zoom, np.full_like(dx, high[2])], axis=-1).reshape(-1, 3)
        points = points + center.astype(np.float32)
        gap = np.full(len(points), np.inf, np.float32)
        alive = np.arange(len(points))
        for _ in range(14):
            step = self.distance(points[alive])
            gap[alive] = step
            points[alive, 2] -= step
            alive = alive[(step > 0.002) & (points[alive, 2] > center[2] + low[2])]
            if not len(alive):
                break
        hit = gap < 0.006
        if not hit.any():
            return
        where = points[hit]
        here = self.distance(where)
        tips = [self.distance(where + np.float32(0.004) * np.eye(3, dtype=np.float32)[k]) - here for k in range(3)]
        gradient = np.stack(tips, axis=1)
        gradient /= np.linalg.norm(gradient, axis=1, keepdims=True) + 1e-9
        self._put(buffers, box, hit.reshape(dx.shape), where, gradient)

    def _put(
        self, buffers: Buffers, box: tuple[slice, slice], hit: np.ndarray, where: np.ndarray, normal: np.ndarray
    ) -> None:
        nearer = -where[:, 2] < buffers.depth[box][hit]
        hit[hit] = nearer
        buffers.depth[box][hit] = -where[nearer, 2]
        buffers.normal[box][hit] = normal[nearer]
        buffers.color[box][hit] = self.paint(where[nearer]) if callable(self.paint) else self.paint


Solid = Cone | Ball | Blend
