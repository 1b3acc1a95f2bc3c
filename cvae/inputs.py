"""The rules for files from outside: which kinds are accepted, told by their first bytes, and how large."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from cvae.errors import InputError

PICTURE_FORMATS = "PNG, JPEG, GIF, WebP or BMP"
CLIP_FORMATS = (
    "a GIF, APNG or animated WebP, a video (MP4, MOV, WebM, MKV or AVI), a zip, folder or several files of "
    f"pictures ({PICTURE_FORMATS}), or a .npz or .npy array"
)

_MEGABYTE = 2**20
HEAD_BYTES = 512

Kind = Literal["picture", "video", "zip", "array", "json"]


@dataclass(frozen=True)
class FileType:
    """What the first bytes of a file say that it is."""

    kind: Kind | None
    """None where we know it and do not accept it."""
    title: str
    """With its article, for a sentence: "a PNG picture"."""
    container: str = ""
    """Of a video: what FFmpeg calls its format."""


_TYPES: tuple[tuple[bytes, FileType], ...] = (
    (rb"\x89PNG\r\n\x1a\n", FileType("picture", "a PNG picture")),
    (rb"\xff\xd8\xff", FileType("picture", "a JPEG picture")),
    (rb"GIF8[79]a", FileType("picture", "a GIF")),
    (rb"RIFF....WEBP", FileType("picture", "a WebP picture")),
    (rb"BM....\0\0\0\0", FileType("picture", "a BMP picture")),
    (rb"....ftyp(hei|hev|mif|msf|avi)", FileType(None, "a HEIC or AVIF picture")),
    (rb"....(ftyp|moov|mdat|wide|free|skip)", FileType("video", "an MP4 or MOV video", "mov")),
    (rb"\x1a\x45\xdf\xa3", FileType("video", "a WebM or MKV video", "matroska")),
    (rb"RIFF....AVI ", FileType("video", "an AVI video", "avi")),
    (rb"PK(\x03\x04|\x05\x06)", FileType("zip", "a zip")),
    (rb"\x93NUMPY", FileType("array", "a .npy array")),
    (rb"II\*\0|MM\0\*", FileType(None, "a TIFF picture")),
    (rb"%PDF", FileType(None, "a PDF")),
    (rb"\x1f\x8b|Rar!|7z\xbc\xaf", FileType(None, "an archive other than a zip")),
    (rb"(\xef\xbb\xbf)?\s*<(!doctype|html)", FileType(None, "a web page")),
)


def recognise(head: bytes) -> FileType:
    """The type of a file that begins with `head`; its name is never asked."""
    for pattern, file_type in _TYPES:
        if re.match(pattern, head, re.DOTALL | re.IGNORECASE if pattern.endswith(b"html)") else re.DOTALL):
            return file_type
    if re.search(rb"[\x00-\x08\x0e-\x1f]", head):
        return FileType(None, "no file that we know")
    if re.match(rb"(\xef\xbb\xbf)?\s*[\[{]", head):
        return FileType("json", "a JSON text")
    return FileType(None, "text")


def quoted(name: str) -> str:
    """`name` in quotes and fit for a message: short, on one line, no control characters."""
    short = name if len(name) <= 60 else f"{name[:28]}…{name[-28:]}"
    return '"' + "".join(letter if letter.isprintable() else "?" for letter in short) + '"'


def width_by_height(size: tuple[int, ...]) -> str:
    """A size `(H, W)` as people say it: (64, 128) is 128x64."""
    return f"{size[1]}x{size[0]}"


def millions(count: int) -> str:
    """A number of pixels as people say it."""
    return f"{count / 1e6:,.0f} million" if count >= 1e6 else str(count)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large an input may be; each `check_` raises `InputError` with the number that was passed."""

    max_bytes: int = 256 * _MEGABYTE
    """Of one file."""
    max_side: int = 16_384
    """Width or height of one frame, pixels."""
    max_pixels: int = 50_000_000
    """Of one frame as it is stored (a phone's photo has 12 to 50 million)."""
    max_video_pixels: int = 20_000_000
    """Of one frame of a video or an animation, of which decoders keep up to 16 at once (8K has 33 million)."""
    max_frames: int = 2_000
    max_total_pixels: int = 4_000_000_000
    """Decoded for one clip: bounds the time (16 seconds of 4K at 30 frames per second)."""
    max_seconds: float = 120
    """Of work on one clip, from its first frame to its last."""
    max_kept_pixels: int = 250_000_000
    """Of one clip after resizing: bounds the memory, 3 bytes each."""
    max_entries: int = 4_000
    """Of a zip or a folder, pictures or not."""
    max_unpacked_bytes: int = 1024 * _MEGABYTE
    """Of a zip or an array."""
    max_zip_ratio: int = 250
    """Unpacked to packed bytes of a zip above 1 MB (real poses in a .npz reach 31, a bomb 1000)."""
    max_json_bytes: int = 64 * _MEGABYTE
    """Of the JSON texts of one clip together (three people with hands and face take 25 KB a frame)."""
    max_json_values: int = 4_000_000
    """Numbers, lists and objects in one JSON text: bounds the memory (three people as above: 1,300 a frame)."""

    def check_bytes(self, name: str, size: int) -> None:
        if size > self.max_bytes:
            raise InputError(
                f"{quoted(name)} has {_megabytes(size)}; at most {_megabytes(self.max_bytes)} are accepted."
            )

    def check_frame(self, name: str, width: int, height: int, most: int | None = None) -> None:
        most = most or self.max_pixels
        if width < 1 or height < 1:
            raise InputError(f"{quoted(name)} has no pixels ({width}x{height}).")
        if max(width, height) > self.max_side:
            raise InputError(
                f"{quoted(name)} is {width}x{height} pixels; at most {self.max_side} on a side are accepted."
            )
        if width * height > most:
            raise InputError(
                f"{quoted(name)} is {width}x{height} pixels; at most {millions(most)} in a frame are accepted."
            )

    def check_video_frame(self, name: str, width: int, height: int) -> None:
        self.check_frame(name, width, height, self.max_video_pixels)

    def check_frames(self, name: str, count: int) -> None:
        if count > self.max_frames:
            raise InputError(f"{quoted(name)} has more than the {self.max_frames} frames that are accepted.")

    def check_total_pixels(self, name: str, pixels: int) -> None:
        if pixels > self.max_total_pixels:
            most = millions(self.max_total_pixels)
            raise InputError(f"The frames of {quoted(name)} have more than the {most} pixels that are accepted.")

    def check_seconds(self, name: str, seconds: float) -> None:
        if seconds >= self.max_seconds:
            raise InputError(
                f"Reading {quoted(name)} took more than the {self.max_seconds:g} seconds that are accepted."
            )

    def check_kept_pixels(self, name: str, pixels: int) -> None:
        if pixels > self.max_kept_pixels:
            most = millions(self.max_kept_pixels)
            raise InputError(
                f"{quoted(name)} needs memory for more than the {most} pixels that are accepted; expected fewer "
                "frames or a smaller size (`extract` has --size, --fps, --start and --end for it)."
            )

    def check_entries(self, name: str, count: int) -> None:
        if count > self.max_entries:
            raise InputError(f"{quoted(name)} holds more than the {self.max_entries} files that are accepted.")

    def check_unpacked(self, name: str, unpacked: int, packed: int | None = None) -> None:
        most = _megabytes(self.max_unpacked_bytes)
        if unpacked > self.max_unpacked_bytes:
            raise InputError(f"{quoted(name)} unpacks to {_megabytes(unpacked)}; at most {most} are accepted.")
        if packed is not None and unpacked > _MEGABYTE and unpacked > packed * self.max_zip_ratio:
            raise InputError(
                f"{quoted(name)} unpacks to more than {self.max_zip_ratio} times its size, as zip bombs do; "
                "expected pictures or arrays."
            )

    def check_json(self, name: str, size: int, values: int = 0) -> None:
        if size > self.max_json_bytes:
            most = _megabytes(self.max_json_bytes)
            raise InputError(f"{quoted(name)} has {_megabytes(size)} of JSON; at most {most} are accepted.")
        if values > self.max_json_values:
            raise InputError(f"{quoted(name)} holds more than the {self.max_json_values:,} values that are accepted.")


LIMITS = Limits()
OWN_FILES = Limits(
    max_bytes=16 * 1024 * _MEGABYTE,
    max_video_pixels=50_000_000,
    max_frames=60_000,
    max_total_pixels=500_000_000_000,
    max_kept_pixels=360_000_000,
    max_seconds=4 * 3600,
    max_entries=64_000,
    max_json_bytes=1024 * _MEGABYTE,
    max_json_values=40_000_000,
    max_unpacked_bytes=16 * 1024 * _MEGABYTE,
)
"""For files of whoever runs the program: half an hour of 4K at 30 frames per second, of which 1.1 GB are kept: six
minutes at 128x228 pixels, 80 seconds at 512x288."""


def read_head(path: Path, limits: Limits) -> bytes:
    """The first bytes of a file, once it is known to be there, not empty and not too large."""
    name = path.name
    try:
        if not path.exists():
            raise InputError(f"There is no file {quoted(name)}.")
        if not path.is_file():
            raise InputError(f"{quoted(name)} is no file; expected {CLIP_FORMATS}.")
        limits.check_bytes(name, path.stat().st_size)
        with open_file(path) as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise _cannot_be_opened(path, error) from error
    if not head:
        raise InputError(f"{quoted(name)} is empty (0 bytes).")
    return head


def open_file(path: Path) -> IO[bytes]:
    """The file, opened to read bytes.

    Raises:
        InputError: If the system does not let us.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise _cannot_be_opened(path, error) from error


def _cannot_be_opened(path: Path, error: OSError) -> InputError:
    return InputError(f"{quoted(path.name)} cannot be opened: {error.strerror}.")


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.1f} MB".replace(".0 MB", " MB")
