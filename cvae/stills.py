"""Files that make one clip together, chosen, in a folder or in a zip: which of them, in which order."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Literal
from zipfile import ZipFile

from cvae import archives
from cvae.errors import InputError
from cvae.inputs import HEAD_BYTES, PICTURE_FORMATS, FileType, Limits, open_file, quoted, read_head, recognise

_NOUNS = {"picture": "pictures", "json": "key points"}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of many, not yet opened."""

    name: str
    """Without its folder."""
    folder: str = ""
    """In which it lies within a zip."""
    size: int
    """Bytes, unpacked."""
    came: FileType
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Stills:
    """The pictures of a clip in the order of time."""

    name: str
    """Of all together, for messages."""
    pictures: Sequence[Member]
    notes: tuple[str, ...]
    """What was left out."""


def members_of_files(paths: Sequence[Path], name: str, limits: Limits) -> Iterator[Member]:
    """Several files that a user chose; `name` is that of all together."""
    limits.check_entries(name, len(paths))
    for path in paths:
        came = recognise(read_head(path, limits))
        yield Member(name=path.name, size=path.stat().st_size, came=came, open=partial(open_file, path))


def members_of_folder(folder: Path, limits: Limits) -> Iterator[Member]:
    """The files that lie in a folder, not in folders within it, and are not hidden.

    Raises:
        InputError: If it cannot be opened or holds too many.
    """
    try:
        files = [file for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()]
    except OSError as error:
        raise InputError(f"The folder {quoted(folder.name)} cannot be opened: {error.strerror}.") from error
    limits.check_entries(folder.name, len(files))
    for file in files:
        with open_file(file) as opened:
            came = recognise(opened.read(HEAD_BYTES))
        yield Member(name=file.name, size=file.stat().st_size, came=came, open=partial(open_file, file))


def members_of_zip(archive: ZipFile) -> Iterator[Member]:
    """The files of an open zip, whichever of its folders they lie in."""
    for info in archives.files_in(archive):
        inside = PurePosixPath(info.filename)
        yield Member(
            name=inside.name,
            folder=inside.parent.as_posix(),
            size=info.file_size,
            came=recognise(archives.read_head_of(archive, info)),
            open=partial(archives.unpack, archive, info),
        )


def in_order(
    members: Iterable[Member], kind: Literal["picture", "json"], name: str, limits: Limits
) -> tuple[Sequence[Member], tuple[str, ...]]:
    """Those of one kind in the order of time, and a note if others were left out.

    Raises:
        InputError: If one is too large, or they lie in several folders.
    """
    chosen: list[Member] = []
    others: list[Member] = []
    for member in members:
        (chosen if member.came.kind == kind else others).append(member)
    for member in chosen:
        limits.check_bytes(member.name, member.size)
    folders = sorted({member.folder for member in chosen})
    if len(folders) > 1:
        named = " and ".join(quoted(folder) for folder in folders[:2])
        raise InputError(
            f"{quoted(name)} has {_NOUNS[kind]} in {len(folders)} folders ({named}); expected one clip in one folder."
        )
    notes = (f"Left out of {quoted(name)}, being no {_NOUNS[kind]}: {_some(others)}.",) if others else ()
    return sorted(chosen, key=lambda member: natural_order(member.name)), notes


def _some(members: Sequence[Member]) -> str:
    names = sorted(member.name for member in members)
    return ", ".join(quoted(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")


def stills_of_files(paths: Sequence[Path], name: str, limits: Limits) -> Stills:
    """Several files that a user chose, each a picture."""
    members = list(members_of_files(paths, name, limits))
    for member in members:
        if member.came.kind != "picture":
            raise InputError(
                f"{quoted(member.name)} is {member.came.title}; expected several pictures ({PICTURE_FORMATS}), "
                "or one file alone."
            )
    return _stills(members, name, limits)


def stills_of_folder(folder: Path, limits: Limits) -> Stills:
    """The pictures that lie in a folder, not in folders within it."""
    return _stills(list(members_of_folder(folder, limits)), folder.name, limits)


def stills_of_zip(archive: ZipFile, name: str, limits: Limits) -> Stills:
    """The pictures of an open zip, all in one folder of it."""
    members = list(members_of_zip(archive))
    if any(member.came.kind == "zip" for member in members):
        raise InputError(f"{quoted(name)} holds another zip; expected the pictures themselves.")
    return _stills(members, name, limits)


def _stills(members: Sequence[Member], name: str, limits: Limits) -> Stills:
    pictures, notes = in_order(members, "picture", name, limits)
    if not pictures:
        holds = f"no pictures but {_some(members)}" if members else "no files"
        raise InputError(f"{quoted(name)} holds {holds}; expected pictures ({PICTURE_FORMATS}).")
    return Stills(name, pictures, notes)


def is_folder(path: Path) -> bool:
    """Whether it is one, as far as the system tells; opening what is none will say why."""
    try:
        return path.is_dir()
    except OSError:  # such as a name too long
        return False


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sorting key in which numbers count as numbers: 1, 2, 10."""
    # By length, then digits: int() refuses the thousands of digits that a zip may put in a name.
    parts = re.split(r"([0-9]+)", name)
    return [
        (0, len(part.lstrip("0")), part.lstrip("0")) if index % 2 else (1, 0, part.casefold())
        for index, part in enumerate(parts)
    ] + [(2, 0, name)]
