"""A data set of puppets on disk, in the layout of the lab's frames."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from cvae.errors import InputError
from cvae.export import write_png
from cvae.files import filling
from training.checks import CLIP_RANGES, check_ranges, check_sides
from training.data.layout import numbers_taken, write_keypoints, write_recording
from training.data.pool import run_jobs
from training.puppets.clip import PuppetClip, make_clip

_SPLITS = {"train": 0, "val": 1, "test": 2}


@dataclass(frozen=True, kw_only=True)
class PuppetsConfig:
    """Renders clips of procedural dancers into a new folder."""

    out: Path
    """Folder to write; it must not exist or be empty."""
    clips: int = 600
    """Training clips, each with its own dancer, place and motion."""
    val_clips: int = 24
    """Validation clips; their dancers appear nowhere else."""
    test_clips: int = 6
    """Test sequences; their dancers appear nowhere else."""
    frames: int = 48
    """Frames of a training or validation clip."""
    test_frames: int = 180
    """Frames of a test sequence."""
    size: tuple[int, int] = (64, 128)
    """Height and width in pixels."""
    fps: float = 15.0
    """Frames per second."""
    seed: int = 0
    """Same seed, same files, whatever the number of workers."""
    workers: int = 0
    """Processes; 0 takes one for each core."""

    def __post_init__(self) -> None:
        check_ranges(self, CLIP_RANGES | {"frames": (1, 100_000), "test_frames": (1, 100_000)})
        check_sides(self.size, 4096)
        if not 2 <= self.fps <= 240:
            raise InputError(f"fps is {self.fps}, expected 2 to 240")


@dataclass(frozen=True)
class _Job:
    """One clip to write."""

    folder: Path
    split: str
    index: int
    frames: int
    config: PuppetsConfig


def write_puppets(config: PuppetsConfig) -> None:
    """Writes `train`, `val` and `test`; nothing is left behind if it fails or is interrupted.

    `train/train_img/N.png` and `train/train_label/N.png` (and `val` alike) hold all clips of the split, clip k from
    number k * 1000 (of clips of 1000 frames or more the next thousand); `train/train_keypoints.npz` has `number` (N,)
    and `keypoints` (N, 23, 3) in pixels.
    `test/test_img/S/0.png`, `test/test_label/S/N.png`, `test/test_gt/S/N.png` and `test/test_keypoints/S.npz`
    hold sequence S.

    Raises:
        InputError: If the folder exists and is not empty.
    """
    with filling(config.out) as unfinished:
        _write_all(config, unfinished)


def _write_all(config: PuppetsConfig, folder: Path) -> None:
    jobs = list(_jobs(config, folder))
    for job in jobs:
        for kind in ("img", "label", *(["gt", "keypoints"] if job.split == "test" else [])):
            (folder / job.split / f"{job.split}_{kind}").mkdir(parents=True, exist_ok=True)
    keypoints: dict[str, list[tuple[int, np.ndarray]]] = {"train": [], "val": []}
    with closing(run_jobs(_write_clip, jobs, config.workers)) as results:  # the pool ends before the folder is removed
        for job, points in tqdm(results, total=len(jobs), desc="puppets", unit="clip"):
            if job.split in keypoints:
                keypoints[job.split].append((job.index * numbers_taken(job.frames), points))
    for split, recordings in keypoints.items():
        if recordings:
            write_keypoints(folder / split, recordings)


def _jobs(config: PuppetsConfig, folder: Path) -> Generator[_Job, None, None]:
    for split, clips in (("train", config.clips), ("val", config.val_clips), ("test", config.test_clips)):
        frames = config.test_frames if split == "test" else config.frames
        for index in range(clips):
            yield _Job(folder, split, index, frames, config)


def _write_clip(job: _Job) -> np.ndarray:
    """Renders and writes one clip; returns its key points `(T, 23, 3)`."""
    config, split, index = job.config, job.split, job.index
    seed = np.random.SeedSequence(config.seed, spawn_key=(_SPLITS[split], index))
    clip = make_clip(seed, job.frames, config.size, config.fps)
    if split == "test":
        _write_test(job.folder / "test", index, clip)
        return clip.keypoints
    write_recording(job.folder / split, index * numbers_taken(job.frames), clip.frames, clip.poses)
    return clip.keypoints


def _write_test(folder: Path, index: int, clip: PuppetClip) -> None:
    for kind, pictures in (("img", clip.frames[:1]), ("label", clip.poses), ("gt", clip.frames)):
        (folder / f"test_{kind}" / str(index)).mkdir()
        for number, picture in enumerate(pictures):
            write_png(folder / f"test_{kind}" / str(index) / f"{number}.png", picture)
    numbers = np.arange(len(clip.frames))
    np.savez_compressed(folder / "test_keypoints" / f"{index}.npz", number=numbers, keypoints=clip.keypoints)
