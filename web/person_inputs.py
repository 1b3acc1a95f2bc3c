"""What a user gives of a person: a first frame and poses."""

import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cvae.checkpoint import Checkpoint
from cvae.errors import InputError
from cvae.pictures import read_picture
from cvae.progress import Watch
from cvae.request import Request, make_request
from web.session import Session


@dataclass(frozen=True, kw_only=True)
class PersonInputs:
    """Nothing is checked yet."""

    first_frame: Path | None
    poses: Sequence[Path]
    truth: Sequence[Path] = ()
    sample: Any = "mean"
    seed: Any = 0
    fps: Any = 0
    retarget: Any = True
    """Whether poses of another person are fitted to the one in the first frame."""

    def read(self, checkpoint: Checkpoint, session: Session, watch: Watch) -> Request:
        """Read the files; see `Inputs`."""
        if not self.poses:
            raise InputError("There are no poses: upload skeletons, key points or a video of a person under 2.")
        if not isinstance(self.retarget, bool):
            raise InputError(f"retarget is true or false; got {reprlib.repr(self.retarget)}.")
        network, size = checkpoint.config.model, checkpoint.config.data.size
        return make_request(
            read_picture(self.first_frame) if self.first_frame else None,
            session.read(self.poses, size, watch),
            list(self.truth) or None,
            size=size,
            as_numbers=network.condition == "keypoints",
            past_frames=network.past_frames,
            fps=self.fps or None,
            retarget=None if self.retarget else False,
            watch=watch,
        )
