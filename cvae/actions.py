"""A robot's actions and positions, read from whatever a user has them in: tables, folders and zips."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from cvae import archives
from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits, quoted, read_head, recognise
from cvae.progress import Watch
from cvae.stills import Member, Stills, in_order, is_folder, members_of_files, members_of_folder, members_of_zip
from cvae.tables import check_table_bytes, parse_table
from cvae.video import Clip, read_clip

ACTION_NUMBERS = 4
"""What is commanded between a frame and the next."""
POSITION_NUMBERS = 3
"""Where the hand is in a frame."""

_EXPECTED = (
    f"expected a table (CSV) of {ACTION_NUMBERS + POSITION_NUMBERS} numbers a row, {ACTION_NUMBERS} of the action and "
    f"{POSITION_NUMBERS} of the position, or one table of {ACTION_NUMBERS} and one of {POSITION_NUMBERS}"
)
_TRAJECTORY = f"{_EXPECTED}, perhaps in a folder or a zip with the pictures 0.png, 1.png, ..."
_NUMBERED = re.compile(r"([0-9]{1,18})\.\w+")


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What a robot does, frame by frame."""

    rows: np.ndarray
    """float32 `(T, 7)`: the action between this frame and the next, and the position of the hand in this frame."""
    video: Clip | None = None
    """Frames that came along, at most T: frame t belongs to row t."""
    notes: tuple[str, ...] = ()
    """Sentences that the user should see."""


def to_conditions(rows: np.ndarray) -> np.ndarray:
    """What the network is told of each frame: the action that leads to it, and the position before it.

    Args:
        rows: `(T, 7)`, as in `Actions`.

    Returns:
        `(T, 7)`: row t - 1 for frame t; row 0 for frame 0, which is given.
    """
    return np.concatenate([rows[:1], rows[:-1]])


def read_actions(
    paths: Path | Sequence[Path], *, size: tuple[int, int], limits: Limits = LIMITS, watch: Watch | None = None
) -> Actions:
    """Read a robot's actions and positions; files are told apart by their content, never by their names.

    Args:
        paths: A table of 7 columns, or one of 4 and one of 3, as files, in a folder or in a zip; there perhaps with
            the pictures of the trajectory, which become its video.
        size: Height and width that pictures are resized to.
        limits: How large it may be.
        watch: Called after every picture.

    Raises:
        InputError: If it cannot be read, holds no actions, or its rows and pictures do not belong together.
    """
    given = [paths] if isinstance(paths, Path) else list(paths)
    if not given:
        raise InputError(f"No file came; {_TRAJECTORY}.")
    if len(given) > 1:
        name = f"{given[0].name} and {len(given) - 1} more"
        return _read_members(members_of_files(given, name, limits), name, size, limits, watch)
    (path,) = given
    if is_folder(path):
        return _read_members(members_of_folder(path, limits), path.name, size, limits, watch)
    if recognise(read_head(path, limits)).kind == "zip":
        with archives.open_zip(path, limits) as archive:
            return _read_members(members_of_zip(archive), path.name, size, limits, watch)
    return _read_members(members_of_files([path], path.name, limits), path.name, size, limits, watch)


def _read_members(
    members: Iterable[Member], name: str, size: tuple[int, int], limits: Limits, watch: Watch | None
) -> Actions:
    tables: list[Member] = []
    others: list[Member] = []
    for member in members:
        (tables if _is_text(member) else others).append(member)
    if not tables:
        came = f"is {others[0].came.title}" if [other.name for other in others] == [name] else "holds no table"
        raise InputError(f"{quoted(name)} {came}; {_TRAJECTORY}.")
    if len(tables) > 2:
        raise InputError(f"{quoted(name)} holds {len(tables)} texts ({_some(tables)}); {_EXPECTED}.")
    tables.sort(key=lambda member: member.name)
    rows = _join([(member.name, _read_table(member, limits)) for member in tables])
    pictures, notes = in_order(others, "picture", name, limits)
    if len({member.folder for member in [*tables, *pictures]}) > 1:
        raise InputError(f"The tables and pictures of {quoted(name)} lie in several folders; expected one trajectory.")
    if not pictures:
        return Actions(rows=rows, notes=notes)
    _check_pictures(pictures, len(rows), name)
    video = read_clip(Stills(name, pictures, ()), size=size, limits=limits, watch=watch)
    return Actions(rows=rows, video=video, notes=notes)


def _is_text(member: Member) -> bool:
    return member.came == recognise(b"text")


def _some(members: Sequence[Member]) -> str:
    return ", ".join(quoted(member.name) for member in members[:3]) + (", ..." if len(members) > 3 else "")


def _read_table(member: Member, limits: Limits) -> np.ndarray:
    check_table_bytes(member.name, member.size, limits)
    columns = (ACTION_NUMBERS, POSITION_NUMBERS, ACTION_NUMBERS + POSITION_NUMBERS)
    with member.open() as file:
        return parse_table(file.read(), member.name, columns, limits)


def _join(tables: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """Rows of 7 of one or two tables, actions first."""
    ordered = [table for _, table in sorted(tables, key=lambda named: -named[1].shape[1])]
    widths = [table.shape[1] for table in ordered]
    if widths not in ([ACTION_NUMBERS + POSITION_NUMBERS], [ACTION_NUMBERS, POSITION_NUMBERS]):
        came = " and ".join(f"{quoted(name)} has {table.shape[1]} numbers a row" for name, table in tables)
        raise InputError(f"{came}{'' if len(tables) > 1 else ' and stands alone'}; {_EXPECTED}.")
    if len({len(table) for table in ordered}) > 1:
        came = " and ".join(f"{quoted(name)} has {len(table)} rows" for name, table in tables)
        raise InputError(f"{came}; expected as many in both, one for each frame.")
    return np.concatenate(ordered, axis=1)


def _check_pictures(pictures: Sequence[Member], rows: int, name: str) -> None:
    if len(pictures) > rows:
        raise InputError(
            f"{quoted(name)} has {len(pictures)} pictures and {rows} rows of actions; expected at least as many rows "
            "as pictures."
        )
    named = [_NUMBERED.fullmatch(picture.name) for picture in pictures]
    numbers = [int(match[1]) for match in named if match]
    if len(numbers) < len(pictures):  # other names tell an order and no number
        return
    if numbers[0] > 1:
        raise InputError(f"The pictures of {quoted(name)} begin with number {numbers[0]}; expected 0.")
    for before, after in pairwise(numbers):
        if after != before + 1:
            raise InputError(
                f"{quoted(name)} has no picture {before + 1} between {before} and {after}; expected one for every row "
                "up to the last picture."
            )
