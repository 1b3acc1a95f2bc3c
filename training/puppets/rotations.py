"""Rotation matrices and rotation vectors (axis times angle in radians), over any leading axes."""

import numpy as np


def from_vector(vector: np.ndarray) -> np.ndarray:
    """Rotation vectors `(..., 3)` to matrices `(..., 3, 3)` (Rodrigues)."""
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vector, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*vector.shape[:-1], 3, 3)
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    return np.eye(3) + first * cross + second * (cross @ cross)


def to_vector(matrix: np.ndarray) -> np.ndarray:
    """Matrices `(..., 3, 3)` to rotation vectors `(..., 3)`; for angles well below pi."""
    axis = np.stack(
        [
            matrix[..., 2, 1] - matrix[..., 1, 2],
            matrix[..., 0, 2] - matrix[..., 2, 0],
            matrix[..., 1, 0] - matrix[..., 0, 1],
        ],
        axis=-1,
    )
    sine = np.linalg.norm(axis, axis=-1) / 2
    cosine = (np.trace(matrix, axis1=-2, axis2=-1) - 1) / 2
    angle = np.arctan2(sine, cosine)
    return axis * (angle / np.maximum(2 * sine, 1e-9))[..., None]


def about_y(angle: np.ndarray) -> np.ndarray:
    """Turns about the vertical axis, `(...)` radians to `(..., 3, 3)`; positive turns z towards x."""
    zero = np.zeros_like(angle)
    return from_vector(np.stack([zero, angle, zero], axis=-1))


def xyz_degrees(angles: np.ndarray) -> np.ndarray:
    """Angles `(..., 3)` in degrees about x, then y, then z, to `(..., 3, 3)`."""
    turns = [from_vector(np.radians(angles[..., k : k + 1]) * np.eye(3)[k]) for k in range(3)]
    return turns[2] @ turns[1] @ turns[0]


def unit(vector: np.ndarray) -> np.ndarray:
    """Scaled to length one along the last axis."""
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)
