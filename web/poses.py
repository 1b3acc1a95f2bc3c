"""Uploaded poses, shown as a strip while and after they are read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cvae.errors import InputError
from web.session import Session
from web.strip import fault_strip, poses_strip, progress_strip, sentence_strip
from web.worker import Progress, Stopped, Worker


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
