"""Inverse kinematics: how the arm stands so that its hand is where it should be."""

from dataclasses import dataclass

import numpy as np

SHOULDER = np.array([0.0, 0.33, 0.15])
"""Metres; the base stands below it."""
WRIST_ABOVE_TIPS = 0.13
"""Metres from the fingertips up to the wrist: the hand hangs straight down."""
_UPPER, _FORE = 0.28, 0.31  # metres


@dataclass(frozen=True)
class Arm:
    """Joints at one moment, `(3,)` each, metres."""

    elbow: np.ndarray
    wrist: np.ndarray


def reach(position: np.ndarray) -> Arm:
    """The arm, elbow up, for fingertips at a position `(3,)`.

    Source: the law of cosines in the upright plane through shoulder and wrist.
    """
    wrist = position + np.array([0, 0, WRIST_ABOVE_TIPS])
    span = wrist - SHOULDER
    distance = min(float(np.linalg.norm(span)), 0.999 * (_UPPER + _FORE))
    toward = span / np.linalg.norm(span)
    sideways = np.array([toward[1], -toward[0], 0]) / np.hypot(toward[0], toward[1])
    upward = np.cross(sideways, toward)
    along = (_UPPER**2 - _FORE**2 + distance**2) / (2 * distance)
    above = np.sqrt(max(_UPPER**2 - along**2, 0.0))
    return Arm(SHOULDER + along * toward + above * upward, wrist)
