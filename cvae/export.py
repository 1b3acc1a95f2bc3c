"""Finished pictures and clips as files that open anywhere: PNG, GIF and MP4."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np

from cvae.errors import InputError
from cvae.files import replacing
from cvae.inputs import quoted

DEFAULT_FPS = 20.0
"""Frames per second where no source tells a rate."""
_FASTEST_GIF = 50.0  # browsers play a delay below 20 ms as 100 ms


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes one picture, uint8 RGB `(H, W, 3)`."""
    _, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    path.write_bytes(content.tobytes())  # cv2.imwrite does not tell of a full disk


def write_video(path: Path, frames: np.ndarray, fps: float, *, scale: int = 1) -> None:
    """Writes a GIF or an MP4, as the ending of `path` says; see `write_gif` and `write_mp4`.

    Raises:
        InputError: If the ending is another one, or the file cannot be written.
    """
    writers = {".gif": write_gif, ".mp4": write_mp4}
    ending = path.suffix.lower()
    if ending not in writers:
        raise InputError(f"{quoted(path.name)} ends in {quoted(ending)}; expected .gif or .mp4.")
    writers[ending](path, frames, fps, scale=scale)


def write_gif(path: Path, frames: np.ndarray, fps: float, *, scale: int = 1) -> None:
    """Writes an endless GIF with one palette; each frame stays a frame, also where two neighbours are equal.

    Args:
        path: The file; it appears whole or not at all.
        frames: uint8 RGB, `(T, H, W, 3)`.
        fps: Frames per second; above 50 the GIF plays at 50, the fastest that browsers show.
        scale: Whole factor by which the frames are enlarged, pixels staying square.

    Raises:
        InputError: If the file cannot be written.
    """
    # Without dithering: nearest to the original on dancers (50 dB), steady in time, and the smallest file.
    palette = "split[a][b];[a]palettegen=stats_mode=full[palette];[b][palette]paletteuse=dither=none"
    options = ["-filter_complex", f"{_enlarge(scale)},{palette}", "-loop", "0", "-f", "gif"]
    _encode(path, frames, min(fps, _FASTEST_GIF), options)


def write_mp4(path: Path, frames: np.ndarray, fps: float, *, scale: int = 1) -> None:
    """Writes an H.264 video that browsers play; an odd side grows by one pixel that repeats the edge.

    Args:
        path: The file; it appears whole or not at all.
        frames: uint8 RGB, `(T, H, W, 3)`.
        fps: Frames per second.
        scale: Whole factor by which the frames are enlarged, pixels staying square.

    Raises:
        InputError: If the file cannot be written.
    """
    odd_height, odd_width = (side * scale % 2 for side in frames.shape[1:3])
    frames = np.pad(frames, ((0, 0), (0, odd_height), (0, odd_width), (0, 0)), mode="edge")
    # Players guess the colour matrix of an untagged video by its size.
    colours = "colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    matrix = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int"
    options = ["-vf", f"{_enlarge(scale)},{matrix},setparams={colours}", "-pix_fmt", "yuv420p"]
    options += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-movflags", "+faststart", "-f", "mp4"]
    _encode(path, frames, fps, options)


def _enlarge(scale: int) -> str:
    assert scale >= 1
    return f"scale=iw*{scale}:ih*{scale}:flags=neighbor"


def _encode(path: Path, frames: np.ndarray, fps: float, options: Sequence[str]) -> None:
    assert frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[-1] == 3 and len(frames) > 0
    assert fps > 0
    count, height, width, _ = frames.shape
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:.6f}", "-i", "-"]
    with replacing(path) as partial:
        pixels = np.ascontiguousarray(frames).data.cast("B")
        done = subprocess.run([*command, *options, str(partial.resolve())], input=pixels, capture_output=True)
        if done.returncode:
            raise OSError(f"ffmpeg could not write {count} frames: {done.stderr.decode(errors='replace')}")
