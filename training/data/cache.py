"""Arrays made from many small files once, kept on disk, and mapped into memory by every process."""

import hashlib
import logging
import mmap
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tqdm import tqdm

from cvae.config import DataConfig
from cvae.errors import InputError
from cvae.pictures import read_picture, resize_frame

log = logging.getLogger(__name__)

Size = tuple[int, int]
"""Height and width in pixels."""
T = TypeVar("T")

AT_ONCE = 1024
"""Pictures in memory; a million tasks in a queue would need more memory than what they give."""


def decoded(data: Path, name: str, digest: str, count: int, path_of: Callable[[int], Path], size: Size) -> NDArray[Any]:
    """Pictures as one array, decoded where they are not yet, uint8 `(N, H, W, 3)`.

    Args:
        data: The data set.
        name: Of the pictures in its cache.
        digest: Of what there is on disk; another one, and the pictures are decoded again.
        count: N.
        path_of: The file of picture i.
        size: Height and width to resize to.

    Raises:
        InputError: If a picture cannot be read, or the cache not be written.
    """

    def write(file: IO[bytes]) -> None:
        # Written, not mapped: on a full disk a mapped file kills the process without a word.
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, *size, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for picture in work_in_order(lambda i: read_sized(path_of(i), size), count, f"decoding {name}", "frames"):
            file.write(np.ascontiguousarray(picture).data)

    return kept(data, f"{name}_{size[0]}x{size[1]}", digest, write)


def work_in_order(work: Callable[[int], T], count: int, title: str, unit: str) -> Iterator[T]:
    """What `work` gives for 0, 1, ... `count - 1`, done by several threads, with a progress bar."""
    with (
        ThreadPoolExecutor() as pool,
        tqdm(total=count, desc=title, unit=f" {unit}", leave=False) as bar,
    ):
        for first in range(0, count, AT_ONCE):
            for result in pool.map(work, range(first, min(count, first + AT_ONCE))):
                yield result
                bar.update()


def kept(data: Path, stem: str, digest: str, write: Callable[[IO[bytes]], None]) -> NDArray[Any]:
    """An array of the cache, mapped; written first where it is missing or made of other files than those there now.

    The cache is `data/.cache`, or the user's own where that cannot be written.

    Args:
        data: The data set.
        stem: Of the array's name.
        digest: Of the files that it is made of.
        write: Writes it, as a NumPy file.

    Raises:
        InputError: If it cannot be written.
    """
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
                        raise  # a file that cannot be read
                    raise InputError(f"The decoded frames cannot be kept in {cache}: {error.strerror}.") from error
                finally:
                    partial.unlink(missing_ok=True)
    return mapped(path)


def _is_whole(path: Path) -> bool:
    """Whether an array is there to its end."""
    try:
        mapped(path)
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


def mapped(path: Path) -> NDArray[Any]:
    """A NumPy file for reading here and there: reading ahead, 30 times as much as asked for, is switched off."""
    array = np.load(path, mmap_mode="r")
    if hasattr(mmap, "MADV_RANDOM"):
        array.base.madvise(mmap.MADV_RANDOM)
    return array


def file_of(array: Any) -> Any:
    """The file that an array is mapped from, all of it; the array itself where it is none or a part."""
    whole = isinstance(array, np.memmap) and isinstance(array.base, mmap.mmap)  # not a slice
    return Path(array.filename) if whole else array


def read_sized(path: Path, size: Size) -> NDArray[np.uint8]:
    """A picture of a data set, resized.

    Raises:
        InputError: If it cannot be read; many are called alike, so that it names the folder too.
    """
    return resize_frame(_read(path), size)


def stored_size(path: Path) -> Size:
    """Height and width of a picture of a data set as it lies on disk.

    Raises:
        InputError: If it cannot be read.
    """
    height, width, _ = _read(path).shape
    return height, width


def own_size(path: Path) -> Size:
    """The size of the frames of a data set, where nobody asked for another; told before hours of decoding.

    Args:
        path: Of its first frame.

    Raises:
        InputError: If the picture cannot be read, or no network takes frames of that size.
    """
    height, width = stored_size(path)
    try:
        return DataConfig(height=height, width=width).size
    except InputError as error:
        raise InputError(f"{path.parent} holds pictures of {width}x{height} pixels: {error} Give --size.") from None


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        return read_picture(path)
    except InputError as error:
        raise InputError(f"{path.parent}: {error}") from None
