"""The lab's folders of pictures: frames, and poses as pictures or as key points."""

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvae.errors import InputError
from cvae.poses.keypoints import to_numbers
from training.data.cache import Size, decoded, kept, own_size, stored_size
from training.data.layout import read_keypoints
from training.data.recordings import Recordings, Split, measure_ink

log = logging.getLogger(__name__)

NAMED = 5
"""Numbers that a message names; of more it tells how many."""
_PICTURE = re.compile(r"(\d{1,18})\.png", re.ASCII)


def open_poses(data: Path, split: Split, size: Size | None = None) -> Recordings:
    """Read frames `data/SPLIT/SPLIT_img/N.png` and poses `data/SPLIT/SPLIT_label/N.png`.

    The pictures are decoded once and kept in `data/.cache`, or in the user's own cache where that cannot be written.
    Gaps in the numbering are cuts, and logged with their numbers.

    Args:
        data: The folder that holds `train` and `val`.
        split: Which of them.
        size: Height and width to resize to; that of the first frame by default.

    Raises:
        InputError: If there are no frames, or a frame has no pose or a pose no frame.
    """
    images, labels = (_list(data / split / f"{split}_{kind}") for kind in ("img", "label"))
    if unpaired := np.setxor1d(images.numbers, labels.numbers).tolist():
        raise InputError(
            f"{data / split} has {len(unpaired)} frames without a pose or poses without a frame: {_pngs(unpaired)}."
        )
    size = size or own_size(images.path(0))
    frames, poses = (_decoded(data, listing, size) for listing in (images, labels))
    stem = f"{split}_ink_{size[0]}x{size[1]}"
    ink = kept(data, stem, labels.digest, lambda file: np.save(file, measure_ink(poses)))
    return Recordings(frames, poses, _spans(split, images.numbers), ink)


def open_keypoints(data: Path, split: Split, size: Size | None = None) -> Recordings:
    """Read frames `data/SPLIT/SPLIT_img/N.png` and the key points in `data/SPLIT/SPLIT_keypoints.npz`.

    Args:
        data: As in `open_poses`.
        split: As in `open_poses`.
        size: As in `open_poses`; it does not change the key points, which become shares of the picture.

    Returns:
        Conditions as `to_numbers` makes them, float32 `(N, 69)`.

    Raises:
        InputError: If there are no frames, or one has no key points.
    """
    images = _list(data / split / f"{split}_img")
    numbers, points = read_keypoints(data / split)
    if lacking := np.setdiff1d(images.numbers, numbers).tolist():
        raise InputError(f"{data / split} has {len(lacking)} frames without key points: {_pngs(lacking)}.")
    order = np.argsort(numbers, kind="stable")
    rows = points[order[np.searchsorted(numbers, images.numbers, sorter=order)]]
    size = size or own_size(images.path(0))
    conditions = to_numbers(rows, stored_size(images.path(0)))
    digest = hashlib.sha256(conditions.tobytes()).hexdigest()[:12]
    conditions = kept(data, f"{split}_keypoints", digest, lambda file: np.save(file, conditions))
    return Recordings(_decoded(data, images, size), conditions, _spans(split, images.numbers))


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


def _pngs(numbers: list[int]) -> str:
    return ", ".join(f"{n}.png" for n in numbers[:NAMED]) + (", ..." if len(numbers) > NAMED else "")


def _decoded(data: Path, listing: _Listing, size: Size) -> NDArray[np.uint8]:
    return decoded(data, listing.folder.name, listing.digest, len(listing.numbers), listing.path, size)


def _spans(split: str, numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Recordings: numbers that follow each other. Gaps are told."""
    cuts = (np.flatnonzero(np.diff(numbers) != 1) + 1).tolist()
    if cuts:
        named = ", ".join(f"{numbers[i - 1] + 1} to {numbers[i] - 1}" for i in cuts[:NAMED])
        more = ", ..." if len(cuts) > NAMED else ""
        gaps = "1 gap in the numbering is taken as a cut"
        if len(cuts) > 1:
            gaps = f"{len(cuts)} gaps in the numbering are taken as cuts"
        log.info("%s: %s: no %s%s.", split, gaps, named, more)
    return list(pairwise([0, *cuts, len(numbers)]))
