"""Long work on files in a thread of its own, so that the page can tell how far it is and end it."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, Self, TypeVar

from cvae.errors import InputError
from cvae.progress import Watch

T = TypeVar("T")
INTERVAL = 0.2
"""Seconds between two words about the work."""
PATIENCE = 0.5
"""Seconds in which abandoned work should end; it looks up after every frame of a video of a person."""

_DOWNLOADS = logging.getLogger("cvae.poses.weights")
_DOWNLOADS.setLevel(logging.INFO)  # it says when it fetches the pose networks, and the user should know


class Stopped(Exception):
    """The work was ended before it was done."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the work is."""

    sentence: str = "Reading the files …"
    share: float | None = None
    """Of all there is to do, 0 to 1, where it is known."""


class Worker(Generic[T]):
    """Work in a thread: iterate to see its progress, then ask for its result; leaving the context ends it.

    >>> with Worker(lambda watch: read_poses(paths, size=size, watch=watch), lambda: session.stop) as worker:
    ...     for progress in worker:
    ...         print(progress.sentence)
    ...     poses = worker.result()
    """

    def __init__(self, work: Callable[[Watch], T], is_over: Callable[[], bool]) -> None:
        """Nothing begins yet.

        Args:
            work: Calls its argument after every frame that it has dealt with.
            is_over: Whether the work shall end, asked after every frame.
        """
        self._work = work
        self._is_over = is_over
        self._left = False
        self._progress = Progress()
        self._future: Future[T] = Future()

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left = True
        wait([self._future], PATIENCE)
        self._future = Future()  # a fault refers to who asked for it, and so to itself

    def __iter__(self) -> Iterator[Progress]:
        """Tell a few times a second how far the work is, until it is over."""
        while not wait([self._future], INTERVAL).done:
            yield self._progress

    def result(self) -> T:
        """What the work returned or raised, `Stopped` where it was ended."""
        return self._future.result()

    def _run(self) -> None:
        try:
            with _heard_of_downloads(self._say):
                self._future.set_result(self._work(self._watch))
        except (InputError, Stopped) as fault:
            # As it came it would hold on to the frames of the work, and to all that it had read.
            self._future.set_exception(type(fault)(*fault.args))
        except Exception as fault:
            self._future.set_exception(fault)

    def _say(self, sentence: str) -> None:
        self._progress = Progress(sentence=sentence)

    def _watch(self, done: int, promised: int | None) -> None:
        if self._left or self._is_over():
            raise Stopped
        if promised and done <= promised:  # it is a guess
            self._progress = Progress(sentence=f"Reading: frame {done} of {promised}", share=done / promised)
        else:
            self._progress = Progress(sentence=f"Reading: frame {done}")


@contextmanager
def _heard_of_downloads(say: Callable[[str], None]) -> Iterator[None]:
    """Hand on what this thread logs while it fetches the pose networks."""
    thread = threading.get_ident()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                say(record.getMessage().replace("...", "…"))

    listener = Listener()
    _DOWNLOADS.addHandler(listener)
    try:
        yield
    finally:
        _DOWNLOADS.removeHandler(listener)
