"""A robot's trajectories in the layout of BAIR's pushing data: a folder of pictures and two tables each."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvae.actions import ACTION_NUMBERS, POSITION_NUMBERS, to_conditions
from cvae.errors import InputError
from cvae.inputs import OWN_FILES, open_file
from cvae.stills import natural_order
from cvae.tables import check_table_bytes, parse_table
from training.data.cache import Size, decoded, kept, own_size, work_in_order
from training.data.misplaced import TABLES, no_split, no_trajectories, nothing_in_trajectory
from training.data.recordings import Recordings, Split

_COLUMNS = dict(zip(TABLES, (ACTION_NUMBERS, POSITION_NUMBERS), strict=True))
_PICTURE = re.compile(r"(0|[1-9][0-9]{0,17})\.png")
_LOOKED_AT = 8
"""Files of a folder that are looked at to tell what it is."""


def open_trajectories(data: Path, split: Split, size: Size | None = None) -> Recordings:
    """Read `data/{train,validate,test}/*/N/0.png, 1.png, ...` with the tables `actions.csv` and
    `endeffector_positions.csv` beside them, which have a row for every picture.

    Trajectories are recordings, in natural order. Pictures are decoded and tables read once, and kept in
    `data/.cache`, or in the user's own cache where that cannot be written.

    Args:
        data: The folder that holds the splits.
        split: Which of them; `val` is the folder `validate`, or else `val`.
        size: Height and width to resize to; that of the first picture by default.

    Returns:
        Conditions as `to_conditions` makes them of each trajectory, float32 `(N, 7)`.

    Raises:
        InputError: If there are no trajectories, or one lacks something; it says how to mend what people often meet.
    """
    listing = _list(data, split)
    size = size or own_size(listing.picture(0))
    count = int(listing.ends[-1])
    conditions = _conditions(data, split, listing)
    frames = decoded(data, f"{split}_trajectories", listing.digest, count, listing.picture, size)
    return Recordings(frames, conditions, list(pairwise([0, *listing.ends.tolist()])))


def trajectory_names(data: Path, split: Split) -> list[str]:
    """Names such as `traj_0_to_255/12`, one for every span of `open_trajectories` and in the same order.

    No folder of a trajectory is opened: of thousands they come at once.

    Raises:
        InputError: If there are no trajectories.
    """
    folder = _folder_of(data, split)
    if not folder.is_dir():
        raise no_split(data, folder.name)
    names = [f"{group}/{name}" for group in _folders(folder) for name in _folders(folder / group)]
    if not names:
        raise no_trajectories(folder)
    return sorted(names, key=natural_order)


def are_trajectories(data: Path, split: Split) -> bool:
    """Whether folders of folders lie there, not the lab's folders of pictures; a few files are looked at."""
    folder = _folder_of(data, split)
    if not folder.is_dir() or (folder / f"{split}_img").is_dir():
        return False
    return any(any(_folders(folder / group, _LOOKED_AT)) for group in _folders(folder, _LOOKED_AT))


@dataclass(frozen=True)
class _Listing:
    """Trajectories in order; of their pictures, which may be millions, only how many there are."""

    folder: Path
    names: list[str]
    counts: list[int]
    digest: str

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """One past the index of each trajectory's last picture."""
        return np.cumsum(self.counts, dtype=np.int64)

    def picture(self, index: int) -> Path:
        at = int(np.searchsorted(self.ends, index, side="right"))
        return self.folder / self.names[at] / f"{index - int(self.ends[at]) + self.counts[at]}.png"


def _list(data: Path, split: Split) -> _Listing:
    folder, names = _folder_of(data, split), trajectory_names(data, split)
    counts, digest = [], hashlib.sha256()
    for name in names:
        stamps = sorted(_stamps(folder / name))
        counts.append(_count(folder / name, {stamp[0] for stamp in stamps}))
        digest.update(repr((name, stamps)).encode())
    return _Listing(folder, names, counts, digest.hexdigest()[:12])


def _folder_of(data: Path, split: Split) -> Path:
    """The folder of a split, or where it is expected."""
    names = ("validate", "val") if split == "val" else (split,)
    return next((data / name for name in names if (data / name).is_dir()), data / names[0])


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """What the system does not let us read within `path` is told in a sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{error.filename or path} cannot be read: {error.strerror}.") from error


def _folders(folder: Path, most: int | None = None) -> Iterator[str]:
    """Names of the folders within, not of hidden ones; of the first `most` files at most."""
    with _telling(folder), os.scandir(folder) as entries:
        for entry in islice(entries, most):
            if entry.is_dir() and not entry.name.startswith("."):
                yield entry.name


def _stamps(folder: Path) -> Iterator[tuple[str, int, int]]:
    with _telling(folder), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in TABLES or _PICTURE.fullmatch(entry.name):
                stat = entry.stat()
                yield entry.name, stat.st_size, stat.st_mtime_ns


def _count(folder: Path, files: set[str]) -> int:
    """How many pictures a trajectory has, once it is known to lack none, and no table."""
    count = len(files.difference(TABLES))
    for name in ("0.png", *TABLES):
        if name not in files:
            raise nothing_in_trajectory(folder, name)
    lacking = next((number for number in range(count) if f"{number}.png" not in files), None)
    if lacking is not None:
        raise InputError(f"{folder} has {count} pictures and lacks {lacking}.png; expected 0.png to {count - 1}.png.")
    return count


def _conditions(data: Path, split: Split, listing: _Listing) -> NDArray[np.float32]:
    def read(index: int) -> NDArray[np.float32]:
        return to_conditions(_read_rows(listing.folder / listing.names[index], listing.counts[index]))

    def all_of_them() -> NDArray[np.float32]:
        return np.concatenate(list(work_in_order(read, len(listing.names), "reading actions", "trajectories")))

    return kept(data, f"{split}_actions", listing.digest, lambda file: np.save(file, all_of_them()))


def _read_rows(folder: Path, count: int) -> NDArray[np.float32]:
    """Actions and positions of a trajectory of `count` pictures, `(count, 7)`."""
    with _telling(folder):
        try:
            tables = [_read_table(folder / name, columns) for name, columns in _COLUMNS.items()]
        except InputError as error:
            raise InputError(f"{folder}: {error}") from None
    if any(len(table) != count for table in tables):
        rows = " and ".join(f"{len(table)} rows in {name}" for name, table in zip(TABLES, tables, strict=True))
        raise InputError(f"{folder} has {count} pictures, {rows}; expected a row for every picture.")
    return np.concatenate(tables, axis=1)


def _read_table(path: Path, columns: int) -> NDArray[np.float32]:
    with open_file(path) as file:
        check_table_bytes(path.name, os.fstat(file.fileno()).st_size, OWN_FILES)
        return parse_table(file.read(), path.name, (columns,), OWN_FILES)
