"""Still pictures that make one clip: which of the files, in which order."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZipFile

from cvae import archives
from cvae.errors import InputError
from cvae.inputs import HEAD_BYTES, PICTURE_FORMATS, Limits, open_file, quoted, read_head, recognise


@dataclass(frozen=True)
class Still:
    """One picture of many, not yet opened."""

    name: str
    """Without its folder."""
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Stills:
    """The pictures of a clip in the order of time."""

    pictures: tuple[Still, ...]
    notes: tuple[str, ...]
    """What was left out."""


def stills_of_files(paths: Sequence[Path], name: str, limits: Limits) -> Stills:
    """Several files that a user chose, each a picture."""
    limits.check_entries(name, len(paths))
    for path in paths:
        came = recognise(read_head(path, limits))
        if came.kind != "picture":
            raise InputError(
                f"{quoted(path.name)} is {came.title}; expected several pictures ({PICTURE_FORMATS}), "
                "or one file alone."
            )
    return _in_order([Still(path.name, _opener(path)) for path in paths], [], name, limits)


def stills_of_folder(folder: Path, limits: Limits) -> Stills:
    """The pictures that lie in a folder, not in folders within it."""
    stills, others = [], []
    for file in visible_files(folder, limits):
        with open_file(file) as opened:
            kind = recognise(opened.read(HEAD_BYTES)).kind
        if kind == "picture":
            limits.check_bytes(file.name, file.stat().st_size)
            stills.append(Still(file.name, _opener(file)))
        else:
            others.append(file.name)
    return _in_order(stills, others, folder.name, limits)


def is_folder(path: Path) -> bool:
    """Whether it is one, as far as the system tells; opening what is none will say why."""
    try:
        return path.is_dir()
    except OSError:  # such as a name too long
        return False


def visible_files(folder: Path, limits: Limits) -> list[Path]:
    """The files of a folder that are not hidden, in no order.

    Raises:
        InputError: If it cannot be opened or holds too many.
    """
    try:
        files = [file for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()]
    except OSError as error:
        raise InputError(f"The folder {quoted(folder.name)} cannot be opened: {error.strerror}.") from error
    limits.check_entries(folder.name, len(files))
    return files


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: open_file(path)


def stills_of_zip(archive: ZipFile, name: str, limits: Limits) -> Stills:
    """The pictures of an open zip, all in one folder of it."""
    stills, others, folders = [], [], set()
    for info in archives.files_in(archive):
        kind = recognise(archives.read_head_of(archive, info)).kind
        if kind == "zip":
            raise InputError(f"{quoted(name)} holds another zip; expected the pictures themselves.")
        inside = PurePosixPath(info.filename)
        if kind == "picture":
            stills.append(Still(inside.name, archives.opener(archive, info, limits)))
            folders.add(inside.parent.as_posix())
        else:
            others.append(inside.name)
    if len(folders) > 1:
        named = " and ".join(quoted(folder) for folder in sorted(folders)[:2])
        raise InputError(
            f"{quoted(name)} has pictures in {len(folders)} folders ({named}); expected one clip in one folder."
        )
    return _in_order(stills, others, name, limits)


def _in_order(stills: Sequence[Still], others: Sequence[str], name: str, limits: Limits) -> Stills:
    if not stills:
        holds = f"no pictures but {_some(others)}" if others else "no files"
        raise InputError(f"{quoted(name)} holds {holds}; expected pictures ({PICTURE_FORMATS}).")
    ordered = tuple(sorted(stills, key=lambda still: natural_order(still.name)))
    notes = (f"Left out of {quoted(name)}, being no pictures: {_some(others)}.",) if others else ()
    return Stills(ordered, notes)


def _some(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in sorted(names)[:3]) + (", ..." if len(names) > 3 else "")


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sorting key in which numbers count as numbers: 1, 2, 10."""
    # By length, then digits: int() refuses the thousands of digits that a zip may put in a name.
    parts = re.split(r"([0-9]+)", name)
    return [
        (0, len(part.lstrip("0")), part.lstrip("0")) if index % 2 else (1, 0, part.casefold())
        for index, part in enumerate(parts)
    ] + [(2, 0, name)]
