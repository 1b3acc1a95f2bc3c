"""Writing files whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from cvae.errors import InputError
from cvae.inputs import quoted


def new_folder(path: Path) -> None:
    """Make a folder for results.

    Raises:
        InputError: If there is something already, or the folder cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        used = any(path.iterdir())
    except OSError as error:
        raise InputError(f"{path} cannot be made a folder: {error.strerror}.") from None
    if used:
        raise InputError(f"{path} is not empty; give a new folder.")


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
