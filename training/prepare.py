"""A data set from one's own videos: `python -m training prepare`."""

import logging
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from tqdm import tqdm
from tyro.conf import Positional

from cvae.config import DataConfig
from cvae.errors import InputError
from cvae.export import DEFAULT_FPS
from cvae.extract import write_preview
from cvae.files import filling
from cvae.inputs import OWN_FILES, quoted
from cvae.pace import check_fps
from cvae.poses.person import Person, check_shape, read_person
from cvae.poses.skeleton import draw_skeleton
from cvae.progress import frame_bar
from training.data.layout import numbers_taken, write_keypoints, write_recording

log = logging.getLogger(__name__)

MIN_RECORDING = 10
"""Frames; shorter pieces, in which the person was seen for a moment, are left out."""
GAP_SECONDS = 1.0
"""Left out between the training and the validation part of a video, which would be nearly the same pictures."""


@dataclass(frozen=True, kw_only=True)
class PrepareConfig:
    """Make a data set in the lab's layout from videos of a person, as `train` takes it.

    The poses are found in the videos. The last part of each video is kept for validation; between it and the training
    part a second is left out. Frames without a person are left out too, and are a cut between recordings. The key
    points are kept beside the pictures, for networks that take them as numbers.
    """

    videos: Positional[tuple[Path, ...]]
    """One or more videos of the same person."""
    out: Path
    """Folder to write; it must not exist or be empty."""
    size: tuple[int, int]
    """Height and width of the frames, multiples of 8: 64 128 for a video that is wider than high, 128 64 for one that
    is higher. The part of the video around the person that has this shape is taken."""
    fps: float | None = None
    """Frames per second to take; those of the video by default."""
    val_share: float = 0.1
    """Part of each video that is kept for validation."""

    def __post_init__(self) -> None:
        DataConfig(height=self.size[0], width=self.size[1])
        if not self.videos:
            raise InputError("No video came; expected one or more videos of a person.")
        check_shape("--size", self.size)
        check_fps(self.fps)
        if not 0 < self.val_share <= 0.5:
            raise InputError(f"--val-share is {self.val_share:g}; expected a share above 0, at most 0.5.")


def prepare(config: PrepareConfig) -> None:
    """`python -m training prepare`."""
    counts = {"train": 0, "val": 0}
    numbers = {"train": 0, "val": 0}
    keypoints: dict[str, list[tuple[int, np.ndarray]]] = {"train": [], "val": []}
    with filling(config.out) as folder:
        for kind in ("img", "label"):
            for split in counts:
                (folder / split / f"{split}_{kind}").mkdir(parents=True)
        for video in config.videos:
            with frame_bar(f"finding poses in {video.name}") as watch:
                person = read_person(video, size=config.size, fps=config.fps, limits=OWN_FILES, watch=watch)
            for note in (*person.notes, *person.frame_notes):
                log.info("Note: %s", note)
            if not (folder / "preview.gif").exists():
                write_preview(folder / "preview.gif", person)
            for split, recordings in split_recordings(person, config.val_share).items():
                if not recordings:
                    raise InputError(
                        f"{quoted(video.name)} is too short: no {MIN_RECORDING} frames in a row with a person are left "
                        f"for the {split} split; expected half a minute or more."
                    )
                for recording in recordings:
                    frames = tqdm(person.frames[recording], f"writing {split}", unit=" frames", leave=False)
                    poses = (draw_skeleton(points, config.size) for points in person.points[recording])
                    write_recording(folder / split, numbers[split], frames, poses)
                    keypoints[split].append((numbers[split], person.points[recording].copy()))
                    numbers[split] += numbers_taken(len(frames))
                    counts[split] += len(frames)
            del person  # before the next one is read
        for split, found in keypoints.items():
            write_keypoints(folder / split, found)
    height, width = config.size
    print(f"{counts['train']} frames to train on and {counts['val']} to validate on, {width}x{height}: {config.out}")


def split_recordings(person: Person, val_share: float) -> dict[str, list[slice]]:
    """The recordings of a video: frames in a row in which the same person is followed, early ones for training.

    Returns:
        For `train` and `val`, slices of the video's frames, in the order of time.
    """
    total = len(person.frames)
    split = round(total * (1 - val_share))
    gap = round(GAP_SECONDS * (person.fps or DEFAULT_FPS))
    seen = np.any(person.points[..., 2] > 0, axis=1).tolist()
    breaks = np.flatnonzero((np.diff(person.pieces) != 0) | (np.diff(np.array(seen, int)) != 0)) + 1
    recordings: dict[str, list[slice]] = {"train": [], "val": []}
    for start, end in pairwise([0, *breaks.tolist(), total]):
        if seen[start]:
            for name, first, last in (("train", start, min(end, split - gap)), ("val", max(start, split), end)):
                if last - first >= MIN_RECORDING:
                    recordings[name].append(slice(first, last))
    return recordings
