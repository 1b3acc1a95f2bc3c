"""The progress bar of long work on a clip."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

Watch = Callable[[int, int | None], None]
"""Called with the number of frames done and, where it is known, of all frames."""


@contextmanager
def frame_bar(title: str) -> Iterator[Watch]:
    """A bar that counts frames, moved by the function it gives, anew for each clip; at first nothing is shown."""
    bars: list[tqdm] = []

    def watch(done: int, promised: int | None) -> None:
        if not bars:
            bars.append(tqdm(desc=title, total=promised, unit=" frames", leave=False))
        if done < bars[0].n:
            bars[0].total = promised
            bars[0].reset()
        bars[0].update(done - bars[0].n)

    try:
        yield watch
    finally:
        for bar in bars:
            bar.close()
