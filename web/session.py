"""What the page keeps of one user, from one click to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cvae.poses.source import Poses, read_poses
from cvae.progress import Watch


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

        Only what the page holds is kept: a search may end after others came, in a thread of its own.

        Raises:
            InputError: If they hold no poses.
        """
        kept = self._kept
        if kept is not None and kept[0] == list(paths):
            return kept[1]
        kept = self._kept = None  # never two in memory
        came = read_poses(list(paths), size=size, watch=watch)
        if list(self.uploaded) == list(paths):
            self._kept = list(paths), came
        return came
