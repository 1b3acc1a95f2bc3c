"""What the page keeps of one user, from one click to the next."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from cvae.poses.source import Poses, read_poses
from cvae.progress import Watch

MOST_KEPT = 8
"""Open pages whose poses are kept, those used last: of a clip they may have 50 MB, and pages stay open for days."""


@dataclass(eq=False)
class Session:
    """One user's open page."""

    running: bool = False
    """Whether a video is made."""
    stop: bool = False
    """Asks what goes on, a run or a search for poses, to end."""
    uploaded: Sequence[Path] = ()
    """The poses that the page holds now; a search in others is in vain."""

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


_kept: WeakKeyDictionary[Session, tuple[list[Path], Poses]] = WeakKeyDictionary()
"""Of each page, the poses read last and their files; the one used last at the end."""
_lock = threading.Lock()


def _take(session: Session) -> tuple[list[Path], Poses] | None:
    with _lock:
        return _kept.pop(session, None)


def _keep(session: Session, paths: list[Path], came: Poses) -> None:
    with _lock:
        _kept[session] = paths, came
        for oldest in list(_kept)[:-MOST_KEPT]:
            del _kept[oldest]
