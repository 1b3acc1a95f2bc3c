"""The poses of one user: read once, shown as a strip while and after they are read, and kept for the run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvae.errors import InputError
from cvae.poses.source import Poses, read_poses
from cvae.progress import Watch
from web.strip import fault_strip, poses_strip, progress_strip, sentence_strip
from web.worker import Progress, Stopped, Worker


@dataclass
class Session:
    """One user's open page."""

    running: bool = False
    """Whether a video is made."""
    stop: bool = False
    """Asks what goes on, a run or a search for poses, to end."""
    uploaded: Sequence[Path] = ()
    """The poses that the page holds now; a search in others is in vain."""
    _kept: tuple[list[Path], Poses] | None = None

    def read(self, paths: Sequence[Path], size: tuple[int, int], watch: Watch) -> Poses:
        """What `read_poses` finds in these files, at once if they were the last that were read.

        Raises:
            InputError: If they hold no poses.
        """
        if self._kept is None or self._kept[0] != list(paths):
            self._kept = None  # never two in memory
            self._kept = list(paths), read_poses(list(paths), size=size, watch=watch)
        return self._kept[1]


def show_poses(session: Session, paths: Sequence[Path], size: tuple[int, int]) -> Iterator[tuple[str, bool]]:
    """Read uploaded poses and tell about it, until others are uploaded.

    Yields:
        HTML of the strip, and whether the reading goes on.

    Raises:
        InputError: If they hold no poses; the strip has told it before.
    """
    session.stop = False

    def is_old() -> bool:
        return list(session.uploaded) != list(paths)

    if is_old() or not paths:
        return
    yield progress_strip(Progress()), True
    try:
        with Worker(lambda watch: session.read(paths, size, watch), lambda: session.stop or is_old()) as worker:
            for progress in worker:
                yield progress_strip(progress), True
            strip = poses_strip(worker.result(), size)
    except Stopped:
        strip = sentence_strip("Stopped. Generate will read the poses.")
    except InputError as error:
        if is_old():
            return
        yield fault_strip(str(error)), False
        raise
    if not is_old():
        yield strip, False
