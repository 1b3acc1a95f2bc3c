"""The folder of a run, in which one training works at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cvae.errors import InputError
from cvae.files import new_folder
from cvae.runs import checkpoints_in
from training.logs import METRICS

LOCK = ".lock"


@contextmanager
def claimed(out: Path, resume: bool) -> Iterator[None]:
    """Keep every other training out of the folder of a run, which is made where it is new.

    The claim of a process that was killed ends with it.

    Raises:
        InputError: If another training works there, or there is something already that is not resumed.
    """
    # A run that was killed before its first checkpoint has one of these alone, and begins again.
    begun = checkpoints_in(out) or any((out / name).exists() for name in (METRICS, LOCK))
    if not (resume and begun):
        new_folder(out)
    lock = FileLock(out / LOCK, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(f"Another training is at work in {out}; wait for its end, or give another --out.") from None
    try:
        yield
    finally:
        (out / LOCK).unlink(missing_ok=True)
        lock.release()
