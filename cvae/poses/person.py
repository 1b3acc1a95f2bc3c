"""Poses from a video of a person: every frame looked at once, while it is decoded."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits, quoted, width_by_height
from cvae.pictures import resize_frame
from cvae.poses.smoothing import smooth
from cvae.poses.weights import find_weights
from cvae.poses.window import Window, choose_window, window_note
from cvae.progress import Watch
from cvae.reader import WHOLE, ClipReader, Span
from cvae.video import FrameBuffer

if TYPE_CHECKING:
    from cvae.poses.blazepose import PoseTracker


MOST_SIDE = 512
"""Where no size is asked for, pictures are kept with at most this many pixels on their longer side."""

MOST_OBLONG = 8
"""Of a picture of a person, the longer side in shorter sides."""


@dataclass(frozen=True, kw_only=True)
class Person:
    """What a video shows, from the first frame on in which a person is found."""

    frames: np.ndarray
    """uint8 RGB, `(T, H, W, 3)`."""
    points: np.ndarray
    """EDN-23 key points, `(T, 23, 3)`, in pixels of the frames."""
    pieces: np.ndarray
    """`(T,)`: another number wherever the person was lost, and found anew, since the frame before."""
    picture: tuple[int, int]
    """Height and width of the video, pixels."""
    fps: float | None
    """Frames per second; None where the source has no rate."""
    notes: tuple[str, ...]
    """Sentences that the user should see."""
    frame_notes: tuple[str, ...] = ()
    """The same, of interest only where the frames are used and not the key points alone."""


def read_person(
    path: Path | Sequence[Path],
    *,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    span: Span = WHOLE,
    limits: Limits = LIMITS,
    watch: Watch | None = None,
) -> Person:
    """Follow the person of a video.

    Args:
        path: A video, an animation or pictures, as `read_clip` takes them.
        size: Height and width of the frames to return: the part of the picture around the person that has this shape.
            By default the whole picture, with at most 512 pixels on its longer side, fewer where all frames of a long
            video would not fit in memory.
        fps: Frames per second to resample to; by default those of the video, at even distances.
        span: The part of the video to read.
        limits: How large it may be.
        watch: Called after every frame.

    Raises:
        InputError: If the video cannot be read, shows nobody, or the networks that find poses cannot be had.
    """
    tracker: PoseTracker | None = None  # not before it is sure that there is something to look at
    found: list[np.ndarray] = []
    pieces: list[int] = []
    with ClipReader(path, span=span, limits=limits, watch=watch) as reader:
        kept = FrameBuffer(reader.name, None, limits)
        for frame in reader:
            check_shape(quoted(reader.name), frame.shape[:2])
            tracker = tracker or _new_tracker()
            whole = kept_size(frame.shape[:2], size, limits.max_kept_pixels / (reader.promised or 1))
            limits.check_kept_pixels(reader.name, (reader.promised or 0) * whole[0] * whole[1])
            found.append(Window.whole(frame.shape[:2]).move(tracker.find(frame), whole))
            pieces.append(tracker.detections)
            kept.add(resize_frame(frame, whole), reader.frame_name, frame.shape)
    frames, points = kept.array(), np.stack(found)
    shown, rate, notes = reader.pace(fps)
    times = np.arange(len(frames)) / (rate or 1) if reader.times is None else reader.times
    points = smooth(points, times, np.array(pieces))[shown]
    has_person = (points[..., 2] > 0).any(axis=1)
    if not has_person.any():
        raise InputError(
            f"No person was found in the {len(frames)} frames of {quoted(reader.name)}; expected a video of a person "
            "whose body can be seen, or skeletons drawn on white."
        )
    first = int(has_person.argmax())
    if size is None:
        size = (frames.shape[1], frames.shape[2])
        if size != kept_size(frame.shape[:2], None):
            kept_at = width_by_height(size)
            notes = (*notes, f"{quoted(reader.name)} is so long that its frames are kept at {kept_at} pixels.")
    part = quoted(reader.name) + (f" ({span})" if span != WHOLE else "")
    window = choose_window(frames.shape[1:3], size, points)
    return Person(
        frames=_cut(frames, window, shown[first:], size, reader.name, limits),
        points=window.move(points[first:], size),
        pieces=np.array(pieces)[shown[first:]],
        picture=frame.shape[:2],
        fps=rate,
        notes=(*reader.notes, *notes, *_notes(part, has_person)),
        frame_notes=tuple(window_note(quoted(reader.name), window, frames.shape[1:3])),
    )


def _cut(
    frames: np.ndarray, window: Window, shown: np.ndarray, size: tuple[int, int], name: str, limits: Limits
) -> np.ndarray:
    """The window of the frames at these indices; without a copy where all of each frame is shown once."""
    whole = frames.shape[1:3] == size and window == Window.whole(size)
    if whole and np.array_equal(shown, np.arange(len(frames))[-len(shown) :]):
        return frames[-len(shown) :]
    shape, both = (len(shown), *size, 3), frames[..., 0].size + len(shown) * size[0] * size[1]
    if both > limits.max_kept_pixels and (shown >= np.arange(len(shown))).all():
        cut = frames.reshape(-1)[: math.prod(shape)].reshape(shape)  # where frames lie that have been cut
    else:
        limits.check_kept_pixels(name, both)
        cut = np.empty(shape, np.uint8)
    for place, index in enumerate(shown):
        cut[place] = window.cut(frames[index], size)
    return cut


def find_person(picture: np.ndarray) -> np.ndarray:
    """The key points of the person in one picture, `(H, W, 3)`: EDN-23, `(23, 3)`, in its pixels.

    Raises:
        InputError: If it is a strip, nobody is found, or the networks that find poses cannot be had.
    """
    check_shape("The first frame", picture.shape[:2])
    points = _new_tracker().find(picture)
    if not (points[:, 2] > 0).any():
        raise InputError(
            "No person was found in the first frame; give a picture in which the body can be seen, or do not fit the "
            "poses to it."
        )
    return points


def _new_tracker() -> "PoseTracker":
    from cvae.poses.blazepose import PoseTracker  # 0.15 s that only videos of people need

    return PoseTracker(find_weights())


def kept_size(came: tuple[int, int], size: tuple[int, int] | None, most_pixels: float = math.inf) -> tuple[int, int]:
    """The size in which a whole picture is kept.

    Args:
        came: Its height and width.
        size: The largest part of the picture that has the shape of this size gets just this size. None: the longer
            side gets at most 512 pixels.
        most_pixels: What a picture may have where no size is asked for.
    """
    if size:
        scale = max(size[0] / came[0], size[1] / came[1])
    else:
        scale = min(1.0, MOST_SIDE / max(came), math.sqrt(0.95 * most_pixels / (came[0] * came[1])))
    return max(1, round(came[0] * scale)), max(1, round(came[1] * scale))


def check_shape(what: str, size: tuple[int, int]) -> None:
    """Refuse a strip: to take a part of another shape out of it needs memory as of a picture a thousand times as large.

    Raises:
        InputError: If one side of this height and width is more than 8 times the other.
    """
    if max(size) > MOST_OBLONG * min(size):
        raise InputError(
            f"{what} is {width_by_height(size)} pixels; expected pictures of a person, one side at most "
            f"{MOST_OBLONG} times the other."
        )


def _notes(part: str, has_person: np.ndarray) -> Iterator[str]:
    first, total = int(has_person.argmax()), len(has_person)
    if first:
        yield f"The first {first} frames of {part} show no person and are left out."
    if not has_person[first:].all():
        yield f"In {int((~has_person[first:]).sum())} of {total - first} frames of {part} no person was found."
