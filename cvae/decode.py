"""Frames of a video file, decoded by ffmpeg in a process of its own.

OpenCV only reads the header: where it cannot convert a frame (interlaced video), it hands out memory that nobody
has filled, without an error, and on a public page that memory may hold what somebody else has uploaded.
"""

import math
import os
import re
import subprocess
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import cv2
import imageio_ffmpeg
import numpy as np
from PIL import Image

from cvae.errors import InputError
from cvae.inputs import Limits, quoted
from cvae.pace import FASTEST, SLOWEST
from cvae.pictures import to_rgb

# Without these a playlist renamed .mp4 makes FFmpeg open other files of this machine.
_CAPTURE_OPTIONS = "protocol_whitelist;file|format_whitelist;mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"
_QUIET = "-8"
_LONGEST = 1e9  # seconds; FFmpeg reckons in microseconds of 64 bits
_ALPHA_PIXELS = r", (yuva|gbrap|rgba|bgra|argb|abgr|ya8|ya16|pal8)"
_ALPHA_TAG = r"(?m)^ +alpha_mode +: 1$"
# Most HDR shows white at 203 of its up to 10,000 candelas (ITU-R BT.2408). Of FFmpeg's curves this one leaves what is
# darker nearly as it was (hable, the usual choice, loses 40 of 255) and still compresses what is brighter.
_TONE_MAPPING = (
    "zscale=transferin={transfer}:primariesin=bt2020:matrixin=bt2020nc:transfer=linear:npl=203,format=gbrpf32le,"
    "zscale=primaries=bt709,tonemap=mobius:param=0.7:desat=0,zscale=transfer=bt709:matrix=bt709:range=tv,format=yuv444p"
)


@dataclass(frozen=True, kw_only=True)
class _Description:
    """What FFmpeg writes of a video."""

    stream: str = ""
    """Of the first stream of pictures, its tags below it."""
    start: float = 0.0
    """Seconds on the clock of the file at which it begins."""
    is_sound: bool = False
    """Whether there is no stream of pictures but one of sound; a cover does not count."""


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What OpenCV does not tell of a video."""

    transfer: str
    """Of HDR, what FFmpeg calls its brightness curve; empty for any other video."""
    is_interlaced: bool
    has_alpha: bool
    decoder: str
    """That FFmpeg must be told, since its own choice leaves out the transparency; empty where it need not."""


@dataclass(frozen=True, kw_only=True)
class VideoHeader:
    """What a video says of itself; nothing of it is sure but the size."""

    width: int
    height: int
    """Upright, as a phone's rotation tag says, and of square pixels."""
    fps: float | None
    """None where the rate is no plausible one."""
    promised: int
    """Number of frames; 0 where it is unknown."""
    traits: Traits

    @property
    def seconds(self) -> float:
        """Length; 0 where it is unknown."""
        return self.promised / self.fps if self.fps else 0.0


def read_header(path: Path, container: str, limits: Limits) -> VideoHeader:
    """Opens a video, decoding no more of it than FFmpeg needs to know its kind.

    Raises:
        InputError: If it cannot be opened, or its frames are larger than the limits.
    """
    with _capture(path) as capture:
        width, height, count, turned, wide, high = (
            int(capture.get(key))
            for key in (
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FRAME_COUNT,
                cv2.CAP_PROP_ORIENTATION_META,
                cv2.CAP_PROP_SAR_NUM,
                cv2.CAP_PROP_SAR_DEN,
            )
        )
        fps = capture.get(cv2.CAP_PROP_FPS)
    limits.check_video_frame(path.name, width, height)
    if wide > 0 and high > 0:  # the shape of a pixel, not yet turned
        width = max(1, round(width * (high / wide if turned % 180 else wide / high)))
        limits.check_video_frame(path.name, width, height)
    about = _description(path, container, limits)
    if about.is_sound:
        raise InputError(f"{quoted(path.name)} has no pictures but a sound, with a cover perhaps; expected a video.")
    # The count may be no more than length times rate, and is hugely negative if unknown.
    believed = SLOWEST <= fps <= FASTEST
    if believed and container == "matroska":  # there the length counts from 0, whenever the pictures begin
        count -= round(about.start * fps)
    return VideoHeader(
        width=width,
        height=height,
        fps=fps if believed else None,
        promised=max(0, count) if believed else 0,
        traits=_traits(about),
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
) -> Generator[np.ndarray, None, Report]:
    """Yields the frames, one in memory at a time; closing the generator ends the process.

    Args:
        path: The video.
        container: FFmpeg's name of the only format that it may be taken for.
        header: Of this video.
        limits: Larger frames are not decoded, whatever the header said; after `max_seconds` the frames end.
        start: Seconds; earlier frames are left out.
        end: Seconds; later frames are left out.

    Yields:
        uint8 RGB, `(H, W, 3)`.
    """
    traits = header.traits
    shape = (header.height, header.width, 4 if traits.has_alpha else 3)
    command = [*_ffmpeg(), "-v", "error", "-max_pixels", str(int(1.1 * limits.max_video_pixels))]  # coded in blocks
    command += ["-c:v", traits.decoder] if traits.decoder else []
    command += ["-ss", f"{min(start, _LONGEST):.6f}"] if start else []
    if end is not None:  # a length that is 0 in ticks of the file, FFmpeg would take for all there is
        command += ["-t", f"{min(max(end - start, 1 / (header.fps or 30)), _LONGEST):.6f}"]
    command += ["-f", container, "-i", str(path.resolve())]
    command += ["-map", "0:V:0", "-fps_mode", "passthrough", "-enc_time_base", "1:1000000"]
    command += ["-vf", ",".join(_filters(path, header, traits))]
    command += ["-pix_fmt", "rgba" if traits.has_alpha else "rgb24"]
    with TemporaryDirectory() as folder, (Path(folder) / "complaints").open("wb") as complaints:
        stamps = Path(folder) / "stamps"
        command += ["-stats_enc_pre", str(stamps), "-stats_enc_pre_fmt", "{pts}", "-f", "rawvideo", "-"]
        count = 0
        for frame in _frames_of(command, shape, complaints, limits.max_seconds):
            count += 1
            yield to_rgb(Image.fromarray(frame)) if traits.has_alpha else frame
        times = _times_in(stamps, count, header.fps) + start
        return Report(times=times, complained=os.fstat(complaints.fileno()).st_size > 0)


def _ffmpeg() -> list[str]:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-protocol_whitelist", "file,pipe"]


def _traits(about: _Description) -> Traits:
    line, _, tags = about.stream.partition("\n")
    transfer = re.search(r"\b(smpte2084|arib-std-b67)\b", line)
    codec = re.search(r": Video: (vp[89])\b", line)
    decoder = {"vp8": "libvpx", "vp9": "libvpx-vp9"}[codec[1]] if codec and re.search(_ALPHA_TAG, tags) else ""
    return Traits(
        transfer=transfer[1] if transfer else "",
        is_interlaced=bool(re.search(r"\((?:[^()]*, )?(top|bottom) (coded )?first", line)),
        has_alpha=bool(decoder or re.search(_ALPHA_PIXELS, line)),
        decoder=decoder,
    )


def _description(path: Path, container: str, limits: Limits) -> _Description:
    command = [*_ffmpeg(), "-hide_banner", "-f", container, "-i", str(path.resolve())]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits.max_seconds)
    except subprocess.TimeoutExpired:
        return _Description()
    head, *streams = re.split(r"^  Stream #", done.stderr.decode(errors="replace"), flags=re.MULTILINE)
    start = re.search(r"^  Duration: [^\n]*, start: ([0-9.]+)", head, flags=re.MULTILINE)
    stream = next((text for text in streams if re.match(r"[^\n]*: Video: (?![^\n]*\(attached pic\))", text)), "")
    sound = not stream and any(": Audio: " in text for text in streams)
    return _Description(stream=stream, start=float(start[1]) if start else 0.0, is_sound=sound)


def _filters(path: Path, header: VideoHeader, traits: Traits) -> Iterator[str]:
    if traits.is_interlaced:
        yield "bwdif=mode=send_frame:deint=interlaced"
    if traits.transfer:
        if not _can_map_tones():
            raise InputError(
                f"{quoted(path.name)} is an HDR video, whose colours the FFmpeg of this machine cannot convert; "
                "expected SDR."
            )
        yield _TONE_MAPPING.format(transfer=traits.transfer)
    yield f"scale={header.width}:{header.height}"


@cache
def _can_map_tones() -> bool:
    filters = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-filters"], capture_output=True).stdout
    return b" zscale " in filters and b" tonemap " in filters


def _frames_of(
    command: Sequence[str], shape: tuple[int, int, int], complaints: IO[bytes], seconds: float
) -> Generator[np.ndarray, None, None]:
    frame_bytes = math.prod(shape)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as process:
        assert process.stdout is not None
        alarm = threading.Timer(seconds, process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            while len(pixels := process.stdout.read(frame_bytes)) == frame_bytes:
                yield np.frombuffer(pixels, np.uint8).reshape(shape)
        except BaseException:
            process.kill()
            raise
        finally:
            alarm.cancel()


def _times_in(stamps: Path, count: int, fps: float | None) -> np.ndarray:
    lines = stamps.read_text().split() if stamps.exists() else []
    times = np.array([int(line) for line in lines[:count]]) / 1e6
    if len(times) and times.max() == times[0]:
        times = times[:1]  # the file has none
    missing = count - len(times)  # or FFmpeg was stopped before it wrote them
    following = (np.arange(missing) + (len(times) > 0)) / (fps or 30) + (times[-1] if len(times) else 0)
    return np.maximum.accumulate(np.concatenate([times, following]))
