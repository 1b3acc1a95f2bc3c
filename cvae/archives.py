"""Zips and numpy arrays from strangers: looked at before they are unpacked, never written to disk."""

import math
import mmap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from cvae.errors import InputError
from cvae.inputs import HEAD_BYTES, Limits, quoted

ARRAY_NAMES = ("poses", "pose", "frames", "gt")
_ARRAY_EXPECTED = "expected (T, H, W, 3), uint8 or float in [0, 1]"
_MAX_ARRAY_HEADER = 10_000
_READ_BYTES = 4_000_000
"""Of an array at once."""


@contextmanager
def open_zip(path: Path, limits: Limits) -> Iterator[ZipFile]:
    """Opens a zip whose contents as a whole keep within the limits.

    What zipfile raises in the body comes out as `InputError`; a failed `assert`, our own mistake, stays one.

    Raises:
        InputError: If it holds too much, is encrypted, or is damaged.
    """
    name = path.name
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            limits.check_entries(name, _count_entries(content, limits.max_entries + 1))
        with ZipFile(path) as archive:
            for info in archive.infolist():
                _check_member(name, info)
            unpacked = sum(info.file_size for info in archive.infolist())
            limits.check_unpacked(name, unpacked, packed=path.stat().st_size)
            yield archive
    except (InputError, AssertionError):
        raise
    except Exception as error:  # zipfile and zlib raise many kinds on a damaged file
        raise InputError(f"{quoted(name)} is a damaged zip.") from error


def _count_entries(content: mmap.mmap, most: int) -> int:
    """Counts by signature: zipfile would make an object of every entry before it tells how many there are."""
    count, position = 0, -1
    while count < most and (position := content.find(b"PK\x01\x02", position + 1)) >= 0:
        count += 1
    return count


def _check_member(archive_name: str, info: ZipInfo) -> None:
    if info.flag_bits & 0x1:
        raise InputError(f"{quoted(archive_name)} is protected by a password; expected a plain zip.")
    # An LZMA member may ask for gigabytes of dictionary.
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise InputError(
            f"{quoted(archive_name)} is packed in an unusual way; expected a zip of the usual kind (deflate)."
        )


def files_in(archive: ZipFile) -> list[ZipInfo]:
    """The files of a zip in its own order, without folders, hidden files and what macOS adds."""
    return [info for info in archive.infolist() if not info.is_dir() and not _is_hidden(info.filename)]


def _is_hidden(filename: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(filename).parts)


def read_head_of(archive: ZipFile, info: ZipInfo) -> bytes:
    """Enough bytes of a member to recognise it."""
    with archive.open(info) as file:
        return file.read(HEAD_BYTES)


def unpack(archive: ZipFile, info: ZipInfo) -> IO[bytes]:
    """Unpacks a member in memory: no more of it than it declared, which is to be checked before."""
    return BytesIO(archive.read(info))


def is_array_zip(archive: ZipFile) -> bool:
    """Whether the zip is what `numpy.savez` writes."""
    files = files_in(archive)
    return bool(files) and all(info.filename.endswith(".npy") for info in files)


@dataclass(frozen=True)
class ArrayHeader:
    """What a .npy file says about its array before the array itself comes."""

    shape: tuple[int, ...]
    dtype: np.dtype
    by_columns: bool
    """Whether the last axis comes first (Fortran's order), so that no frame lies in one piece."""

    @property
    def is_frames(self) -> bool:
        return (
            len(self.shape) == 4
            and self.shape[-1] == 3
            and min(self.shape) > 0
            and (self.dtype == np.uint8 or self.dtype.kind == "f")
        )

    @property
    def total_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def __str__(self) -> str:
        text = f"{self.shape} {self.dtype}"
        return text if len(text) <= 60 else f"{text[:60]}..."


def frames_in_array_zip(archive: ZipFile, name: str, limits: Limits) -> Iterator[np.ndarray]:
    """The frames of a .npz: the array called poses, pose, frames or gt, else the only one of fitting shape.

    Yields:
        uint8 RGB, `(H, W, 3)`.

    Raises:
        InputError: If no array or more than one fits.
    """
    members = {info.filename.removesuffix(".npy"): info for info in files_in(archive)}
    headers = {}
    for key, info in members.items():
        with archive.open(info) as file:
            headers[key] = read_array_header(file, f"{name}: {key}")
    fitting = [key for key, header in headers.items() if header.is_frames]
    chosen = [key for key in ARRAY_NAMES if key in headers] or fitting
    if not chosen:
        raise InputError(f"{quoted(name)} holds no array of frames ({_list(headers)}); {_ARRAY_EXPECTED}.")
    if len(chosen) > 1 and chosen[0] not in ARRAY_NAMES:
        raise InputError(
            f"{quoted(name)} holds several arrays of frames ({_list(headers)}); expected one of them to be "
            f"called {' or '.join(ARRAY_NAMES)}."
        )
    with archive.open(members[chosen[0]]) as file:
        yield from frames_in_array(file, f"{name}: {chosen[0]}", limits)


def frames_in_array(file: IO[bytes], name: str, limits: Limits) -> Iterator[np.ndarray]:
    """The frames of an open .npy file, one in memory at a time.

    Yields:
        uint8 RGB, `(H, W, 3)`.

    Raises:
        InputError: If shape, type or size do not fit, or the file is damaged.
    """
    header = read_array_header(file, name)
    if not header.is_frames:
        raise InputError(f"The array {quoted(name)} is {header}; {_ARRAY_EXPECTED}.")
    count, height, width, _ = header.shape
    limits.check_frames(name, count)
    limits.check_frame(name, width, height)
    limits.check_total_pixels(name, count * height * width)
    limits.check_unpacked(name, header.total_bytes)
    if header.by_columns:
        limits.check_kept_pixels(name, header.total_bytes // 3)
    whole = load_array(file, header, name, limits) if header.by_columns else None
    rows_at_once = max(1, _READ_BYTES // (header.total_bytes // (count * height)))  # numbers need 8 bytes and more
    for index in range(count):
        frame = np.empty((height, width, 3), np.uint8)
        for first in range(0, height, rows_at_once):
            rows = slice(first, min(first + rows_at_once, height))
            values = _read_rows(file, header, rows, name) if whole is None else whole[index, rows]
            frame[rows] = values if values.dtype == np.uint8 else _from_unit_range(values, name)
        yield frame


def _read_rows(file: IO[bytes], header: ArrayHeader, rows: slice, name: str) -> np.ndarray:
    """The next rows of an open .npy file that holds frames."""
    shape = (rows.stop - rows.start, *header.shape[2:])
    size = math.prod(shape) * header.dtype.itemsize
    if len(content := file.read(size)) < size:
        raise _damaged(name)
    return np.frombuffer(content, header.dtype).reshape(shape)


def load_array(file: IO[bytes], header: ArrayHeader, name: str, limits: Limits) -> np.ndarray:
    """The whole array of an open .npy file whose header has been read and found fitting.

    Raises:
        InputError: If it is too large, damaged or of Python objects.
    """
    limits.check_unpacked(name, header.total_bytes)
    file.seek(0)
    try:
        with warnings.catch_warnings(action="ignore"):  # of Python 2, which wrote the header
            return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:
        raise _damaged(name) from error


def _damaged(name: str) -> InputError:
    return InputError(f"The array {quoted(name)} is damaged or cut short.")


def _from_unit_range(values: np.ndarray, name: str) -> np.ndarray:
    if not (values.min() >= 0 and values.max() <= 1):  # written so that NaN fails too
        raise InputError(f"The array {quoted(name)} has values outside [0, 1]; {_ARRAY_EXPECTED}.")
    return np.round(values.astype(np.float32) * 255).astype(np.uint8)


def read_array_header(file: IO[bytes], name: str) -> ArrayHeader:
    """Shape and type of an open .npy file.

    Raises:
        InputError: If it has no such header, or one that only an attacker writes.
    """
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        read = readers[np.lib.format.read_magic(file)]
        with warnings.catch_warnings(action="ignore"):  # of Python 2, which wrote it
            shape, by_columns, dtype = read(file, max_header_size=_MAX_ARRAY_HEADER)
        return ArrayHeader(shape, dtype, by_columns)
    except Exception as error:  # a hostile header reaches Python's own parser: RecursionError, MemoryError, ...
        raise InputError(f"The array {quoted(name)} has a header that cannot be read.") from error


def _list(headers: dict[str, ArrayHeader]) -> str:
    shown = [f"{quoted(key)}: {header}" for key, header in islice(headers.items(), 6)]
    return ", ".join(shown) + (", ..." if len(headers) > 6 else "")
