"""Steering a robot step by step: where it begins, what was commanded since, and what the network is told of it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np

from cvae.actions import ACTION_NUMBERS, read_actions
from cvae.errors import InputError
from cvae.progress import Watch
from cvae.robot_request import ROBOT_FPS, given_of, read_frames
from cvae.steering import move

MOST_STEPS = 100
MOST_GIVEN = 100
"""Given frames: every step begins with them."""

Files = tuple[tuple[Path, ...], tuple[Path, ...]]
"""Of given frames, and of actions."""
Workspace = tuple[Sequence[float], Sequence[float]]
"""Lowest and highest x, y, z of a hand."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Where steering begins."""

    given: np.ndarray
    """uint8 `(P, H, W, 3)`."""
    rows: np.ndarray
    """float32 `(P, 7)`: the action after each of these frames, and where the hand is in it."""
    fps: float
    """Frames per second: those of the given frames, else 5."""
    notes: tuple[str, ...]
    """Sentences that the user should see."""


@dataclass(frozen=True, kw_only=True)
class Trip:
    """How a robot was steered from some files on."""

    files: Files
    actions: tuple[tuple[float, ...], ...] = ()
    """Four numbers a step, in the units of the data."""
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    """The player's word for this video."""

    def step(self, action: tuple[float, ...]) -> Self:
        """One step more.

        Raises:
            InputError: If these are too many.
        """
        if len(self.actions) >= MOST_STEPS:
            raise InputError(f"These are {MOST_STEPS} steps, the most that are possible; undo some, or start over.")
        return replace(self, actions=(*self.actions, action))

    def undo(self) -> Self:
        """One step less.

        Raises:
            InputError: If there is none.
        """
        if not self.actions:
            raise InputError("There is no step to undo.")
        return replace(self, actions=self.actions[:-1])

    def restart(self) -> Self:
        """No step at all."""
        return replace(self, actions=())


def read_start(files: Files, *, size: tuple[int, int], past_frames: int, watch: Watch | None = None) -> Start:
    """Read where steering begins; of the actions, only the rows of the given frames are looked at.

    Args:
        files: Of the user. Chosen frames are all given; of a whole trajectory, which brings its own, the first few.
        size: Height and width that the network works at.
        past_frames: How many frames the network needs.
        watch: Called after every frame that is read.

    Raises:
        InputError: If a file cannot be read, or frames or rows are missing.
    """
    frames, actions = files
    if not actions:
        raise InputError(
            "Steering begins where the hand is in the given frames: give their rows of actions and positions under 2, "
            "or click an example."
        )
    came = read_actions(actions, size=size, watch=watch)
    clip = read_frames(frames or None, came, size=size, past_frames=past_frames, watch=watch)
    given = given_of(clip.frames, None if frames else len(came.rows), past_frames)
    if len(given) > MOST_GIVEN:
        raise InputError(f"There are {len(given)} given frames; steering begins with at most {MOST_GIVEN}.")
    if len(came.rows) < len(given):
        raise InputError(
            f"There are {len(given)} given frames and {len(came.rows)} rows of actions; steering needs a row for each "
            "of these frames, since it says where the hand is."
        )
    # Copied, since a view would keep the whole video in memory.
    given, rows = given.copy(), came.rows[: len(given)].copy()
    return Start(given=given, rows=rows, fps=clip.fps or ROBOT_FPS, notes=(*came.notes, *clip.notes))


def steered_rows(start: np.ndarray, actions: Sequence[Sequence[float]], workspace: Workspace) -> np.ndarray:
    """Actions and positions of all frames, as if they had been read.

    Args:
        start: `(P, 7)`, of the given frames; the last of these actions has not been taken.
        actions: The N steps, each `(4,)`.
        workspace: Where the hand stops.

    Returns:
        float32 `(P + N, 7)`; the last action is the last one before, and not taken.
    """
    rows = list(start)
    for action in actions:
        rows[-1] = np.concatenate([action, rows[-1][ACTION_NUMBERS:]])
        rows.append(np.concatenate([action, move(rows[-1][ACTION_NUMBERS:], np.asarray(action), workspace)]))
    return np.stack(rows).astype(np.float32)
