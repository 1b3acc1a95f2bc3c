"""The progress bar of long work on a clip."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Watch = Callable[[int, int | None], None]
"""Called with the number of frames done and, where it is known, of all frames."""


@contextmanager
def frame_bar(title: str) -> Iterator[Watch]:
    """A bar that counts frames, moved by the function it gives."""
    with tqdm(desc=title, unit=" frames", leave=False) as bar:

        def watch(done: int, promised: int | None) -> None:
            bar.total = promised
            bar.update(done - bar.n)

        yield watch
