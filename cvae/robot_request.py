"""What a user gave of a robot, made ready for the network: given frames, and actions that lead on from them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cvae.actions import Actions, read_actions, to_conditions
from cvae.errors import InputError
from cvae.progress import Watch
from cvae.request import Request
from cvae.video import Clip, read_clip

ROBOT_FPS = 5.0
"""Frames per second where no source tells a rate: slow enough to see what is pushed."""


def read_robot_request(
    frames: Path | Sequence[Path] | None,
    actions: Path | Sequence[Path],
    truth: Path | Sequence[Path] | None = None,
    *,
    size: tuple[int, int],
    past_frames: int,
    fps: float | None = None,
    watch: Watch | None = None,
) -> Request:
    """Read and check the files of a user.

    Args:
        frames: The given frames, at least as many as the network needs: pictures, a zip, a GIF or a video. None: those
            that lie beside the actions.
        actions: See `read_actions`; row t belongs to frame t.
        truth: The true frames, as many as rows.
        size: Height and width that the network works at; everything is resized to it.
        past_frames: How many frames the network needs.
        fps: Frames per second of the video to make; that of the files by default.
        watch: Called after every frame that is read.

    Raises:
        InputError: If a file cannot be read, too few frames are given, nothing is left to predict, or the lengths
            differ.
    """
    came = read_actions(actions, size=size, watch=watch)
    clip = read_frames(frames, came, size=size, past_frames=past_frames, watch=watch)
    true = read_clip(truth, size=size, watch=watch) if truth else None
    clips = [one for one in (clip, true) if one]
    rate = fps or next((one.fps for one in clips if one.fps), ROBOT_FPS)
    notes = [note for one in clips for note in one.notes]
    return make_robot_request(
        clip.frames,
        came,
        true.frames if true else None,
        past_frames=past_frames,
        fps=rate,
        notes=(*came.notes, *notes),
    )


def read_frames(
    frames: Path | Sequence[Path] | None,
    came: Actions,
    *,
    size: tuple[int, int],
    past_frames: int,
    watch: Watch | None = None,
) -> Clip:
    """The frames of a user, or those that lie beside the actions; see `read_robot_request`.

    Raises:
        InputError: If there are none, or they cannot be read.
    """
    clip = read_clip(frames, size=size, watch=watch) if frames else came.video
    if clip is None:
        raise InputError(f"There are no given frames; expected {past_frames} or more, with which it begins.")
    return clip


def given_of(frames: np.ndarray, rows: int | None, past_frames: int) -> np.ndarray:
    """The given ones of a user's frames: all, or the first few where they are the whole video.

    Args:
        frames: uint8 `(F, H, W, 3)`.
        rows: How many rows of actions there are; of the whole video as many as frames. None: it is not the whole video.
        past_frames: How many frames the network needs.

    Raises:
        InputError: If there are too few.
    """
    if len(frames) < past_frames:
        raise InputError(f"There are {len(frames)} given frames; this network needs {past_frames} or more.")
    return frames[:past_frames] if len(frames) == rows else frames


def make_robot_request(
    frames: np.ndarray,
    came: Actions,
    truth: np.ndarray | None,
    *,
    past_frames: int,
    fps: float = ROBOT_FPS,
    notes: tuple[str, ...] = (),
) -> Request:
    """Bring given frames, actions and ground truth together.

    Args:
        frames: uint8 `(F, H, W, 3)`. As many as rows of actions are the whole video: its beginning is given, and all of
            it the truth.
        came: The actions.
        truth: uint8 `(T, H, W, 3)`.
        past_frames: How many frames the network needs.
        fps: Frames per second.
        notes: Sentences that the user should see.

    Raises:
        InputError: As `read_robot_request`.
    """
    rows = len(came.rows)
    given = given_of(frames, rows, past_frames)
    if truth is None and len(given) < len(frames):
        truth = frames
    if rows <= len(given):
        raise InputError(
            f"There are {rows} rows of actions and {len(given)} given frames, so that nothing is left to predict; "
            "expected a row for every frame, the given ones too."
        )
    if truth is not None and len(truth) != rows:
        raise InputError(
            f"The ground truth has {len(truth)} frames and there are {rows} rows of actions; "
            "expected as many frames as rows, the given ones too."
        )
    return Request(given=given, conditions=to_conditions(came.rows), poses=None, truth=truth, fps=fps, notes=notes)
