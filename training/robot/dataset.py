"""A data set of a pushing robot on disk, in the layout of the lab's robot video."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cvae.errors import InputError
from cvae.export import write_png
from cvae.files import filling
from training.checks import CLIP_RANGES, check_ranges, check_sides
from training.data.pool import run_jobs
from training.robot.clip import make_clip
from training.robot.hand import DIGITS

_SPLITS = {"train": 0, "validate": 1, "test": 2}
_GROUP = 256  # clips in a folder
_MOST_PIXELS = 50_000_000


@dataclass(frozen=True, kw_only=True)
class RobotConfig:
    """Renders clips of a robot arm that pushes objects on a table into a new folder, with the actions that drive it.

    In the layout of the lab's robot video: traj_*/N/ with 0.png, 1.png, ..., actions.csv and endeffector_positions.csv.
    """

    out: Path
    """Folder to write; it must not exist or be empty."""
    clips: int = 2000
    """Training clips, each with its own objects and actions."""
    val_clips: int = 128
    """Validation clips; none of them is a training clip."""
    test_clips: int = 256
    """Test clips; none of them is another split's clip."""
    frames: int = 30
    """Frames of a clip."""
    size: tuple[int, int] = (64, 64)
    """Height and width in pixels."""
    seed: int = 0
    """Same seed, same files, whatever the number of workers."""
    workers: int = 0
    """Processes; 0 takes one for each core."""

    def __post_init__(self) -> None:
        check_ranges(self, CLIP_RANGES | {"frames": (1, 10_000)})
        check_sides(self.size, 1024)
        if (pixels := self.frames * self.size[0] * self.size[1]) > _MOST_PIXELS:
            raise InputError(
                f"A clip would have {pixels:,} pixels, expected at most {_MOST_PIXELS:,} to keep in memory"
            )


@dataclass(frozen=True)
class _Job:
    """One clip to write into a folder of its own."""

    folder: Path
    split: str
    index: int
    config: RobotConfig


def write_robot(config: RobotConfig) -> None:
    """Writes `train`, `validate` and `test`; nothing is left behind if it fails or is interrupted.

    Clip N of a split, counted from 0, is the folder `traj_A_to_B/N`; A to B are the 256 numbers that N is one of. Row t
    of its files, which have no header, belongs to `t.png`:

    - `endeffector_positions.csv`: x, y, z of the fingertips in metres;
    - `actions.csv`: the step along x, y and z in metres, and the gripper's opening from 0 to 1, which are commanded
      between this frame and the next: the next position is `cvae.steering.move(position, action)`.

    Raises:
        InputError: If the folder exists and is not empty.
    """
    with filling(config.out) as unfinished:
        jobs = list(_jobs(config, unfinished))
        with closing(run_jobs(_write_clip, jobs, config.workers)) as results:  # the pool ends before the folder goes
            for _ in tqdm(results, total=len(jobs), desc="robot", unit="clip"):
                pass


def _jobs(config: RobotConfig, folder: Path) -> Iterator[_Job]:
    for split, clips in (("train", config.clips), ("validate", config.val_clips), ("test", config.test_clips)):
        for index in range(clips):
            first = index // _GROUP * _GROUP
            yield _Job(folder / split / f"traj_{first}_to_{first + _GROUP - 1}" / str(index), split, index, config)


def _write_clip(job: _Job) -> None:
    seed = np.random.SeedSequence(job.config.seed, spawn_key=(_SPLITS[job.split], job.index))
    clip = make_clip(seed, job.config.frames, job.config.size)
    job.folder.mkdir(parents=True)
    for number, frame in enumerate(clip.frames):
        write_png(job.folder / f"{number}.png", frame)
    for name, rows in (("actions", clip.actions), ("endeffector_positions", clip.positions)):
        np.savetxt(job.folder / f"{name}.csv", rows, fmt=f"%.{DIGITS}f", delimiter=",")
