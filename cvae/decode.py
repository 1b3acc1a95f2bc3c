"""Frames of a video file, decoded by ffmpeg in a process of its own.

OpenCV only reads the header: where it cannot convert a frame (interlaced video), it hands out memory that nobody
has filled, without an error, and on a public page that memory may hold what somebody else has uploaded.
"""

import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import imageio_ffmpeg
import numpy as np

from cvae.errors import InputError
from cvae.inputs import Limits, quoted

# Without these a playlist renamed .mp4 makes FFmpeg open other files of this machine.
_CAPTURE_OPTIONS = "protocol_whitelist;file|format_whitelist;mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
_QUIET = "-8"
EVEN_RATE = 30
_FASTEST = 240  # frames of varying distance claim 1000 or 90000


@dataclass(frozen=True, kw_only=True)
class VideoHeader:
    """What a video says of itself; nothing of it is sure but the size."""

    width: int
    height: int
    """Upright, as a phone's rotation tag says."""
    fps: float | None
    """None where frames come at varying distances."""
    promised: int
    """Number of frames; 0 where it is unknown."""


def read_header(path: Path, limits: Limits) -> VideoHeader:
    """Opens a video, decoding no more of it than FFmpeg needs to know its kind.

    Raises:
        InputError: If it cannot be opened, or is larger or longer than the limits.
    """
    with _capture(path) as capture:
        width, height, count = (
            int(capture.get(key))
            for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_COUNT)
        )
        fps = capture.get(cv2.CAP_PROP_FPS)
    limits.check_frame(path.name, width, height)
    promised = max(0, count)  # of unknown length: hugely negative
    limits.check_frames(path.name, promised)
    return VideoHeader(width=width, height=height, fps=fps if 0 < fps <= _FASTEST else None, promised=promised)


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


def decode(
    path: Path, container: str, header: VideoHeader, limits: Limits, complaints: IO[bytes]
) -> Generator[np.ndarray, None, None]:
    """Yields the frames, one in memory at a time; closing the generator ends the process.

    Args:
        path: The video.
        container: FFmpeg's name of the only format that it may be taken for.
        header: Of this video. Where its rate is None, 30 frames a second are taken.
        limits: Larger frames are not decoded, whatever the header said.
        complaints: An open file on disk, which receives what FFmpeg finds wrong.

    Yields:
        uint8 RGB, `(H, W, 3)`.
    """
    pace = ["-fps_mode", "passthrough"] if header.fps else ["-fps_mode", "cfr", "-r", str(EVEN_RATE)]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]
    command += ["-max_pixels", str(limits.max_pixels), "-f", container, "-i", str(path.resolve())]
    size = f"{header.width}x{header.height}"
    command += ["-map", "0:V:0", *pace, "-s", size, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    frame_bytes = header.height * header.width * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as process:
        assert process.stdout is not None
        try:
            while len(pixels := process.stdout.read(frame_bytes)) == frame_bytes:
                yield np.frombuffer(pixels, np.uint8).reshape(header.height, header.width, 3)
        except BaseException:
            process.kill()
            raise
