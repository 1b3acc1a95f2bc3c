"""One step of steering a robot for one user, told as views for the player."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np

from cvae.actions import ACTION_NUMBERS, to_conditions
from cvae.checkpoint import Checkpoint
from cvae.errors import InputError
from cvae.progress import Watch
from cvae.request import Request
from web.gpu import network
from web.inputs import check_options
from web.numbers import is_told_actions, workspace_of
from web.player import PlayerView
from web.prediction import MAX_SECONDS, Step, finish, first_view, read_aside, until_stopped
from web.robot_inputs import RobotInputs
from web.session import Session
from web.steering import MOST_STEPS, Start, Trip, Workspace, read_start, steered_rows
from web.worker import INTERVAL, Stopped

_EDGE = 1e-4
"""Of the longest side of the workspace: a hand that went less far than commanded by this has reached a limit."""


def drive(
    checkpoint: Checkpoint, session: Session, inputs: RobotInputs, change: Callable[[Trip], Trip]
) -> Iterator[Step]:
    """Change how the robot was steered, and show the video that follows from all its steps, at the newest frame.

    The whole video is predicted again, with the same seed: nothing but the steps is kept from one to the next. Where
    other files came meanwhile, a new trip begins. `session.stop` leaves all as it was.

    Raises:
        InputError: If there is nowhere to begin, no such step, or it takes too long.
    """
    session.stop = False
    check_options(inputs)
    try:
        yield from _drive(checkpoint, session, inputs, change)
    except Stopped:
        yield Step(PlayerView(status="Stopped.", keeps=True))


def _drive(
    checkpoint: Checkpoint, session: Session, inputs: RobotInputs, change: Callable[[Trip], Trip]
) -> Iterator[Step]:
    start = yield from read_aside(session, lambda watch: _start(checkpoint, session, inputs, watch), keeps=True)
    before, model = session.trip, checkpoint.config.model
    trip = change(before if before and before.files == inputs.files else Trip(files=inputs.files))
    assert is_told_actions(model)
    workspace = workspace_of(model)
    rows = steered_rows(start.rows, trip.actions, workspace)
    request = Request(
        given=start.given,
        conditions=to_conditions(rows),
        poses=None,
        truth=None,
        fps=inputs.fps or start.fps,
        notes=start.notes,
    )
    frames = list(start.given)
    if trip.actions:
        frames += yield from _predict(checkpoint, session, request, inputs)
    session.trip = trip
    view = first_view(checkpoint, request)
    shown = replace(view, phase="done", status=_status(trip, rows, workspace), run=trip.run, at=len(frames) - 1)
    yield from finish(shown, frames, {}, ())


def _start(checkpoint: Checkpoint, session: Session, inputs: RobotInputs, watch: Watch) -> Start:
    config, files = checkpoint.config, inputs.files
    return session.start(
        files, lambda: read_start(files, size=config.data.size, past_frames=config.model.past_frames, watch=watch)
    )


def _predict(
    checkpoint: Checkpoint, session: Session, request: Request, inputs: RobotInputs
) -> Generator[Step, None, list[np.ndarray]]:
    """All frames that follow, telling now and then how far it is."""
    frames: list[np.ndarray] = []
    shown = time.monotonic()
    with closing(network(checkpoint)(request, inputs.sample, inputs.seed)) as predicted:
        for frame in until_stopped(session, predicted):
            frames.append(frame)
            if time.monotonic() - shown >= INTERVAL:
                shown = time.monotonic()
                status = f"Frame {len(frames)} of {request.future}"
                yield Step(PlayerView(phase="running", status=status, keeps=True))
    if len(frames) < request.future:
        if session.stop:
            raise Stopped
        raise InputError(f"These steps took more than {MAX_SECONDS:.0f} s; undo some, or start over.")
    return frames


def _status(trip: Trip, rows: np.ndarray, workspace: Workspace) -> str:
    if not trip.actions:
        return "Start: the last given frame"
    wanted = rows[-2, ACTION_NUMBERS:] + rows[-2, : ACTION_NUMBERS - 1]
    stopped = np.abs(wanted - rows[-1, ACTION_NUMBERS:]).max() > _EDGE * np.ptp(workspace, axis=0).max()
    return f"Step {len(trip.actions)} of at most {MOST_STEPS}" + (": the hand can go no further" if stopped else "")
