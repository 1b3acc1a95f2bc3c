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

from cvae.video import read_clip

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


def encode_video(path: Path, frames: np.ndarray, *options: str, fps: float = 25, pixels: str = "rgb24") -> Path:
    _, height, width, _ = frames.shape
    source = ["-f", "rawvideo", "-pix_fmt", pixels, "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *source, *options, str(path)]
    subprocess.run(command, input=frames.tobytes(), check=True)
    return path


def encode_mp4(path: Path, frames: np.ndarray, *options: str) -> Path:
    return encode_video(path, frames, "-c:v", "libx264", "-pix_fmt", "yuv420p", *options)


def through_h264(picture: np.ndarray, path: Path, crf: int) -> np.ndarray:
    """What H.264 leaves of a picture; the larger `crf`, the less."""
    return read_clip(encode_mp4(path, np.stack([picture] * 3), "-crf", str(crf))).frames[1]


def alias_video(path: Path, frames: np.ndarray, name: str) -> None:
    """A video that says that its frames lie in the file `name` beside it, by an alias as QuickTime writes it."""
    whole = encode_mp4(path, frames, "-f", "mp4").read_bytes()
    here = b"\0\0\0\x0curl \0\0\0\x01"
    alias = (
        b"alis"
        + bytes(4 + 10 + 28 + 12)
        + struct.pack("B63s", len(name), name.encode())
        + bytes(16)
        + struct.pack(">HH", 1, 1)
        + bytes(16)
    )
    alias += struct.pack(">HH", 2, len(name)) + name.encode() + struct.pack(">HH", 0xFFFF, 0)
    whole = whole.replace(here, struct.pack(">I", len(alias) + 4) + alias)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at = whole.rindex(box) - 4
        size = int.from_bytes(whole[at : at + 4], "big") + len(alias) + 4 - len(here)
        whole = whole[:at] + size.to_bytes(4, "big") + whole[at + 4 :]
    path.write_bytes(whole)


def encode_rgba(path: Path, frames: np.ndarray, opacity: np.ndarray, *options: str) -> Path:
    """With an opacity in [0, 1] that fits `(T, H, W, 1)`."""
    alpha = np.broadcast_to(np.round(opacity * 255), (*frames.shape[:3], 1)).astype(np.uint8)
    return encode_video(path, np.concatenate([frames, alpha], axis=-1), *options, pixels="rgba")


def encode_hdr(path: Path, frames: np.ndarray, transfer: str) -> Path:
    """HEVC of 10 bits with the curve of ITU-R BT.2100, PQ or HLG, that shows white at 203 candelas (BT.2408).

    Frames of less than 64 rows crash the encoder.
    """
    to_bt2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    candelas = 203 * (frames / 255) ** 2.4 @ to_bt2020.T
    signal = (_pq if transfer == "smpte2084" else _hlg)(candelas)
    tags = f"log-level=error:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    matrix = ("-vf", "scale=out_color_matrix=bt2020nc:out_range=tv,format=yuv420p10le")
    options = (*matrix, "-c:v", "libx265", "-crf", "8", "-x265-params", tags)
    return encode_video(path, np.round(signal * 65535).astype("<u2"), *options, pixels="rgb48le")


def _pq(candelas: np.ndarray) -> np.ndarray:
    power = (candelas / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def _hlg(candelas: np.ndarray) -> np.ndarray:
    """On a display of 1000 candelas, whose gamma is 1.2."""
    light = candelas / 1000
    luminance = light @ np.array([0.2627, 0.6780, 0.0593])
    light = light * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    logarithm = 0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-9)) + 0.55991073
    return np.clip(np.where(light <= 1 / 12, np.sqrt(3 * light), logarithm), 0, 1)


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
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b""))
        + png_chunk(b"IEND", b"")
    )


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
