"""What a robot's hand does on a command: the one rule that made the data, for whoever steers it later."""

from collections.abc import Sequence

import numpy as np

WORKSPACE = ((-0.22, -0.16, 0.01), (0.22, 0.14, 0.2))
"""Lowest and highest x, y, z of the fingertips in metres: x to the picture's right, y away from the viewer, z up."""
MAX_ACTION = (0.08, 0.08, 0.08, 1.0)
"""Largest command: metres a frame along x, y and z, either way; and the gripper's opening, from 0 (closed)."""


def move(
    position: np.ndarray, action: np.ndarray, workspace: tuple[Sequence[float], Sequence[float]] = WORKSPACE
) -> np.ndarray:
    """Where the hand is one frame later: it goes as commanded and stops where the workspace ends.

    Args:
        position: `(..., 3)`, metres.
        action: `(..., 4)`, a step along x, y and z in metres, and the opening that the gripper has one frame later,
            0 to 1, which moves no hand.
        workspace: Lowest and highest x, y, z that the hand can reach.

    Returns:
        `(..., 3)`, metres.
    """
    low, high = workspace
    return np.clip(position + action[..., :3], low, high)
