"""Frames of a video file, decoded by ffmpeg in a process of its own.

OpenCV only reads the header: where it cannot convert a frame (interlaced video), it hands out memory that nobody
has filled, without an error, and on a public page that memory may hold what somebody else has uploaded.
"""

import os
import subprocess
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import cv2
import imageio_ffmpeg
import numpy as np

from cvae.errors import InputError
from cvae.inputs import Limits, quoted
from cvae.pace import FASTEST

# Without these a playlist renamed .mp4 makes FFmpeg open other files of this machine.
_CAPTURE_OPTIONS = "protocol_whitelist;file|format_whitelist;mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
_QUIET = "-8"


@dataclass(frozen=True, kw_only=True)
class VideoHeader:
    """What a video says of itself; nothing of it is sure but the size."""

    width: int
    height: int
    """Upright, as a phone's rotation tag says."""
    fps: float | None
    """None where the rate is no plausible one."""
    promised: int
    """Number of frames; 0 where it is unknown."""

    @property
    def seconds(self) -> float:
        """Length; 0 where it is unknown."""
        return self.promised / self.fps if self.fps else 0.0


def read_header(path: Path, limits: Limits) -> VideoHeader:
    """Opens a video, decoding no more of it than FFmpeg needs to know its kind.

    Raises:
        InputError: If it cannot be opened, or its frames are larger than the limits.
    """
    with _capture(path) as capture:
        width, height, count = (
            int(capture.get(key))
            for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_COUNT)
        )
        fps = capture.get(cv2.CAP_PROP_FPS)
    limits.check_frame(path.name, width, height)
    believed = 0 < fps <= FASTEST  # the count may be no more than length times rate, and is hugely negative if unknown
    return VideoHeader(
        width=width, height=height, fps=fps if believed else None, promised=max(0, count) if believed else 0
    )


@contextmanager
def _capture(path: Path) -> Iterator[cv2.VideoCapture]:
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = _CAPTURE_OPTIONS
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = _QUIET
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    cv2.utils.logging.setLogLevel(level)
    try:
        if not capture.isOpened():
            raise InputError(f"{quoted(path.name)} cannot be opened as a video; it is damaged or has no pictures.")
        yield capture
    finally:
        capture.release()


@dataclass(frozen=True)
class Report:
    """What is known once the last frame was decoded."""

    times: np.ndarray
    """`(N,)` seconds of the video's own time at which each frame is shown, never falling."""
    complained: bool
    """Whether FFmpeg found anything wrong."""


def decode(
    path: Path,
    container: str,
    header: VideoHeader,
    limits: Limits,
    *,
    start: float = 0.0,
    end: float | None = None,
    most: int | None = None,
) -> Generator[np.ndarray, None, Report]:
    """Yields the frames, one in memory at a time; closing the generator ends the process.

    Args:
        path: The video.
        container: FFmpeg's name of the only format that it may be taken for.
        header: Of this video.
        limits: Larger frames are not decoded, whatever the header said; after `max_seconds` the frames end.
        start: Seconds; earlier frames are left out.
        end: Seconds; later frames are left out.
        most: No more frames than these.

    Yields:
        uint8 RGB, `(H, W, 3)`.
    """
    part = ["-ss", f"{start:.6f}"] if start else []
    part += ["-t", f"{end - start:.6f}"] if end is not None else []
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]
    command += ["-max_pixels", str(limits.max_pixels), *part, "-f", container, "-i", str(path.resolve())]
    command += ["-map", "0:V:0", "-fps_mode", "passthrough", "-enc_time_base", "1:1000000"]
    command += ["-frames:v", str(most)] if most is not None else []
    command += ["-s", f"{header.width}x{header.height}", "-pix_fmt", "rgb24"]
    with TemporaryDirectory() as folder, (Path(folder) / "complaints").open("wb") as complaints:
        stamps = Path(folder) / "stamps"
        command += ["-stats_enc_pre", str(stamps), "-stats_enc_pre_fmt", "{pts}", "-f", "rawvideo", "-"]
        count = 0
        for frame in _frames_of(command, (header.height, header.width), complaints, limits.max_seconds):
            count += 1
            yield frame
        times = _times_in(stamps, count, header.fps) + start
        return Report(times=times, complained=complaints.tell() > 0 or os.fstat(complaints.fileno()).st_size > 0)


def _frames_of(
    command: Sequence[str], size: tuple[int, int], complaints: IO[bytes], seconds: float
) -> Generator[np.ndarray, None, None]:
    frame_bytes = size[0] * size[1] * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as process:
        assert process.stdout is not None
        alarm = threading.Timer(seconds, process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            while len(pixels := process.stdout.read(frame_bytes)) == frame_bytes:
                yield np.frombuffer(pixels, np.uint8).reshape(*size, 3)
        except BaseException:
            process.kill()
            raise
        finally:
            alarm.cancel()


def _times_in(stamps: Path, count: int, fps: float | None) -> np.ndarray:
    lines = stamps.read_text().split() if stamps.exists() else []
    times = np.array([int(line) for line in lines[:count]]) / 1e6
    missing = count - len(times)  # FFmpeg was stopped before it wrote them
    following = (times[-1] if len(times) else 0) + np.arange(1, missing + 1) / (fps or 30)
    return np.maximum.accumulate(np.concatenate([times, following]))
