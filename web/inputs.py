"""What users give on either tab, and what is the same for both: how to sample, and how fast to play."""

import reprlib
from typing import Any, Protocol, get_args

from cvae.checkpoint import Checkpoint
from cvae.errors import InputError
from cvae.gaussian import Sampling
from cvae.progress import Watch
from cvae.request import Request
from web.session import Session


class Inputs(Protocol):
    """What a user gave, nothing checked yet."""

    @property
    def sample(self) -> Any: ...
    @property
    def seed(self) -> Any: ...
    @property
    def fps(self) -> Any: ...

    def read(self, checkpoint: Checkpoint, session: Session, watch: Watch) -> Request:
        """Read the files; sample, seed and rate are known to be right.

        Raises:
            InputError: If a file cannot be used.
        """
        ...


def check_options(inputs: Inputs) -> None:
    """Check what is no file.

    Raises:
        InputError: If it is not what was asked for.
    """
    if inputs.sample not in get_args(Sampling):
        raise InputError(f"sample is one of {', '.join(get_args(Sampling))}; got {reprlib.repr(inputs.sample)}.")
    if not isinstance(inputs.seed, int) or not is_number(inputs.seed, 0, 2**32 - 1):
        raise InputError(f"The seed is a whole number from 0 to {2**32 - 1}; got {reprlib.repr(inputs.seed)}.")
    if not is_number(inputs.fps, 1, 60) and not is_number(inputs.fps, 0, 0):
        raise InputError(f"The frame rate is 1 to 60 frames a second, or 0; got {reprlib.repr(inputs.fps)}.")


def is_number(value: Any, low: float, high: float) -> bool:
    """Whether it is a number in these bounds, and not merely something like one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
