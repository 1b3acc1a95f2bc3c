"""Recordings: consecutive frames and what a network is told of each, as arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from training.data.cache import AT_ONCE, Size, file_of, mapped

Split = Literal["train", "val", "test"]


@dataclass(frozen=True)
class Recordings:
    """Consecutive frames with their conditions, which are pictures of poses or numbers.

    Pickled, arrays that are mapped from NumPy files are as small as their names, and mapped again where they arrive.

    Attributes:
        frames: uint8 `(N, H, W, 3)`, all recordings one after the other, mapped from disk.
        conditions: Pictures of the same shape, or float32 `(N, D)`; those of a frame say what leads to it.
        spans: First and one past the last index of each recording.
        ink: How far each pose is from white, `(N,)`, the mean of its values from 0 to 255; None where nobody measured.
    """

    frames: NDArray[np.uint8]
    conditions: NDArray[Any]
    spans: list[tuple[int, int]]
    ink: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.frames.shape[1], self.frames.shape[2]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (file_of(self.frames), file_of(self.conditions), self.spans, self.ink)


def _reopen(frames: Any, conditions: Any, spans: list[tuple[int, int]], ink: NDArray[np.float32] | None) -> Recordings:
    frames, conditions = (mapped(came) if isinstance(came, Path) else came for came in (frames, conditions))
    return Recordings(frames, conditions, spans, ink)


def measure_ink(poses: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each pose is from white, `(N,)`, the mean of its values from 0 to 255; read in pieces."""
    came, ink = file_of(poses), np.empty(len(poses), np.float32)
    for i in range(0, len(poses), AT_ONCE):
        # Mapped anew, so that what was read may go.
        piece = (np.load(came, mmap_mode="r") if isinstance(came, Path) else came)[i : i + AT_ONCE]
        ink[i : i + len(piece)] = 255 - piece.reshape(len(piece), -1).mean(1, dtype=np.float32)
    return ink
