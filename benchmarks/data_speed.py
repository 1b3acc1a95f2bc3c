"""How fast clips are loaded: from folders, from shards, and as the lab's users do."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lab_loop import lab_clips
from benchmarks.stopwatch import MAX_SECONDS, measure_in_turns, print_table, some_data
from training.checks import check_all
from training.data.clips import load_clips, open_source
from training.data.shards import ShardConfig, shard


@dataclass(frozen=True, kw_only=True)
class DataSpeedConfig:
    """Measure frames per second that come out of the loaders, reference frames not counted, in turns."""

    data: Path | None = None
    """Folder in the lab's layout; generated dancers by default."""
    size: tuple[int, int] = (32, 64)
    """Height and width of the frames."""
    clip_frames: int = 3
    """Frames of a clip."""
    batch_size: int = 4
    """Clips of a batch."""
    workers: int = 0
    """Processes that load beside this one."""
    rounds: int = 3
    """Turns of each."""
    seconds: float = 2.0
    """Length of a turn."""

    def __post_init__(self) -> None:
        check_all(self, "", ("clip_frames", "batch_size", "rounds"), 1)
        check_all(self, "", ("seconds",), 0, MAX_SECONDS)


def compare_loading(config: DataSpeedConfig) -> None:
    """`python -m benchmarks data`."""
    print_table(measure_loading(config))


def measure_loading(config: DataSpeedConfig) -> dict[str, list[float]]:
    """Frames per second of each turn."""
    with some_data(config.data) as data, tempfile.TemporaryDirectory() as folder:
        shards = Path(folder) / "shards"
        shard(ShardConfig(data=data, out=shards, size=config.size, shard_frames=64))

        def ours(where: Path) -> Iterator[Any]:
            return load_clips(
                open_source(where, config.size),
                clip_frames=config.clip_frames,
                batch_size=config.batch_size,
                workers=config.workers,
            )

        def taking(batches: Iterator[Any]) -> Callable[[], int]:
            def step() -> int:
                next(batches)
                return config.clip_frames * config.batch_size

            return step

        naive = lab_clips(data, config.size, config.clip_frames, config.batch_size)
        steps = {"as the lab": taking(naive), "folders": taking(ours(data)), "shards": taking(ours(shards))}
        return measure_in_turns(steps, config.rounds, config.seconds)
