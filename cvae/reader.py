"""The frames of a clip one at a time, from whatever a user has: pictures, animations, videos, arrays."""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from cvae import archives
from cvae.decode import VideoHeader, decode, read_header
from cvae.errors import InputError
from cvae.inputs import CLIP_FORMATS, LIMITS, Limits, open_file, quoted, read_head, recognise
from cvae.pace import ticks_of_each, usual_rate
from cvae.pictures import decode_still, is_animated, open_picture, to_rgb
from cvae.progress import Watch
from cvae.stills import Stills, is_folder, stills_of_files, stills_of_folder, stills_of_zip


@dataclass(frozen=True, kw_only=True)
class Span:
    """A part of a video or an animation."""

    start: float = 0.0
    """Seconds of the source's own time."""
    end: float | None = None
    """None is the end of the source."""

    def __post_init__(self) -> None:
        if not (0 <= self.start < math.inf) or not (self.end is None or self.start < self.end < math.inf):
            raise InputError(
                f"A part from {self.start:g} to {_seconds(self.end)} came; expected a start of 0 seconds or more and "
                "an end after it."
            )

    def __str__(self) -> str:
        return f"from {self.start:g} to {_seconds(self.end)}"


def _seconds(end: float | None) -> str:
    return "the end" if end is None else f"{end:g} seconds"


WHOLE = Span()


class ClipReader:
    """Frames of a clip, one at a time, as they are decoded: nothing of them is kept.

    What a file holds is told by its content, as in `read_clip`. It is a context, since a process may run behind it:

        with ClipReader(path) as reader:
            for frame in reader:  # uint8 RGB, (H, W, 3); sizes may differ among stills
                ...
        index, fps, notes = reader.pace()
    """

    name: str
    """What came, for messages and progress bars."""
    promised: int | None = None
    """How many frames to expect, once iteration began: a guess."""
    frame_name: str = ""
    """Of the frame that came last."""
    count: int = 0
    """Frames that came so far."""
    notes: tuple[str, ...] = ()
    """After the last frame: what was left out or missing."""
    times: np.ndarray | None = None
    """After the last frame: `(N,)`, the seconds at which each is shown; None for stills and arrays."""

    def __init__(
        self,
        path: Path | Sequence[Path] | Stills,
        *,
        span: Span = WHOLE,
        limits: Limits = LIMITS,
        watch: Watch | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            path: One path, or several, each a still picture; or stills that were found already.
            span: Which part of a video or an animation.
            limits: Of bytes, frames, pixels, and seconds between the first frame and the last, whatever is done
                with the frames included.
            watch: Called whenever a frame has been dealt with.

        Raises:
            InputError: Here only for no path at all; while iterating, if what came is missing, of another kind, too
                large or damaged.
        """
        self._source: Stills | list[Path]
        if isinstance(path, Stills):
            self._source, self.name = path, path.name
        else:
            self._source = [path] if isinstance(path, Path) else list(path)
            self.name = _name_of(self._source)
        self.span = span
        self.limits = limits
        self._watch = watch
        self._began = 0.0
        """When the first frame was asked for."""
        self._end = 0.0
        """When the last frame is no longer shown."""
        self._claimed: float | None = None
        """Rate that a video claims."""
        self._frames: Generator[np.ndarray, None, None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._frames is not None:
            self._frames.close()

    def __iter__(self) -> Iterator[np.ndarray]:
        assert self._frames is None, "a ClipReader is read once"
        self._frames = self._bounded()
        return self._frames

    def _bounded(self) -> Generator[np.ndarray, None, None]:
        self._began = time.monotonic()
        pixels = 0
        with closing(self._opened()) as frames:
            for frame in frames:
                self.count += 1
                pixels += frame.shape[0] * frame.shape[1]
                self.limits.check_frames(self.name, self.count)
                self.limits.check_total_pixels(self.name, pixels)
                self._check_seconds()
                yield frame
                if self._watch:
                    self._watch(self.count, self.promised)

    def _check_seconds(self) -> None:
        self.limits.check_seconds(self.name, time.monotonic() - self._began)

    def pace(self, fps: float | None = None) -> tuple[np.ndarray, float | None, tuple[str, ...]]:
        """How to show the frames at an even rate, after the last of them came.

        Args:
            fps: The rate to show them at. None is the source's own: the frames themselves where they come evenly,
                else one near to the usual distance of frames, by their time stamps.

        Returns:
            The index of the frame to show at each tick, `(T,)`; the rate, None for stills and arrays that were
            asked for none; notes.

        Raises:
            InputError: If these are more frames than the limit, since one of them stands for long.
        """
        if self.times is None:
            return np.arange(self.count), fps, ()
        shown = np.append(self.times, self._end)
        rate = fps or usual_rate(shown, self._claimed)
        ticks = ticks_of_each(shown, rate)
        total = int(ticks.sum())
        self.limits.check_frames(self.name, total)
        index = np.repeat(np.arange(self.count), ticks)
        if fps or (ticks == 1).all():
            return index, rate, ()
        if (ticks >= 1).all():
            note = f"{self.count} frames of {quoted(self.name)} became {total}: those that last longer are repeated."
        else:
            note = (
                f"The frames of {quoted(self.name)} come at no even rate; {rate:.4g} a second are taken by their "
                "time stamps."
            )
        return index, rate, (note,)

    def _opened(self) -> Generator[np.ndarray, None, None]:
        if isinstance(self._source, Stills):
            return self._of_stills(self._source)
        if len(self._source) > 1:
            return self._of_stills(stills_of_files(self._source, self.name, self.limits))
        (path,) = self._source
        if is_folder(path):
            return self._of_stills(stills_of_folder(path, self.limits))
        came = recognise(read_head(path, self.limits))
        if came.kind == "picture":
            return self._of_picture(path)
        if came.kind == "video":
            return self._of_video(path, came.container)
        if came.kind == "zip":
            return self._of_zip(path)
        if came.kind == "array":
            return self._of_array_file(path)
        raise InputError(f"{quoted(path.name)} is {came.title}; expected {CLIP_FORMATS}.")

    def _refuse_span(self) -> None:
        if self.span != WHOLE:
            raise InputError(
                f"{quoted(self.name)} has no times, so that the part {self.span} cannot be told; expected a video or "
                "an animation."
            )

    def _of_stills(self, stills: Stills) -> Generator[np.ndarray, None, None]:
        self._refuse_span()
        self.notes = stills.notes
        self.promised = len(stills.pictures)
        self.limits.check_frames(self.name, self.promised)
        for still in stills.pictures:
            self.frame_name = still.name
            with still.open() as file:
                yield decode_still(file, still.name, self.limits)

    def _of_zip(self, path: Path) -> Generator[np.ndarray, None, None]:
        with archives.open_zip(path, self.limits) as archive:
            if archives.is_array_zip(archive):
                yield from self._of_array(archives.frames_in_array_zip(archive, path.name, self.limits))
            else:
                yield from self._of_stills(stills_of_zip(archive, path.name, self.limits))

    def _of_array_file(self, path: Path) -> Generator[np.ndarray, None, None]:
        with open_file(path) as file:
            yield from self._of_array(archives.frames_in_array(file, path.name, self.limits))

    def _of_array(self, frames: Iterator[np.ndarray]) -> Generator[np.ndarray, None, None]:
        self._refuse_span()
        for index, frame in enumerate(frames):
            self.frame_name = f"frame {index + 1}"
            yield frame

    def _of_picture(self, path: Path) -> Generator[np.ndarray, None, None]:
        with open_file(path) as file, open_picture(file, path.name, self.limits) as image:
            if is_animated(image):
                self.limits.check_video_frame(path.name, *image.size)
                yield from self._of_animation(image)
            else:
                self._refuse_span()
                self.promised, self.frame_name = 1, path.name
                yield to_rgb(image)

    def _of_animation(self, image: Image.Image) -> Generator[np.ndarray, None, None]:
        first = 1 if getattr(image, "default_image", False) else 0  # an APNG may begin with a cover
        stored = None if image.format == "GIF" else getattr(image, "n_frames", 1) - first  # a GIF does not say
        if self.span == WHOLE:
            self.promised = stored
        times: list[float] = []
        seen, now, damaged = 0, 0.0, False
        end = math.inf if self.span.end is None else self.span.end
        try:
            for index in count(first):
                image.seek(index)
                frame = to_rgb(image)
                duration = image.info.get("duration", 0)
                seen += 1
                begin, now = now, now + (duration if duration > 10 else 100) / 1000  # as browsers do
                if now > self.span.start:
                    times.append(max(begin, self.span.start))
                    self._end = min(now, end)
                    self.frame_name = f"frame {seen}"
                    yield frame
                if now >= end:
                    break
        except EOFError:
            damaged = stored is not None and seen < stored
        except (InputError, AssertionError):
            raise
        except Exception:  # Pillow raises nearly anything on a damaged file
            damaged = True
        if not seen:
            raise InputError(f"No frame of {quoted(self.name)} could be read; it is damaged.")
        if not times:
            raise self._nothing_in_span(now)
        self.times = np.array(times)
        if damaged:
            self.notes = (_cut_short(self.name, seen, stored),)

    def _of_video(self, path: Path, container: str) -> Generator[np.ndarray, None, None]:
        header = read_header(path, container, self.limits)
        whole = self.span == WHOLE
        if whole:
            self.limits.check_frames(path.name, header.promised)
        self.promised = self._share_of(header)
        report = yield from decode(path, container, header, self.limits, start=self.span.start, end=self.span.end)
        self._check_seconds()  # else it ended because its time was up
        if not self.count and header.seconds <= self.span.start > 0:
            raise self._nothing_in_span(header.seconds)
        if not self.count:
            raise InputError(f"No frame of {quoted(path.name)} could be read; it is damaged or of an unusual codec.")
        self._claimed = header.fps
        self.times = report.times[: self.count]
        steps = np.diff(self.times)
        step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1 / (header.fps or 30)
        self._end = float(self.times[-1]) + step
        # The promise alone proves nothing: a trimmed video or a longer sound promise more. Of a cut AVI none complains.
        if whole and self.count < header.promised and (report.complained or container == "avi"):
            self.notes = (_cut_short(path.name, self.count, header.promised),)
        elif self.promised and self.count < self.promised - 1 and report.complained:
            self.notes = (_cut_short(path.name, self.count, None),)

    def _share_of(self, header: VideoHeader) -> int | None:
        if not header.promised or not header.fps:
            return None
        end = header.seconds if self.span.end is None else min(self.span.end, header.seconds)
        return max(1, round((end - self.span.start) * header.fps))

    def _nothing_in_span(self, seconds: float) -> InputError:
        known = f"; it ends after {seconds:.1f} seconds" if seconds else ""
        return InputError(f"{quoted(self.name)} has no frame {self.span}{known}.")


def _name_of(paths: Sequence[Path]) -> str:
    if not paths:
        raise InputError(f"No file came; expected {CLIP_FORMATS}.")
    return paths[0].name + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _cut_short(name: str, read: int, promised: int | None) -> str:
    of = f" of {promised}" if promised else ""
    return f"{read}{of} frames of {quoted(name)} could be read; the file is damaged or cut short."
