"""The lab's layout: pictures named by numbers, of which those that follow each other are one recording."""

import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvae.errors import InputError
from cvae.export import write_png
from cvae.poses.skeleton import JOINTS

_THOUSAND = 1000


def numbers_taken(frames: int) -> int:
    """How many numbers a recording takes: whole thousands, and more than it has frames, so that the next is apart."""
    return _THOUSAND * (frames // _THOUSAND + 1)


def write_recording(folder: Path, number: int, frames: Iterable[np.ndarray], poses: Iterable[np.ndarray]) -> None:
    """Writes frames `F/F_img/N.png` and poses `F/F_label/N.png`, N counting from `number`; F is the folder's name.

    Args:
        folder: Of the split; both folders in it are there.
        number: Of the first.
        frames: uint8 RGB, `(H, W, 3)` each.
        poses: As many.
    """
    for index, (frame, pose) in enumerate(zip(frames, poses, strict=True), start=number):
        write_png(folder / f"{folder.name}_img" / f"{index}.png", frame)
        write_png(folder / f"{folder.name}_label" / f"{index}.png", pose)


def write_keypoints(folder: Path, recordings: Iterable[tuple[int, np.ndarray]]) -> None:
    """Writes `F/F_keypoints.npz`, in which `read_keypoints` finds the key points of every frame.

    Args:
        folder: Of the split.
        recordings: At least one: number of its first frame, and key points `(T, 23, 3)` in pixels of the frames.
    """
    firsts, points = zip(*recordings, strict=True)
    numbers = [first + np.arange(len(some)) for first, some in zip(firsts, points, strict=True)]
    np.savez_compressed(_keypoints_of(folder), number=np.concatenate(numbers), keypoints=np.concatenate(points))


def read_keypoints(folder: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Reads `F/F_keypoints.npz`.

    Args:
        folder: Of the split, called F.

    Returns:
        Numbers of frames `(N,)`, all different, and their key points `(N, 23, 3)`: x and y in pixels of the picture on
        disk, and confidence, 0 where a joint is not seen.

    Raises:
        InputError: If it is missing or damaged, or holds other arrays.
    """
    path = _keypoints_of(folder)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            numbers, points = arrays["number"], arrays["keypoints"]
    except FileNotFoundError:
        raise InputError(
            f"{path} is not there; expected the key points of every frame, as `python -m training prepare` writes them."
        ) from None
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        raise InputError(f"{path} is no file of key points; expected the arrays number and keypoints.") from None
    fits = numbers.dtype.kind in "iu" and points.dtype.kind == "f"
    if not fits or numbers.ndim != 1 or points.shape != (len(numbers), len(JOINTS), 3):
        raise InputError(
            f"{path} has number {numbers.shape} and keypoints {points.shape}; expected whole numbers (N,) and numbers "
            f"(N, {len(JOINTS)}, 3)."
        )
    if not np.isfinite(points).all():
        raise InputError(f"{path} has key points that are no finite numbers; expected 0 where a joint is not seen.")
    different, counts = np.unique(numbers, return_counts=True)
    if len(different) < len(numbers):
        raise InputError(f"{path} has number {different[counts > 1][0]} twice; expected each frame once.")
    return numbers.astype(np.int64), points.astype(np.float64)


def _keypoints_of(folder: Path) -> Path:
    return folder / f"{folder.name}_keypoints.npz"
