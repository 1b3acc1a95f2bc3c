"""Poses from whatever a user has: what came is told by its content and brought to one form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from cvae.errors import InputError
from cvae.inputs import CLIP_FORMATS, LIMITS, Limits, quoted, read_head, recognise
from cvae.pictures import resize_frame
from cvae.poses.coco_pictures import read_coco_pictures
from cvae.poses.formats import to_edn
from cvae.poses.keypoint_files import read_keypoints
from cvae.poses.keypoints import Keypoints
from cvae.poses.looks import Look, look_of
from cvae.poses.person import kept_size, read_person
from cvae.poses.weights import find_weights
from cvae.progress import Watch
from cvae.reader import ClipReader
from cvae.stills import is_folder
from cvae.video import Clip, read_clip

_STEP = 6
"""Of the frames of a clip every sixth is looked at, until enough of them are not blank: many clips fade in."""


@dataclass(frozen=True, kw_only=True)
class Poses:
    """A sequence of poses."""

    title: str
    """What they were taken for: "skeletons on white"."""
    content: Keypoints | Clip
    """Key points, or, where only pictures of skeletons on white came, these."""
    video: np.ndarray | None = None
    """Where the poses were found in a video of a person: its frames, `(T, H, W, 3)`, of the key points' canvas."""
    picture: tuple[int, int] | None = None
    """Height and width of that video as it came, pixels."""
    video_notes: tuple[str, ...] = ()
    """Sentences that the user should see where poses or frames are taken as they lie in these."""

    @property
    def count(self) -> int:
        """T."""
        return len(self.content.points if isinstance(self.content, Keypoints) else self.content.frames)

    @property
    def fps(self) -> float | None:
        """Frames per second; None where the source has no rate."""
        return self.content.fps

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that the user should see."""
        return self.content.notes


def read_poses(
    path: Path | Sequence[Path], *, size: tuple[int, int], limits: Limits = LIMITS, watch: Watch | None = None
) -> Poses:
    """Read poses from any source.

    Args:
        path: Skeleton pictures (on white, or COCO-18 on black), key points (OpenPose JSON or arrays), or a video of a
            person; each as one file, a folder, a zip or several files.
        size: Height and width that the network needs; pictures are resized to it.
        limits: How large it may be.
        watch: Called after every frame, of pictures from a first look at some of them on.

    Raises:
        InputError: If it cannot be read, or holds no poses.
    """
    keypoints = read_keypoints(path, limits)
    if keypoints is not None:
        return Poses(title="key points", content=keypoints)
    _refuse_what_holds_no_poses(path, limits)
    look, canvas, name = _look(path, limits, watch)
    if look == "all black":
        raise InputError(
            f"{quoted(name)} is black all over; expected pictures of skeletons, a video of a person, or key points."
        )
    if look == "photo":
        return _from_person(path, size, limits, watch)
    if look == "skeleton on black":
        return _from_black(path, canvas, limits, watch)
    clip = read_clip(path, size=size, limits=limits, watch=watch)
    nobody = f"Hardly anything is to be seen in the poses: {quoted(name)} is white, or nearly so, all over."
    notes = (nobody, *clip.notes) if look == "all white" else clip.notes
    return Poses(title="skeletons on white", content=replace(clip, notes=notes))


def _refuse_what_holds_no_poses(path: Path | Sequence[Path], limits: Limits) -> None:
    """Say all that is accepted as poses, where what came is neither that nor pictures."""
    paths = [path] if isinstance(path, Path) else path
    if len(paths) != 1 or is_folder(paths[0]):
        return
    came = recognise(read_head(paths[0], limits))
    if came.kind is None:
        raise InputError(
            f"{quoted(paths[0].name)} is {came.title}; expected pictures of skeletons, a video of a person "
            f"({CLIP_FORMATS}), or key points (OpenPose JSON or an array)."
        )


def _look(path: Path | Sequence[Path], limits: Limits, watch: Watch | None) -> tuple[Look, tuple[int, int], str]:
    """What the pictures of a clip show; height and width of the first, at most 512 pixels; and the clip's name."""
    with ClipReader(path, limits=limits, watch=watch) as reader:
        frames = (resize_frame(frame, kept_size(frame.shape[:2], None)) for frame in islice(reader, 0, None, _STEP))
        first = next(frames)
        return look_of(chain([first], frames)), first.shape[:2], reader.name


def _from_person(path: Path | Sequence[Path], size: tuple[int, int], limits: Limits, watch: Watch | None) -> Poses:
    find_weights()  # fetching them does not count as work on the clip
    person = read_person(path, size=size, limits=limits, watch=watch)
    return Poses(
        title="a video of a person",
        content=Keypoints(points=person.points, canvas=size, fps=person.fps, notes=person.notes),
        video=person.frames,
        picture=person.picture,
        video_notes=person.frame_notes,
    )


def _from_black(path: Path | Sequence[Path], canvas: tuple[int, int], limits: Limits, watch: Watch | None) -> Poses:
    """COCO-18 on black, its key points read back from its colours."""
    with ClipReader(path, limits=limits, watch=watch) as reader:
        points = read_coco_pictures((resize_frame(frame, canvas) for frame in reader), reader.name)
    shown, fps, notes = reader.pace()
    redrawn = f"The skeletons of {quoted(reader.name)} are drawn on black (COCO-18); they are redrawn on white."
    notes = (redrawn, *reader.notes, *notes)
    keypoints = Keypoints(points=to_edn(points)[shown], canvas=canvas, fps=fps, notes=notes)
    return Poses(title="skeletons on black", content=keypoints)
