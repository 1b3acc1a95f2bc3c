"""What the page keeps of one user, from one click to the next."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from cvae.poses.source import Poses, read_poses
from cvae.progress import Watch
from web.steering import Files, Start, Trip

MOST_KEPT = 8
"""Open pages whose files are kept as they were read, those used last: they may have 50 MB, and pages stay open for
days."""


@dataclass(eq=False)
class Session:
    """One user's open page, or one tab of it."""

    running: bool = False
    """Whether a video is made."""
    stop: bool = False
    """Asks what goes on, a run, a step of steering or a search for poses, to end."""
    uploaded: Sequence[Path] = ()
    """The poses that the page holds now; a search in others is in vain."""
    trip: Trip | None = None
    """How the robot was steered, if it was."""

    def read(self, paths: Sequence[Path], size: tuple[int, int], watch: Watch) -> Poses:
        """What `read_poses` finds in these files, at once if they were the last that were read.

        Only what the page holds is kept: a search may end after others came, in a thread of its own.

        Raises:
            InputError: If they hold no poses.
        """
        kept = _take(self)  # also of other poses: never two in memory
        came = kept[1] if kept and kept[0] == list(paths) else read_poses(list(paths), size=size, watch=watch)
        if list(self.uploaded) == list(paths):
            _keep(self, list(paths), came)
        return came

    def start(self, files: Files, read: Callable[[], Start]) -> Start:
        """What was read of these files, at once if they were the last that were read."""
        kept = _take(self)
        start = kept[1] if kept and kept[0] == files else read()
        _keep(self, files, start)
        return start


_kept: WeakKeyDictionary[Session, tuple[Any, Any]] = WeakKeyDictionary()
"""Of each page, the files read last and what was in them; the one used last at the end."""
_lock = threading.Lock()


def _take(session: Session) -> tuple[Any, Any] | None:
    with _lock:
        return _kept.pop(session, None)


def _keep(session: Session, files: Any, came: Any) -> None:
    with _lock:
        _kept[session] = files, came
        for oldest in list(_kept)[:-MOST_KEPT]:
            del _kept[oldest]
