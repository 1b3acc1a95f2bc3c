"""The robot's hand: where it is, how far it is open, where its two fingers stand."""

from dataclasses import dataclass

import numpy as np

from cvae.steering import WORKSPACE, move

FINGER_RADIUS = 0.012
"""Metres."""
_CLOSED, _OPEN = 0.013, 0.042  # metres from the middle of the hand to that of a finger
DIGITS = 4
"""Of metres and openings, in files; nothing that happens has more."""


@dataclass(frozen=True)
class Hand:
    """A hand at one moment.

    Attributes:
        position: `(3,)`, the middle between the fingertips, metres.
        opening: 0 (closed) to 1.
    """

    position: np.ndarray
    opening: float

    @property
    def fingers(self) -> np.ndarray:
        """`(2, 2)`: x and y of the left and the right finger."""
        aside = _CLOSED + (_OPEN - _CLOSED) * self.opening
        return self.position[:2] + np.array([[-aside, 0.0], [aside, 0.0]])

    def after(self, action: np.ndarray) -> "Hand":
        """The hand one frame later."""
        return Hand(rounded(move(self.position, action)), float(action[3]))


def rounded(numbers: np.ndarray) -> np.ndarray:
    """Numbers with as many digits as are written to files."""
    return np.round(numbers, DIGITS) + 0.0  # no -0.0


def sample_hand(generator: np.random.Generator) -> Hand:
    """A hand anywhere above the table, clear of what stands on it."""
    low, high = np.array(WORKSPACE)
    low[2] = 0.07
    return Hand(rounded(generator.uniform(low, high)), float(rounded(generator.uniform(size=1))[0]))
