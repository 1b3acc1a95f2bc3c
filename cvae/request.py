"""What a user gave, made ready for the network: the same for the command line, the page and programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvae.errors import InputError
from cvae.export import DEFAULT_FPS
from cvae.pictures import is_stretched, read_picture, resize_frame, resize_note
from cvae.poses.keypoints import Keypoints, to_numbers
from cvae.poses.person import find_person
from cvae.poses.retarget import fit
from cvae.poses.skeleton import draw_skeletons
from cvae.poses.source import Poses, read_poses
from cvae.poses.window import choose_window, window_note
from cvae.progress import Watch
from cvae.video import Clip, read_clip

_MOST_OUTSIDE = 0.2
"""Share of the joints that may lie outside of a picture to which they are said to belong."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the network needs."""

    given: np.ndarray
    """Its first frames, uint8 `(P, H, W, 3)`."""
    conditions: np.ndarray
    """What is told of each frame, more than are given: pictures of poses, uint8 `(T, H, W, 3)`, or numbers, float32
    `(T, D)`. Those of frame 0 belong to the first frame."""
    poses: np.ndarray | None
    """Pictures of the poses to show beside the frames, uint8 `(T, H, W, 3)`; None of a robot."""
    truth: np.ndarray | None
    """uint8 `(T, H, W, 3)`; given frames are not compared."""
    fps: float
    """Frames per second: what was asked for, else that of the poses, else of the truth, else 20."""
    notes: tuple[str, ...]
    """Sentences that the user should see."""

    @property
    def future(self) -> int:
        """How many frames are to be predicted."""
        return len(self.conditions) - len(self.given)


def read_request(
    first_frame: Path | None,
    poses: Path | Sequence[Path],
    truth: Path | Sequence[Path] | None = None,
    *,
    size: tuple[int, int],
    as_numbers: bool = False,
    past_frames: int = 1,
    fps: float | None = None,
    retarget: bool | None = None,
    watch: Watch | None = None,
) -> Request:
    """Read and check the files of a user; see `make_request`.

    Raises:
        InputError: If a file cannot be read, and as `make_request`.
    """
    picture = read_picture(first_frame) if first_frame else None
    came = read_poses(poses, size=size, watch=watch)
    return make_request(
        picture,
        came,
        truth,
        size=size,
        as_numbers=as_numbers,
        past_frames=past_frames,
        fps=fps,
        retarget=retarget,
        watch=watch,
    )


def make_request(
    picture: np.ndarray | None,
    came: Poses,
    truth: Path | Sequence[Path] | None = None,
    *,
    size: tuple[int, int],
    as_numbers: bool = False,
    past_frames: int = 1,
    fps: float | None = None,
    retarget: bool | None = None,
    watch: Watch | None = None,
) -> Request:
    """Bring first frame, poses and ground truth together.

    Args:
        picture: The first frame, `(H, W, 3)`. None: that of the video of a person in which the poses were found, whose
            other frames are then the truth.
        came: The poses.
        truth: The true frames, as many as poses.
        size: Height and width that the network works at; everything is resized to it.
        as_numbers: The network is told the key points themselves and not their picture.
        past_frames: How many frames the network needs; only the video of the person brings more than one.
        fps: Frames per second of the video to make; that of the files by default.
        retarget: Fit the poses to the body in the first frame by one scale and one shift. By default they are fitted
            where they were found in a video of a person and another first frame came; to their own video's first
            frame they are not fitted in any case.
        watch: Called after every frame of the truth that is read.

    Raises:
        InputError: If there is no first frame, or there are too few, no person in it to fit the poses to, nothing to
            predict, or the lengths differ.
    """
    notes: list[str] = []
    video = came.video if picture is None else None
    if picture is None:
        if video is None:
            raise InputError(
                f"There is no first frame, and the poses are {came.title}; expected a picture of the person. "
                "Only a video of a person brings its own."
            )
        picture = video[0]
    if past_frames > 1 and video is None:
        raise InputError(
            f"This network begins with {past_frames} frames of the person, and one was given; "
            "expected a video of the person as poses, and no first frame."
        )
    fitted = video is None and (came.video is not None if retarget is None else retarget)
    if as_numbers and isinstance(came.content, Clip):
        raise InputError(
            f"The poses are {came.title}, and this network is told key points; expected those, or a video of a person."
        )
    first, poses = (_fitted if fitted else _as_they_are)(picture, came, size, notes)
    if len(poses) < 2:
        raise InputError("There is one pose; expected at least two: pose 0 belongs to the first frame.")
    given = first[None] if video is None else video[:past_frames]
    if len(poses) <= past_frames:
        raise InputError(f"There are {len(poses)} poses; expected more than the {past_frames} frames that are given.")
    truth_clip = read_clip(truth, size=size, watch=watch) if truth else None
    frames = truth_clip.frames if truth_clip else video
    if frames is not None and len(frames) != len(poses):
        raise InputError(
            f"The ground truth has {len(frames)} frames and there are {len(poses)} poses; "
            "expected as many frames as poses, frame 0 being the first frame."
        )
    rate = fps or came.fps or (truth_clip.fps if truth_clip else None) or DEFAULT_FPS
    truth_notes = truth_clip.notes if truth_clip else ()
    pictures = poses if isinstance(came.content, Clip) else draw_skeletons(poses, size)
    return Request(
        given=given,
        conditions=to_numbers(poses, size) if as_numbers else pictures,
        poses=pictures,
        truth=frames,
        fps=rate,
        notes=(*notes, *came.notes, *truth_notes),
    )


def _as_they_are(
    picture: np.ndarray, came: Poses, size: tuple[int, int], notes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """First frame and poses where the poses are already those of the person in the first frame.

    Poses are pictures where they came as such, else key points `(T, 23, 3)` in pixels of `size`.
    """
    notes += came.video_notes
    if picture.shape[:2] != size:
        notes.append(resize_note("The first frame is", picture.shape[:2], size))
    first = resize_frame(picture, size)
    if isinstance(came.content, Clip):
        return first, came.content.frames
    canvas = None if came.content.is_normalised else came.content.canvas
    if canvas and is_stretched(canvas, size):
        notes.append(resize_note("The poses are", (round(canvas[0]), round(canvas[1])), size))
    keypoints = came.content
    if keypoints.canvas is None:
        expected = "a first frame of the size of the video in which they were found, or canvas_width and canvas_height"
        _check_inside(keypoints, picture.shape[:2], "the first frame of {} pixels", f"{expected} in the JSON")
        keypoints = Keypoints(points=keypoints.points, canvas=picture.shape[:2])
    elif came.video is None:
        _check_inside(
            keypoints, keypoints.canvas, "the canvas of {} pixels that their file names", "that of their picture"
        )
    return first, keypoints.at(size)


def _check_inside(keypoints: Keypoints, canvas: tuple[float, float], what: str, expected: str) -> None:
    points = keypoints.points[keypoints.points[..., 2] > 0][:, :2]
    outside = ((points < 0) | (points > canvas[::-1])).any(axis=-1)
    if len(points) and outside.mean() > _MOST_OUTSIDE:
        low, high = ([f"{value:.4g}" for value in corner] for corner in (points.min(axis=0), points.max(axis=0)))
        raise InputError(
            f"The key points reach from x {low[0]} and y {low[1]} to x {high[0]} and y {high[1]}, outside of "
            f"{what.format(f'{canvas[1]:g}x{canvas[0]:g}')}; expected {expected}."
        )


def _fitted(picture: np.ndarray, came: Poses, size: tuple[int, int], notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """The part of the first frame around the person; key points `(T, 23, 3)`: its own, then the driver's, fitted."""
    if isinstance(came.content, Clip):
        raise InputError(
            "Pictures of skeletons on white cannot be fitted to another person; give key points or a video of a person."
        )
    body = find_person(picture)
    window = choose_window(picture.shape[:2], size, body[None], is_still=True)
    notes += window_note("the first frame", window, picture.shape[:2])
    target = window.move(body, size)
    keypoints = came.content
    points = keypoints.at(picture.shape[:2]) if keypoints.is_normalised else keypoints.points
    seen = np.flatnonzero((points[..., 2] > 0).any(axis=1))
    if not len(seen):
        raise InputError("There is nobody in any of the poses.")
    moved = fit(points[seen[0]], target).apply(points)
    moved[0] = target  # pose 0 is that of the first frame; the driver's would leave the body there as a ghost
    beyond = ((moved[..., :2] < 0) | (moved[..., :2] > size[::-1])).any(axis=-1) & (moved[..., 2] > 0)
    if count := int(beyond.any(axis=1).sum()):
        notes.append(f"In {count} of {len(moved)} frames the person is partly or all outside of the picture.")
    return window.cut(picture, size), moved
