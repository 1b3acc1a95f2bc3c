"""Small files of every kind for the tests of reading and writing."""

import struct
import subprocess
import zipfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from PIL import Image

VIDEOS = {
    "a.mp4": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "a.mov": ("-c:v", "mpeg4", "-q:v", "2"),
    "a.webm": ("-c:v", "libvpx-vp9"),
    "a.mkv": ("-c:v", "libx264"),
    "a.avi": ("-c:v", "mjpeg", "-q:v", "2"),
}
"""A name for each container, and how to encode it."""


def blocks(count: int = 6, height: int = 32, width: int = 48) -> np.ndarray:
    """Frames of large random squares, `(T, H, W, 3)`: any two differ, and lossy codecs keep them."""
    colours = np.random.default_rng(0).integers(0, 256, (count, height // 8, width // 8, 3), dtype=np.uint8)
    return np.kron(colours, np.ones((1, 8, 8, 1), np.uint8))


def encode_video(path: Path, frames: np.ndarray, *options: str, fps: float = 25) -> Path:
    _, height, width, _ = frames.shape
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *source, *options, str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


def encode_mp4(path: Path, frames: np.ndarray, *options: str) -> Path:
    return encode_video(path, frames, "-c:v", "libx264", "-pix_fmt", "yuv420p", *options)


def is_close(frames: np.ndarray, expected: np.ndarray) -> bool:
    """Equal but for what a lossy codec does."""
    return frames.shape == expected.shape and float(np.abs(frames.astype(int) - expected).mean()) < 12


def save_animation(path: Path, frames: np.ndarray, **options: Any) -> Path:
    first, *others = [Image.fromarray(frame) for frame in frames]
    first.save(path, save_all=True, append_images=others, **options)
    return path


def encoded(frame: np.ndarray, kind: str = "PNG") -> bytes:
    file = BytesIO()
    Image.fromarray(frame).save(file, kind)
    return file.getvalue()


def save_zip(path: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises many pixels and holds none."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
