"""One run of the model for one user, told as a series of views for the player."""

import reprlib
import secrets
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from cvae.checkpoint import Checkpoint
from cvae.errors import InputError
from cvae.gaussian import Sampling
from cvae.generate import frame_psnr
from cvae.pictures import read_picture
from cvae.progress import Watch
from cvae.request import Request, make_request
from web.gpu import network
from web.player import PlayerView, Track, live_frame
from web.results import Downloads, new_folder, sheet_layout, write_downloads, write_sheets
from web.session import Session
from web.worker import Progress, Stopped, Worker

MAX_SECONDS = 300.0
"""A run ends here with what it has, so that one user cannot keep the others waiting."""
LIVE_INTERVAL = 0.04
"""Seconds between two live frames; the result has them all."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the user gave, nothing checked yet."""

    first_frame: Path | None
    poses: Sequence[Path]
    truth: Sequence[Path] = ()
    sample: Any = "mean"
    seed: Any = 0
    fps: Any = 0
    retarget: Any = True
    """Whether poses of another person are fitted to the one in the first frame."""


@dataclass(frozen=True)
class Step:
    """What the page shows next; the downloads come with the last step."""

    view: PlayerView
    downloads: Downloads | None = None


def predict(checkpoint: Checkpoint, session: Session, inputs: Inputs) -> Iterator[Step]:
    """Run the model, showing frames as they are made, until the end, the time limit or `session.stop`.

    Raises:
        InputError: If the input cannot be used.
    """
    session.running, session.stop = True, False
    try:
        yield _reading(Progress())
        request = yield from _read(checkpoint, session, inputs)
        yield from _run(checkpoint, session, request, inputs.sample, inputs.seed)
    except Stopped:
        yield Step(PlayerView(status="Stopped before the first frame."))
    finally:
        session.running = False


def _read(checkpoint: Checkpoint, session: Session, inputs: Inputs) -> Generator[Step, None, Request]:
    with Worker(lambda watch: _to_request(checkpoint, session, inputs, watch), lambda: session.stop) as worker:
        for progress in worker:
            yield _reading(progress)
        return worker.result()


def _reading(progress: Progress) -> Step:
    return Step(PlayerView(phase="running", status=progress.sentence))


def _to_request(checkpoint: Checkpoint, session: Session, inputs: Inputs, watch: Watch) -> Request:
    if not inputs.poses:
        raise InputError("There are no poses: upload skeletons, key points or a video of a person under 2.")
    if inputs.sample not in get_args(Sampling):
        raise InputError(f"sample is one of {', '.join(get_args(Sampling))}; got {reprlib.repr(inputs.sample)}.")
    if not isinstance(inputs.seed, int) or not _is_number(inputs.seed, 0, 2**32 - 1):
        raise InputError(f"The seed is a whole number from 0 to {2**32 - 1}; got {reprlib.repr(inputs.seed)}.")
    if not _is_number(inputs.fps, 1, 60) and not _is_number(inputs.fps, 0, 0):
        raise InputError(f"The frame rate is 1 to 60 frames a second, or 0; got {reprlib.repr(inputs.fps)}.")
    if not isinstance(inputs.retarget, bool):
        raise InputError(f"retarget is true or false; got {reprlib.repr(inputs.retarget)}.")
    picture = read_picture(inputs.first_frame) if inputs.first_frame else None
    size = checkpoint.config.data.size
    return make_request(
        picture,
        session.read(inputs.poses, size, watch),
        list(inputs.truth) or None,
        size=size,
        fps=inputs.fps or None,
        retarget=None if inputs.retarget else False,
        watch=watch,
    )


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _run(checkpoint: Checkpoint, session: Session, request: Request, sample: Sampling, seed: int) -> Iterator[Step]:
    given = len(request.given)
    beside: dict[Track, np.ndarray] = {}
    if request.poses is not None:
        beside["pose"] = request.poses
    if request.truth is not None:
        beside["truth"] = request.truth
    view = PlayerView(
        phase="running",
        run=secrets.token_hex(4),
        tracks=("prediction", *beside),
        height=request.given.shape[1],
        width=request.given.shape[2],
        fps=request.fps,
        given=given,
        total=request.future,
        notes=request.notes,
    )
    frames = list(request.given)
    decibels: list[float] = []
    began, shown = time.monotonic(), 0.0
    with closing(network(checkpoint)(request, sample, seed)) as predicted:
        for number, frame in enumerate(predicted, start=given):
            frames.append(frame)
            if request.truth is not None:
                decibels += frame_psnr([frame], request.truth[number : number + 1])
            now = time.monotonic()
            if now - shown >= LIVE_INTERVAL:
                shown = now
                pictures: dict[Track, np.ndarray] = {"prediction": frame}
                pictures |= {track: clip[number] for track, clip in beside.items()}
                made = len(frames) - given
                status = f"Frame {made} of {request.future}, {made / (now - began):.0f} frames/s"
                yield Step(replace(view, status=status, live=live_frame(number, pictures), psnr=tuple(decibels)))
            if session.stop or now - began > MAX_SECONDS:
                break
    seconds, made = time.monotonic() - began, len(frames) - given
    if made == request.future:
        status = f"{made} frames in {seconds:.1f} s"
    else:
        why = "" if session.stop else f": a run may take {MAX_SECONDS:.0f} s"
        status = f"Stopped after {made} of {request.future} frames{why}"
    yield from _finish(replace(view, status=status), frames, beside, decibels)


def _finish(
    view: PlayerView,
    frames: Sequence[np.ndarray],
    beside: dict[Track, np.ndarray],
    decibels: Sequence[float],
) -> Iterator[Step]:
    """Show the result at once, then add the downloads; the status gains the mean PSNR."""
    folder = new_folder()
    columns, per_sheet = sheet_layout(view.height, view.width)
    clips: dict[Track, Sequence[np.ndarray]] = {"prediction": frames}
    clips |= {track: list(clip[: len(frames)]) for track, clip in beside.items()}
    mean = float(np.mean(decibels)) if decibels else None
    view = replace(
        view,
        status=view.status if mean is None else f"{view.status}, mean PSNR {mean:.2f} dB",
        total=len(frames) - view.given,
        live=None,
        psnr=tuple(decibels),
        mean=mean,
        sheets={track: write_sheets(folder, track, clip) for track, clip in clips.items()},
        columns=columns,
        per_sheet=per_sheet,
    )
    yield Step(view)
    yield Step(replace(view, phase="done"), write_downloads(folder, frames, view.fps, decibels, view.given))
