"""Writing files whole or not at all."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from cvae.errors import InputError
from cvae.inputs import quoted

_LEFTOVER = re.compile(r"\.[0-9a-f]{32}(\.\w+)?|\..+\.[a-z0-9_]{8}")
"""Names that `replacing` and `filling` give."""


def new_folder(path: Path) -> None:
    """Make a folder for results.

    Raises:
        InputError: If there is something already, or the folder cannot be made.
    """
    with _making(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """A new folder whose content becomes that of `folder` at the end, or vanishes when the body fails.

    Raises:
        InputError: If there is something already, or the folder cannot be made.
    """
    with _making(folder):
        folder = Path(os.path.realpath(folder))  # of `.` too, the parent and the name are known
        if folder.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = folder if folder.exists() else folder.parent  # a mount point cannot be replaced
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=place))
    try:
        yield unfinished
        if place == folder:
            for made in list(unfinished.iterdir()):
                made.rename(folder / made.name)
        else:
            unfinished.chmod(0o755)
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _making(folder: Path) -> Iterator[None]:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(f"{folder} already exists and is not an empty folder; give a new one.")
        yield
    except OSError as error:
        raise InputError(f"{folder} cannot be made a folder: {error.strerror}.") from None


def remove_leftovers(folder: Path) -> None:
    """Remove what `filling` and `replacing` had begun in a folder when their process was killed."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if _LEFTOVER.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its place at the end, or vanishes when the body fails."""
    partial = path.with_name(f".{uuid4().hex}{path.suffix}")
    try:
        if path.is_dir():
            raise InputError(f"{quoted(path.name)} is a folder; expected the name of a file to write.")
        partial.touch(exist_ok=False)
    except OSError as error:
        raise InputError(f"{quoted(path.name)} cannot be written in its folder: {error.strerror}.") from error
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
