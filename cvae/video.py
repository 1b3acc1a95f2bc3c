"""Clips: frames at an even rate, read from whatever a user has and kept in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits, quoted, width_by_height
from cvae.pictures import resize_frame, resize_note
from cvae.progress import Watch
from cvae.reader import ClipReader
from cvae.stills import Stills


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Frames in the order of time."""

    frames: np.ndarray
    """uint8 RGB, `(T, H, W, 3)`, at least one frame."""
    fps: float | None
    """Frames per second; None where the source has no rate."""
    notes: tuple[str, ...] = ()
    """Sentences that the user should see: what was left out, resized or missing."""


def read_clip(
    path: Path | Sequence[Path] | Stills,
    *,
    size: tuple[int, int] | None = None,
    limits: Limits = LIMITS,
    watch: Watch | None = None,
) -> Clip:
    """Reads frames from a file, a folder of pictures, or several picture files, at an even rate.

    What a file holds is told by its content, not by its name. Pictures are put in the natural order of their
    names (2 before 10). Of a .npz the array called poses, pose, frames or gt is taken, in this order.

    Args:
        path: One path, or several, each a still picture; or stills that were found already.
        size: `(H, W)` that every frame is resized to while reading, so that memory stays small.
        limits: How large it may be.
        watch: Called whenever a frame has been read.

    Raises:
        InputError: If it is missing, of another kind, too large or damaged, or has frames of different sizes
            while `size` is None.
    """
    with ClipReader(path, limits=limits, watch=watch) as reader:
        frames = FrameBuffer(reader.name, size, limits)
        for frame in reader:
            frames.add(frame, reader.frame_name)
    index, fps, pace_notes = reader.pace()
    array = frames.array()
    if not np.array_equal(index, np.arange(len(array))):
        limits.check_kept_pixels(reader.name, (len(array) + len(index)) * array[0, :, :, 0].size)
        array = array[index]
    return Clip(frames=array, fps=fps, notes=(*reader.notes, *pace_notes, *frames.notes()))


class FrameBuffer:
    """Frames as they come in: resized, and kept in one growing buffer."""

    def __init__(self, name: str, size: tuple[int, int] | None = None, limits: Limits = LIMITS) -> None:
        """Empty at first.

        Args:
            name: Of what the frames come from, for messages.
            size: `(H, W)` that every frame is resized to; None where all must have the same.
            limits: Of the memory for all of them.
        """
        self.name = name
        self.size = size
        self.limits = limits
        self.count = 0
        self._came: dict[tuple[int, int], str] = {}
        """Each size that came, with what a message says of the first frame that had it."""
        self._buffer = bytearray()

    def add(self, frame: np.ndarray, name: str = "", stored: tuple[int, ...] | None = None) -> None:
        """Keeps a frame, uint8 RGB, `(H, W, 3)`.

        Args:
            frame: The frame.
            name: Its own, for messages.
            stored: Height and width that it had in its file, for messages.

        Raises:
            InputError: If it is one too many, or differs in size while no size was given.
        """
        self.count += 1
        title = f"{quoted(name or f'frame {self.count}')} is {width_by_height(stored or frame.shape)}"
        self._came.setdefault((frame.shape[0], frame.shape[1]), title)
        if self.size is not None:
            frame = resize_frame(frame, self.size)
        elif len(self._came) > 1:
            both = " and ".join(self._came.values())
            raise InputError(f"The frames of {quoted(self.name)} differ in size: {both} (width x height).")
        self.limits.check_kept_pixels(self.name, self.count * frame.shape[0] * frame.shape[1])
        self._buffer += np.ascontiguousarray(frame).data.cast("B")

    def array(self) -> np.ndarray:
        """All frames, `(T, H, W, 3)`, at least one; no copy, so that no more can be added."""
        assert self.count > 0
        height, width = self.size or next(iter(self._came))
        return np.frombuffer(self._buffer, np.uint8).reshape(self.count, height, width, 3)

    def notes(self) -> Iterator[str]:
        """Whether frames were resized, as a sentence."""
        if self.size is None or list(self._came) == [self.size]:
            return
        various = ", which are of several sizes," if len(self._came) > 1 else ""
        yield resize_note(f"The frames of {quoted(self.name)}{various} are", next(iter(self._came)), self.size)
