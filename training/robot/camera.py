"""The camera, which stands still in front of the robot, above its table."""

import numpy as np

PLACE = np.array([0.0, -1.1, 1.12])
"""Metres."""
_AIM = np.array([0.0, 0.06, 0.115])
_FOCAL = 1.94  # in heights of the picture


def _axes() -> np.ndarray:
    """`(3, 3)`, rows: right, up and ahead."""
    ahead = (_AIM - PLACE) / np.linalg.norm(_AIM - PLACE)
    right = np.array([1.0, 0.0, 0.0])
    return np.stack([right, np.cross(right, ahead), ahead])


_AXES = _axes()


def project(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """World points `(..., 3)` in metres to x and y in pixels `(..., 2)` of a picture of that height and width."""
    view = (points - PLACE) @ _AXES.T
    scale = _FOCAL * size[0] / view[..., 2:]
    return np.array([size[1] / 2, size[0] / 2]) + view[..., :2] * scale * [1, -1]


def pixels_per_metre(point: np.ndarray, size: tuple[int, int]) -> float:
    """How large a metre is that faces the camera at a point `(3,)`."""
    return _FOCAL * size[0] / float(_AXES[2] @ (point - PLACE))
