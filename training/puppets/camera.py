"""A static camera, and key points of a figure as it sees them."""

from dataclasses import dataclass

import numpy as np

from cvae.poses.skeleton import JOINTS
from training.puppets.body import Body, Figure


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A pinhole on the z axis's side of the scene that looks along -z, tilted down by `pitch`.

    Attributes:
        place: `(3,)`, metres; the person stands near the origin.
        pitch: Radians, positive looks down.
        focal: Focal length in heights of the picture.
    """

    place: np.ndarray
    pitch: float
    focal: float

    @property
    def axes(self) -> np.ndarray:
        """`(3, 3)`, rows: right, up and backward (towards the viewer) in the world."""
        sine, cosine = np.sin(self.pitch), np.cos(self.pitch)
        return np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])

    def view(self, points: np.ndarray) -> np.ndarray:
        """World points `(..., 3)` to the camera's own axes: right, up, backward."""
        return (points - self.place) @ self.axes.T

    def project(self, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """World points `(..., 3)` to x, y in pixels and the distance ahead in metres, `(..., 3)`."""
        right, up, back = np.moveaxis(self.view(points), -1, 0)
        ahead = np.maximum(-back, 0.05)
        scale = self.focal * size[0] / ahead
        return np.stack([size[1] / 2 + right * scale, size[0] / 2 - up * scale, -back], axis=-1)


_NAMES = {"RSho": "shoulder_r", "RElb": "elbow_r", "RWri": "wrist_r", "MidHip": "pelvis", "RHip": "hip_r"}
_NAMES |= {"RKnee": "knee_r", "RAnk": "ankle_r", "RBigToe": "big_toe_r", "RSmallToe": "small_toe_r"}
_NAMES |= {name.replace("R", "L", 1): joint[:-1] + "l" for name, joint in _NAMES.items() if joint.endswith("_r")}
_NAMES |= {"neck": "neck"}
FACE = {
    "Nose": ((0.0, -0.06, 0.5), (0.0, 0.0, 1.0)),
    "REye": ((-0.16, 0.06, 0.40), (-0.42, 0.0, 0.9)),
    "LEye": ((0.16, 0.06, 0.40), (0.42, 0.0, 0.9)),
    "REar": ((-0.36, 0.0, -0.02), (-1.0, 0.0, 0.0)),
    "LEar": ((0.36, 0.0, -0.02), (1.0, 0.0, 0.0)),
}
"""Place on the head (in head heights from its middle; x is the person's left) and the way that it looks."""
_HIDDEN_BELOW = {"Nose": -0.12, "REye": -0.1, "LEye": -0.1, "REar": -0.62, "LEar": -0.62}


def find_keypoints(figure: Figure, body: Body, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """EDN-23 key points `(T, 23, 3)` in pixels; missing (0) where out of the picture or hidden.

    Hidden are what lies on the far side of the head, and elbows and wrists behind the torso: pose estimators lose
    those too, but find a far leg.
    """
    head, turn = figure.joints["head"], figure.turns["head"]
    to_camera = camera.place - head
    to_camera /= np.linalg.norm(to_camera, axis=1, keepdims=True)
    keypoints = np.zeros((len(head), len(JOINTS), 3))
    for index, name in enumerate(JOINTS):
        seen = np.ones(len(head), bool)
        if name in FACE:
            place, normal = (np.array(part) for part in FACE[name])
            points = head + turn @ place * body.head
            seen = np.sum(turn @ normal * to_camera, axis=1) > _HIDDEN_BELOW[name]
        else:
            points = figure.joints[_NAMES[name]]
            if name[1:] in ("Elb", "Wri"):
                seen = ~_behind_torso(figure, body, camera, points)
        x, y, ahead = camera.project(points, size).T
        seen &= (ahead > 0.3) & (x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])
        keypoints[seen, index] = np.stack([x, y, np.ones(len(x))], axis=1)[seen]
    return keypoints


def _behind_torso(figure: Figure, body: Body, camera: Camera, points: np.ndarray) -> np.ndarray:
    """Whether points `(T, 3)` are seen through the torso and well behind it, `(T,)`."""
    low, high, point = (camera.view(place) for place in (figure.joints["pelvis"], figure.joints["neck"], points))
    axis, offset = (high - low)[:, :2], (point - low)[:, :2]
    share = np.clip(np.sum(offset * axis, axis=1) / np.maximum(np.sum(axis * axis, axis=1), 1e-6), 0, 1)
    aside = np.linalg.norm(offset - share[:, None] * axis, axis=1)
    behind = low[:, 2] + share * (high - low)[:, 2] - point[:, 2]
    return (aside < 0.16 * body.torso) & (behind > 0.2 * body.torso)
