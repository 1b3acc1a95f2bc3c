"""One run of the model for one user, told as a series of views for the player."""

import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from cvae.checkpoint import Checkpoint
from cvae.gaussian import Sampling
from cvae.generate import frame_psnr
from cvae.progress import Watch
from cvae.request import Request
from web.gpu import network
from web.hand import hand_path
from web.inputs import Inputs, check_options
from web.numbers import is_told_actions
from web.player import PlayerView, Track, live_frame
from web.results import Downloads, new_folder, sheet_layout, write_downloads, write_sheets
from web.session import Session
from web.worker import Progress, Stopped, Worker

T = TypeVar("T")
MAX_SECONDS = 300.0
"""A run ends here with what it has, so that one user cannot keep the others waiting."""
LIVE_INTERVAL = 0.04
"""Seconds between two live frames; the result has them all."""


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
        check_options(inputs)
        request = yield from read_aside(session, lambda watch: inputs.read(checkpoint, session, watch))
        yield from _run(checkpoint, session, request, inputs.sample, inputs.seed)
    except Stopped:
        yield Step(PlayerView(status="Stopped before the first frame."))
    finally:
        session.running = False


def read_aside(session: Session, work: Callable[[Watch], T], *, keeps: bool = False) -> Generator[Step, None, T]:
    """Read files in a thread of its own, telling how far it is.

    Args:
        session: Its `stop` ends the reading.
        work: Reads.
        keeps: Whether the player goes on showing what it shows.

    Raises:
        Stopped: If it was ended.
        InputError: If the files cannot be used.
    """
    with Worker(work, lambda: session.stop) as worker:
        for progress in worker:
            yield _reading(progress, keeps)
        return worker.result()


def _reading(progress: Progress, keeps: bool = False) -> Step:
    return Step(PlayerView(phase="running", status=progress.sentence, keeps=keeps))


def until_stopped(session: Session, predicted: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames as they are made, until the end, the time limit or `session.stop`."""
    began = time.monotonic()
    for frame in predicted:
        yield frame
        if session.stop or time.monotonic() - began > MAX_SECONDS:
            break


def first_view(checkpoint: Checkpoint, request: Request) -> PlayerView:
    """What is known of the video before the first frame is made."""
    model = checkpoint.config.model
    hand = hand_path(model, request.conditions) if is_told_actions(model) else None
    tracks: list[Track] = ["prediction"]
    tracks += ["pose"] if request.poses is not None else []
    tracks += ["truth"] if request.truth is not None else []
    tracks += ["hand"] if hand else []
    return PlayerView(
        run=secrets.token_hex(4),
        tracks=tuple(tracks),
        height=request.given.shape[1],
        width=request.given.shape[2],
        fps=request.fps,
        given=len(request.given),
        total=request.future,
        hand=hand,
        notes=request.notes,
    )


def _run(checkpoint: Checkpoint, session: Session, request: Request, sample: Sampling, seed: int) -> Iterator[Step]:
    given = len(request.given)
    beside: dict[Track, np.ndarray] = {}
    if request.poses is not None:
        beside["pose"] = request.poses
    if request.truth is not None:
        beside["truth"] = request.truth
    view = replace(first_view(checkpoint, request), phase="running")
    frames = list(request.given)
    decibels: list[float] = []
    began, shown = time.monotonic(), 0.0
    with closing(network(checkpoint)(request, sample, seed)) as predicted:
        for number, frame in enumerate(until_stopped(session, predicted), start=given):
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
    seconds, made = time.monotonic() - began, len(frames) - given
    if made == request.future:
        status = f"{made} frames in {seconds:.1f} s"
    else:
        why = "" if session.stop else f": a run may take {MAX_SECONDS:.0f} s"
        status = f"Stopped after {made} of {request.future} frames{why}"
    yield from finish(replace(view, status=status), frames, beside, decibels)


def finish(
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
