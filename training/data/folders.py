"""The lab's folders of pictures as arrays: decoded once, kept on disk, mapped into memory by every process."""

import hashlib
import logging
import mmap
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tqdm import tqdm

from cvae.config import DataConfig
from cvae.errors import InputError
from cvae.pictures import read_picture, resize_frame

log = logging.getLogger(__name__)

Size = tuple[int, int]

NAMED = 5
"""Numbers that a message names; of more it tells how many."""
_DECODED_AT_ONCE = 1024
"""Pictures; a million tasks in a queue would need more memory than what they give."""
_PICTURE = re.compile(r"(\d{1,18})\.png", re.ASCII)


@dataclass(frozen=True)
class Recordings:
    """Consecutive frames with their poses; a gap in the numbering of the files is a cut.

    Pickled, arrays that are mapped from NumPy files are as small as their names, and mapped again where they arrive.

    Attributes:
        frames: uint8 `(N, H, W, 3)`, all recordings one after the other, mapped from disk.
        poses: The same shape.
        spans: First and one past the last index of each recording.
        ink: How far each pose is from white, `(N,)`, the mean of its values from 0 to 255; None where nobody measured.
    """

    frames: NDArray[np.uint8]
    poses: NDArray[np.uint8]
    spans: list[tuple[int, int]]
    ink: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.frames.shape[1], self.frames.shape[2]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (_file_of(self.frames), _file_of(self.poses), self.spans, self.ink)


def _file_of(array: Any) -> Any:
    mapped = isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap)  # all of a file, not a slice
    return Path(array.filename) if mapped else array


def _reopen(frames: Any, poses: Any, spans: list[tuple[int, int]], ink: NDArray[np.float32] | None) -> Recordings:
    frames, poses = (_mapped(came) if isinstance(came, Path) else came for came in (frames, poses))
    return Recordings(frames, poses, spans, ink)


def _mapped(path: Path) -> NDArray[Any]:
    """A NumPy file for reading here and there: reading ahead, 30 times as much as asked for, is switched off."""
    array = np.load(path, mmap_mode="r")
    if hasattr(mmap, "MADV_RANDOM"):
        array.base.madvise(mmap.MADV_RANDOM)
    return array


def open_split(data: Path, split: str, size: Size | None = None) -> Recordings:
    """Read `data/SPLIT/SPLIT_img/N.png` and `data/SPLIT/SPLIT_label/N.png`.

    The pictures are decoded once and kept in `data/.cache`, or in the user's own cache where that cannot be written.
    Gaps in the numbering are cuts, and logged with their numbers.

    Args:
        data: The folder that holds `train`, `val` and `test`.
        split: `train` or `val`.
        size: Height and width to resize to; that of the first frame by default.

    Raises:
        InputError: If there are no frames, or a frame has no pose or a pose no frame.
    """
    images, labels = (_list(data / split / f"{split}_{kind}") for kind in ("img", "label"))
    if unpaired := np.setxor1d(images.numbers, labels.numbers).tolist():
        named = ", ".join(f"{n}.png" for n in unpaired[:NAMED]) + (", ..." if len(unpaired) > NAMED else "")
        raise InputError(f"{data / split} has {len(unpaired)} frames without a pose or poses without a frame: {named}.")
    size = size or _own_size(images)
    frames, poses = (_decoded(data, listing, size) for listing in (images, labels))
    cuts = (np.flatnonzero(np.diff(images.numbers) != 1) + 1).tolist()
    _report_gaps(split, images.numbers, cuts)
    ink = _kept(data, f"{split}_ink", size, labels.digest, lambda file: np.save(file, measure_ink(poses)))
    return Recordings(frames, poses, list(pairwise([0, *cuts, len(images.numbers)])), ink)


def _own_size(images: "_Listing") -> Size:
    height, width, _ = _read(images.path(0)).shape
    try:  # before hours of decoding
        return DataConfig(height=height, width=width).size
    except InputError as error:
        raise InputError(f"{images.folder} holds pictures of {width}x{height} pixels: {error} Give --size.") from None


def measure_ink(poses: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each pose is from white, `(N,)`, the mean of its values from 0 to 255; read in pieces."""
    came, ink = _file_of(poses), np.empty(len(poses), np.float32)
    for i in range(0, len(poses), _DECODED_AT_ONCE):
        # Mapped anew, so that what was read may go.
        piece = (np.load(came, mmap_mode="r") if isinstance(came, Path) else came)[i : i + _DECODED_AT_ONCE]
        ink[i : i + len(piece)] = 255 - piece.reshape(len(piece), -1).mean(1, dtype=np.float32)
    return ink


@dataclass(frozen=True)
class _Listing:
    """Pictures of a folder in the order of their numbers; 30 bytes each, since there may be millions."""

    folder: Path
    numbers: NDArray[np.int64]
    names: NDArray[np.bytes_]
    digest: str

    def path(self, index: int) -> Path:
        return self.folder / self.names[index].decode()


def _list(folder: Path) -> _Listing:
    if not folder.is_dir():
        raise InputError(f"{folder} is not there; expected a folder of pictures 0.png, 1.png, ... (the lab's layout).")
    dtype = np.dtype([("number", "i8"), ("size", "i8"), ("changed", "i8"), ("name", "S22")])
    files = np.fromiter(_stamps(folder), dtype)
    if not len(files):
        raise InputError(f"{folder} holds no pictures named 0.png, 1.png, ...")
    files = files[np.argsort(files["number"], kind="stable")]
    if twice := files["number"][1:][np.diff(files["number"]) == 0][:1].tolist():
        raise InputError(f"{folder} holds two pictures of number {twice[0]}; expected one, {twice[0]}.png.")
    digest = hashlib.sha256(files.tobytes()).hexdigest()[:12]
    return _Listing(folder, files["number"].copy(), files["name"].copy(), digest)


def _stamps(folder: Path) -> Iterator[tuple[int, int, int, bytes]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if named := _PICTURE.fullmatch(entry.name):
                stat = entry.stat()
                yield int(named[1]), stat.st_size, stat.st_mtime_ns, entry.name.encode()


def _report_gaps(split: str, numbers: NDArray[np.int64], cuts: list[int]) -> None:
    if cuts:
        named = ", ".join(f"{numbers[i - 1] + 1} to {numbers[i] - 1}" for i in cuts[:NAMED])
        more = ", ..." if len(cuts) > NAMED else ""
        gaps = "1 gap in the numbering is taken as a cut"
        if len(cuts) > 1:
            gaps = f"{len(cuts)} gaps in the numbering are taken as cuts"
        log.info("%s: %s: no %s%s.", split, gaps, named, more)


def _decoded(data: Path, listing: _Listing, size: Size) -> NDArray[np.uint8]:
    def write(file: IO[bytes]) -> None:
        # Written, not mapped: on a full disk a mapped file kills the process without a word.
        shape = (len(listing.numbers), *size, 3)
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for picture in _decode(listing, size):
            file.write(np.ascontiguousarray(picture).data)

    return _kept(data, listing.folder.name, size, listing.digest, write)


def _kept(data: Path, name: str, size: Size, digest: str, write: Callable[[IO[bytes]], None]) -> NDArray[Any]:
    """The array of that name, mapped from the cache; written first where it is missing or the pictures changed."""
    stem = f"{name}_{size[0]}x{size[1]}"
    cache = _cache_folder(data, f"{stem}_{digest}.npy")
    path = cache / f"{stem}_{digest}.npy"
    if not _is_whole(path):
        with FileLock(cache / f"{stem}.lock"):  # whoever comes second finds the work done
            if not _is_whole(path):
                for outdated in cache.glob(f"{stem}_*"):
                    outdated.unlink()
                partial = path.with_suffix(".partial")
                try:
                    with partial.open("wb") as file:
                        write(file)
                        file.flush()
                        os.fsync(file.fileno())  # else a power cut could leave the name without the content
                    partial.replace(path)
                except OSError as error:
                    if error.filename:
                        raise  # a picture that cannot be read
                    raise InputError(f"The decoded frames cannot be kept in {cache}: {error.strerror}.") from error
                finally:
                    partial.unlink(missing_ok=True)
    return _mapped(path)


def _is_whole(path: Path) -> bool:
    """Whether an array is there to its end."""
    try:
        _mapped(path)
    except (OSError, ValueError, EOFError):
        return False
    return True


def _cache_folder(data: Path, wanted: str) -> Path:
    beside = data / ".cache"
    if (beside / wanted).exists() or os.access(beside if beside.exists() else data, os.W_OK):
        folder = beside
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "marionette" / "frames" / hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12]
        if not folder.exists():
            log.info("%s cannot be written; its decoded frames are kept in %s.", data, folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_sized(path: Path, size: Size) -> NDArray[np.uint8]:
    """A picture of a data set, resized.

    Raises:
        InputError: If it cannot be read; many are called alike, so that it names the folder too.
    """
    return resize_frame(_read(path), size)


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        return read_picture(path)
    except InputError as error:
        raise InputError(f"{path.parent}: {error}") from None


def _decode(listing: _Listing, size: Size) -> Iterator[NDArray[np.uint8]]:
    count = len(listing.numbers)
    with (
        ThreadPoolExecutor() as pool,
        tqdm(total=count, desc=f"decoding {listing.folder.name}", unit=" frames", leave=False) as bar,
    ):
        for first in range(0, count, _DECODED_AT_ONCE):
            some = range(first, min(count, first + _DECODED_AT_ONCE))
            for picture in pool.map(lambda i: read_sized(listing.path(i), size), some):
                yield picture
                bar.update()
