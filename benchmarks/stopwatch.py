"""Measuring several things in turns, so that a busy machine slows all of them alike."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from training.puppets.dataset import PuppetsConfig, write_puppets

MAX_SECONDS = 3600  # of a turn


def measure_in_turns(steps: dict[str, Callable[[], int]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Frames per second of each step, once for every round.

    Args:
        steps: Each does some work and returns for how many frames.
        rounds: How often each has its turn, after one step of each that is not measured.
        seconds: Of a turn at least; one step is always made.
    """
    for step in steps.values():
        step()
    return {
        name: speeds
        for name, *speeds in zip(
            steps, *([_speed(step, seconds) for step in steps.values()] for _ in range(rounds)), strict=True
        )
    }


def _speed(step: Callable[[], int], seconds: float) -> float:
    started, frames = time.perf_counter(), 0
    while not frames or time.perf_counter() - started < seconds:
        frames += step()
    return frames / (time.perf_counter() - started)


def print_table(speeds: dict[str, list[float]]) -> None:
    """The median of each row, its range, and how many times the first row's median it is."""
    base = statistics.median(next(iter(speeds.values())))
    width = max(map(len, speeds))
    print(f"{'':<{width}}  {'frames/s':>9}  {'least':>9}  {'most':>9}  {'times':>6}")
    for name, values in speeds.items():
        middle = statistics.median(values)
        print(f"{name:<{width}}  {middle:9.1f}  {min(values):9.1f}  {max(values):9.1f}  {middle / base:6.1f}")


@contextmanager
def some_data(given: Path | None) -> Iterator[Path]:
    """The folder given, or 256 frames of generated dancers at 32x64 that vanish afterwards."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "puppets"
        write_puppets(PuppetsConfig(out=data, clips=4, val_clips=1, test_clips=0, frames=64, size=(32, 64)))
        yield data
