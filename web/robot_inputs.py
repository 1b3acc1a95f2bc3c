"""What a user gives of a robot: its first frames and its actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvae.checkpoint import Checkpoint
from cvae.errors import InputError
from cvae.progress import Watch
from cvae.request import Request
from cvae.robot_request import read_robot_request
from web.session import Session
from web.steering import Files


@dataclass(frozen=True, kw_only=True)
class RobotInputs:
    """Nothing is checked yet."""

    frames: Sequence[Path]
    actions: Sequence[Path]
    truth: Sequence[Path] = ()
    sample: Any = "mean"
    seed: Any = 0
    fps: Any = 0

    @property
    def files(self) -> Files:
        """What steering begins with."""
        return tuple(self.frames), tuple(self.actions)

    def read(self, checkpoint: Checkpoint, session: Session, watch: Watch) -> Request:
        """Read the files; see `Inputs`."""
        if not self.actions:
            raise InputError("There are no actions: upload a table (CSV) or a zip of a trajectory under 2.")
        return read_robot_request(
            list(self.frames) or None,
            list(self.actions),
            list(self.truth) or None,
            size=checkpoint.config.data.size,
            past_frames=checkpoint.config.model.past_frames,
            fps=self.fps or None,
            watch=watch,
        )
