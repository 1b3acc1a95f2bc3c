"""Clips, read from whatever a user has: pictures, animations, videos, arrays."""

import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO

import numpy as np

from cvae import archives
from cvae.decode import EVEN_RATE, decode, read_header
from cvae.errors import InputError
from cvae.inputs import (
    CLIP_FORMATS,
    HEAD_BYTES,
    LIMITS,
    PICTURE_FORMATS,
    Limits,
    open_file,
    quoted,
    read_head,
    recognise,
    width_by_height,
)
from cvae.pictures import decode_still, is_animated, open_picture, resize_frame, to_rgb


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Frames in the order of time."""

    frames: np.ndarray
    """uint8 RGB, `(T, H, W, 3)`, at least one frame."""
    fps: float | None
    """Frames per second; None where the source has no rate."""
    notes: tuple[str, ...] = ()
    """Sentences that the user should see: what was left out, resized or missing."""


def read_clip(path: Path | Sequence[Path], *, size: tuple[int, int] | None = None, limits: Limits = LIMITS) -> Clip:
    """Reads frames from a file, a folder of pictures, or several picture files.

    What a file holds is told by its content, not by its name. Pictures are put in the natural order of their
    names (2 before 10). Of a .npz the array called poses, pose, frames or gt is taken, in this order.

    Args:
        path: One path, or several, each a still picture.
        size: `(H, W)` that every frame is resized to while reading, so that memory stays small.
        limits: How large it may be.

    Raises:
        InputError: If it is missing, of another kind, too large or damaged, or has frames of different sizes
            while `size` is None.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    if not paths:
        raise InputError(f"No file came; expected {CLIP_FORMATS}.")
    if len(paths) > 1:
        return _read_files(paths, _Frames(f"{paths[0].name} and {len(paths) - 1} more", size, limits))
    frames = _Frames(paths[0].name, size, limits)
    return _read_folder(paths[0], frames) if _is_folder(paths[0]) else _read_file(paths[0], frames)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a name too long; opening the file will tell
        return False


@dataclass
class _Frames:
    """Frames as they come in: measured, resized, and kept in one growing buffer."""

    name: str
    size: tuple[int, int] | None
    limits: Limits
    came: dict[tuple[int, int], str] = field(default_factory=dict)
    """Each size that came, with the name of the first frame that had it."""
    count: int = 0
    total_pixels: int = 0
    buffer: bytearray = field(default_factory=bytearray)

    def add(self, frame: np.ndarray, name: str) -> None:
        self.count += 1
        self.total_pixels += frame.shape[0] * frame.shape[1]
        self.limits.check_frames(self.name, self.count)
        self.limits.check_total_pixels(self.name, self.total_pixels)
        self.came.setdefault((frame.shape[0], frame.shape[1]), name)
        if self.size is not None:
            frame = resize_frame(frame, self.size)
        elif len(self.came) > 1:
            (first, first_name), (second, second_name) = list(self.came.items())[:2]
            raise InputError(
                f"The frames of {quoted(self.name)} differ in size: {quoted(first_name)} is {width_by_height(first)} "
                f"and {quoted(second_name)} is {width_by_height(second)} (width x height)."
            )
        self.limits.check_kept_pixels(self.name, self.count * frame.shape[0] * frame.shape[1])
        self.buffer += np.ascontiguousarray(frame).data.cast("B")

    def clip(self, *, fps: float | None = None, notes: Sequence[str] = ()) -> Clip:
        assert self.count > 0
        height, width = self.size or next(iter(self.came))
        frames = np.frombuffer(self.buffer, np.uint8).reshape(self.count, height, width, 3)
        return Clip(frames=frames, fps=fps, notes=(*notes, *self._resize_notes()))

    def _resize_notes(self) -> Iterator[str]:
        if self.size is None or list(self.came) == [self.size]:
            return
        first = next(iter(self.came))
        more = " and other sizes" if len(self.came) > 1 else ""
        stretch = (self.size[0] * first[1]) / (self.size[1] * first[0])
        shape = ", which changes their proportions" if abs(math.log(stretch)) > 0.05 else ""
        yield (
            f"The frames of {quoted(self.name)} are resized from {width_by_height(first)}{more} "
            f"to {width_by_height(self.size)} (width x height){shape}."
        )


def _read_file(path: Path, frames: _Frames) -> Clip:
    came = recognise(read_head(path, frames.limits))
    if came.kind == "picture":
        return _read_animation(path, frames)
    if came.kind == "video":
        return _read_video(path, came.container, frames)
    if came.kind == "zip":
        return _read_zip(path, frames)
    if came.kind == "array":
        with open_file(path) as file:
            return _from_array(archives.read_array(file, path.name, frames.limits), frames)
    raise InputError(f"{quoted(path.name)} is {came.title}; expected {CLIP_FORMATS}.")


# Still pictures: files, folders, zips


def _read_files(paths: Sequence[Path], frames: _Frames) -> Clip:
    frames.limits.check_entries(frames.name, len(paths))
    for path in paths:
        came = recognise(read_head(path, frames.limits))
        if came.kind != "picture":
            raise InputError(
                f"{quoted(path.name)} is {came.title}; expected several pictures ({PICTURE_FORMATS}), "
                "or one file alone."
            )
    return _read_stills([(path.name, _opener(path)) for path in paths], frames, others=[])


def _read_folder(path: Path, frames: _Frames) -> Clip:
    stills, others = [], []
    for file in _visible_files(path, frames.limits):
        with open_file(file) as opened:
            kind = recognise(opened.read(HEAD_BYTES)).kind
        if kind == "picture":
            frames.limits.check_bytes(file.name, file.stat().st_size)
            stills.append((file.name, _opener(file)))
        else:
            others.append(file.name)
    return _read_stills(stills, frames, others)


def _visible_files(folder: Path, limits: Limits) -> list[Path]:
    try:
        files = [file for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()]
    except OSError as error:
        raise InputError(f"The folder {quoted(folder.name)} cannot be opened: {error.strerror}.") from error
    limits.check_entries(folder.name, len(files))
    return files


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: open_file(path)


def _read_zip(path: Path, frames: _Frames) -> Clip:
    with archives.open_zip(path, frames.limits) as archive:
        if archives.is_array_zip(archive):
            return _from_array(archives.read_array_zip(archive, path.name, frames.limits), frames)
        stills, others, folders = [], [], set()
        for info in archives.files_in(archive):
            kind = recognise(archives.read_head_of(archive, info)).kind
            if kind == "zip":
                raise InputError(f"{quoted(path.name)} holds another zip; expected the pictures themselves.")
            inside = PurePosixPath(info.filename)
            if kind == "picture":
                stills.append((inside.name, archives.opener(archive, info, frames.limits)))
                folders.add(inside.parent.as_posix())
            else:
                others.append(inside.name)
        if len(folders) > 1:
            named = " and ".join(quoted(folder) for folder in sorted(folders)[:2])
            raise InputError(
                f"{quoted(path.name)} has pictures in {len(folders)} folders ({named}); expected one clip "
                "in one folder."
            )
        return _read_stills(stills, frames, others)


def _read_stills(stills: Sequence[tuple[str, Callable[[], IO[bytes]]]], frames: _Frames, others: Sequence[str]) -> Clip:
    if not stills:
        holds = f"no pictures but {_some(others)}" if others else "no files"
        raise InputError(f"{quoted(frames.name)} holds {holds}; expected pictures ({PICTURE_FORMATS}).")
    frames.limits.check_frames(frames.name, len(stills))
    for name, open_still in sorted(stills, key=lambda still: natural_order(still[0])):
        with open_still() as file:
            frames.add(decode_still(file, name, frames.limits), name)
    notes = [f"Left out of {quoted(frames.name)}, being no pictures: {_some(others)}."] if others else []
    return frames.clip(notes=notes)


def _some(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in sorted(names)[:3]) + (", ..." if len(names) > 3 else "")


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sorting key in which numbers count as numbers: 1, 2, 10."""
    # By length, then digits: int() refuses the thousands of digits that a zip may put in a name.
    parts = re.split(r"([0-9]+)", name)
    return [
        (0, len(part.lstrip("0")), part.lstrip("0")) if index % 2 else (1, 0, part.casefold())
        for index, part in enumerate(parts)
    ] + [(2, 0, name)]


# Animations, videos, arrays


def _read_animation(path: Path, frames: _Frames) -> Clip:
    durations: list[float] = []
    damaged = False
    with open_file(path) as file, open_picture(file, path.name, frames.limits) as image:
        if not is_animated(image):
            frames.add(to_rgb(image), path.name)
            return frames.clip()
        first = 1 if getattr(image, "default_image", False) else 0  # an APNG may begin with a cover
        promised = None if image.format == "GIF" else getattr(image, "n_frames", 1) - first
        try:
            for index in count(first):
                image.seek(index)
                frames.add(to_rgb(image), f"frame {frames.count + 1}")
                durations.append(image.info.get("duration", 0))
        except EOFError:
            pass
        except (InputError, AssertionError):
            raise
        except Exception:
            damaged = True
    if not frames.count:
        raise InputError(f"No frame of {quoted(path.name)} could be read; it is damaged.")
    damaged = damaged or promised not in (None, frames.count)
    notes = [_cut_short(path.name, frames.count, promised)] if damaged else []
    return _at_even_pace(frames.clip(notes=notes), durations, path.name, frames.limits)


def _at_even_pace(clip: Clip, durations: Sequence[float], name: str, limits: Limits) -> Clip:
    """Gives the clip its rate; a frame that lasts 2, 3, ... times the shortest becomes as many frames.

    So do programs store equal neighbours, Pillow among them, and each later frame would come too early.
    """
    shown = [duration if duration > 10 else 100 for duration in durations]  # as browsers do
    repeats = [duration / min(shown) for duration in shown]
    if len(set(shown)) == 1 or any(repeat % 1 for repeat in repeats):
        return replace(clip, fps=1000 * len(shown) / sum(shown))
    total = round(sum(repeats))
    limits.check_frames(name, total)
    limits.check_kept_pixels(name, total * clip.frames[0, :, :, 0].size)
    frames = np.repeat(clip.frames, np.array(repeats, int), axis=0)
    note = f"{len(shown)} frames of {quoted(name)} became {total}: those that last longer are repeated."
    return replace(clip, frames=frames, fps=1000 / min(shown), notes=(*clip.notes, note))


def _cut_short(name: str, read: int, promised: int | None) -> str:
    of = f" of {promised}" if promised else ""
    return f"{read}{of} frames of {quoted(name)} could be read; the file is damaged or cut short."


def _read_video(path: Path, container: str, frames: _Frames) -> Clip:
    header = read_header(path, frames.limits)
    with TemporaryFile() as complaints, closing(decode(path, container, header, frames.limits, complaints)) as decoded:
        for frame in decoded:
            frames.add(frame, f"frame {frames.count + 1}")
        complained = os.fstat(complaints.fileno()).st_size > 0
    if not frames.count:
        raise InputError(f"No frame of {quoted(path.name)} could be read; it is damaged or of an unusual codec.")
    notes = []
    # The promise alone proves nothing: a trimmed video or a longer sound promise more. Of a cut AVI none complains.
    if frames.count < header.promised and (complained or container == "avi"):
        notes.append(_cut_short(path.name, frames.count, header.promised))
    if header.fps is None:
        notes.append(f"The frames of {quoted(path.name)} come at no even rate; {EVEN_RATE} a second were taken.")
    return frames.clip(fps=header.fps or EVEN_RATE, notes=notes)


def _from_array(array: np.ndarray, frames: _Frames) -> Clip:
    for index, frame in enumerate(array):
        frames.add(frame, f"frame {index + 1}")
    return frames.clip()
