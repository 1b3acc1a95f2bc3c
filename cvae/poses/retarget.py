"""Fitting the poses of one body to another."""

from dataclasses import dataclass

import numpy as np

from cvae.errors import InputError
from cvae.poses.skeleton import JOINTS, LIMBS

# They move least from pose to pose; arms would pull the shift with them.
_TRUNK = [JOINTS.index(joint) for joint in ("neck", "MidHip", "RSho", "LSho", "RHip", "LHip", "RAnk", "LAnk")]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One scale and one shift for a whole sequence, as Everybody Dance Now does it: no limb changes its proportion."""

    scale: float
    shift: tuple[float, float]
    """In x and y, pixels, after scaling."""

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Moves key points `(..., 23, 3)`; missing joints stay missing."""
        moved = points.copy()
        moved[..., :2] = points[..., :2] * self.scale + self.shift
        return np.where(points[..., 2:] > 0, moved, points)


def fit(driver: np.ndarray, target: np.ndarray) -> Fit:
    """The fit after which the driver's pose lies on the target's.

    The scale is the ratio of the lengths of all limbs that both show, so that raised arms do not change it.

    Args:
        driver: `(23, 3)`, the driver's first pose.
        target: `(23, 3)`, the pose in the first frame, in its pixels.

    Raises:
        InputError: If they have too few joints in common, or one of them has no extent.
    """
    both = (driver[:, 2] > 0) & (target[:, 2] > 0)
    limbs = [(first, second) for first, second in LIMBS if both[first] and both[second]]
    lengths = [sum(np.hypot(*(pose[a, :2] - pose[b, :2])) for a, b in limbs) for pose in (driver, target)]
    if len(limbs) >= 2 and min(lengths) < 1:
        whose = "first pose" if lengths[0] < 1 else "person of the first frame"
        raise InputError(f"The joints of the {whose} all lie in one place; expected a body, or do not fit the poses.")
    if len(limbs) < 2:
        raise InputError(
            f"The first pose and the person of the first frame have only {int(both.sum())} joints in common, too few "
            "to fit one to the other; give a first frame that shows more of the person, or do not fit."
        )
    scale = float(lengths[1] / lengths[0])
    anchors = [joint for joint in _TRUNK if both[joint]] or np.flatnonzero(both).tolist()
    shift = (target[anchors, :2] - driver[anchors, :2] * scale).mean(axis=0)
    return Fit(scale=scale, shift=(float(shift[0]), float(shift[1])))
