"""Poses out of a video of a person, written to a folder: `python -m cvae extract`."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm
from tyro.conf import Positional

from cvae.errors import InputError
from cvae.export import DEFAULT_FPS, write_gif, write_png
from cvae.files import filling
from cvae.inputs import OWN_FILES, width_by_height
from cvae.pace import check_fps
from cvae.pictures import resize_frame
from cvae.poses.openpose import write_openpose
from cvae.poses.person import Person, check_shape, read_person
from cvae.poses.skeleton import draw_skeleton
from cvae.progress import frame_bar
from cvae.reader import Span

log = logging.getLogger(__name__)

PREVIEW_HEIGHT = 192
PREVIEW_FRAMES = 200
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """Find the poses in a video of a person.

    Writes frames/N.png, the skeletons poses/N.png, the key points keypoints/N_keypoints.json (OpenPose's format), and
    preview.gif, which shows the first 200 frames and skeletons side by side. The first frame is the first in which a
    person is found.
    """

    video: Positional[Path]
    """A video, an animation, or a folder or zip of pictures, of a person."""
    out: Path
    """Folder to write; it must not exist or be empty."""
    fps: float | None = None
    """Frames per second to take; those of the video by default."""
    start: float = 0.0
    """Seconds into the video at which to begin."""
    end: float | None = None
    """Seconds into the video at which to end; its own end by default."""
    size: tuple[int, int] | None = None
    """Height and width of the pictures: the part around the person that has this shape. By default the whole picture,
    with at most 512 pixels on its longer side, fewer where the video is so long that it would not fit in memory."""

    def __post_init__(self) -> None:
        check_fps(self.fps)
        if self.size is not None and not all(8 <= side <= 2048 for side in self.size):
            raise InputError(f"--size is {self.size[0]} {self.size[1]}; expected height and width from 8 to 2048.")
        if self.size is not None:
            check_shape("--size", self.size)


def main(config: ExtractConfig) -> None:
    """`python -m cvae extract`."""
    with filling(config.out) as folder:
        span = Span(start=config.start, end=config.end)
        with frame_bar("finding poses") as watch:
            person = read_person(
                config.video, size=config.size, fps=config.fps, span=span, limits=OWN_FILES, watch=watch
            )
        for note in (*person.notes, *person.frame_notes):
            log.info("Note: %s", note)
        write_person(folder, person)
    found = int((person.points[..., 2] > 0).any(axis=1).sum())
    size = width_by_height(person.frames.shape[1:3])
    rate = f" at {person.fps:.4g} frames/s" if person.fps else ""
    print(f"{len(person.frames)} frames of {size}{rate}, a person in {found} of them: {config.out}")


def write_person(folder: Path, person: Person) -> None:
    """Write frames, skeletons, key points and preview into an empty folder."""
    size = person.frames.shape[1:3]
    for kind in ("frames", "poses"):
        (folder / kind).mkdir()
    for number, frame in enumerate(tqdm(person.frames, "writing", unit=" frames", leave=False)):
        skeleton = draw_skeleton(person.points[number], size)
        write_png(folder / "frames" / f"{number:0{_DIGITS}}.png", frame)
        write_png(folder / "poses" / f"{number:0{_DIGITS}}.png", skeleton)
    write_openpose(folder / "keypoints", person.points, size, fps=person.fps)
    write_preview(folder / "preview.gif", person)


def write_preview(path: Path, person: Person) -> None:
    """A GIF of the first frames and their skeletons, side by side."""
    frames = person.frames[:PREVIEW_FRAMES]
    shown = [
        _side_by_side(frame, draw_skeleton(points, frame.shape[:2]))
        for frame, points in zip(frames, person.points, strict=False)
    ]
    write_gif(path, np.stack(shown), person.fps or DEFAULT_FPS)


def _side_by_side(frame: np.ndarray, skeleton: np.ndarray) -> np.ndarray:
    """Both pictures, uint8 `(H, W, 3)`, as one of a height that people can look at."""
    both = np.concatenate([frame, skeleton], axis=1)
    height, width = both.shape[:2]
    return resize_frame(both, (PREVIEW_HEIGHT, max(2, round(width * PREVIEW_HEIGHT / height))))
