"""The tab of robots: its layout, and which handler answers what."""

import reprlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import gradio as gr

from cvae.actions import ACTION_NUMBERS
from cvae.checkpoint import BUNDLED_ROBOT, Checkpoint
from cvae.errors import InputError
from web.driving import drive
from web.examples import Example, build_cards, clicked
from web.handling import MODEL_QUEUE, PRIVATE, on_stop, told
from web.inputs import is_number
from web.numbers import is_told_actions, robot_numbers
from web.panels import ResultFiles, build_result_files, file_outputs, file_updates, outputs, updates
from web.player import build_player, run_failed
from web.prediction import Step, predict
from web.robot_inputs import RobotInputs
from web.robot_panel import RobotPanel, SteeringPanel, build_robot_panel, build_steering_panel
from web.session import Session
from web.steering import Trip
from web.uploads import uploaded_files

PLAYER = "robot-player"
PLAYER_HINT = (
    "Click an example, or give frames and actions, then press <b>Generate</b>, or steer the robot step by step."
)
EXAMPLES = "Examples: a generated robot"
UNSEEN_EXAMPLES = "Examples: tables that the model has never seen"
"""The same, as the bundled model sees them."""


def build_robot_tab(checkpoint: Checkpoint, examples: Sequence[Example]) -> None:
    """Lay out the tab, inside of whatever is open."""
    session, model = gr.State(Session()), checkpoint.config.model
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            panel = build_robot_panel(checkpoint)
            heading = UNSEEN_EXAMPLES if checkpoint.name == BUNDLED_ROBOT.name else EXAMPLES
            cards = build_cards(examples, heading, "robot-examples") if examples else None
        with gr.Column(scale=2, min_width=320):
            player = build_player(PLAYER, PLAYER_HINT)
            steering = build_steering_panel(model) if is_told_actions(model) else None
            files = build_result_files("robot-")
    wheel = steering.buttons if steering else []

    def run_and_show(*values: Any) -> Iterator[list[Any]]:
        for step in on_generate(checkpoint, *values):
            idle = gr.Button(interactive=step.view.phase != "running")
            yield [*updates(step), *[idle] * len(wheel)]

    options = panel.options
    run: dict[str, Any] = {
        "fn": run_and_show,
        "inputs": [session, *panel.files, options.sample, options.seed, options.fps],
        "outputs": [*outputs(player, panel.buttons, files), *wheel],
        **MODEL_QUEUE,
        **PRIVATE,
    }
    failed: dict[str, Any] = {"fn": None, "js": run_failed(PLAYER), **PRIVATE}
    panel.buttons.generate.click(**run).failure(**failed)
    panel.buttons.stop.click(on_stop, session, None, queue=False, **PRIVATE)
    if steering:
        _answer_steering(checkpoint, session, panel, steering, player, files)
    if cards:

        def fill(session: Session, event: gr.EventData) -> list[Any]:
            return on_example(examples, session, event.index)

        picked = cards.pick(fill, session, panel.files, queue=False, **PRIVATE)
        picked.failure(**failed)
        picked.success(**run).failure(**failed)


def _answer_steering(
    checkpoint: Checkpoint,
    session: gr.State,
    panel: RobotPanel,
    steering: SteeringPanel,
    player: gr.HTML,
    files: ResultFiles,
) -> None:
    options = panel.options
    inputs = [session, panel.frames, panel.actions, options.sample, options.seed, options.fps]
    common: dict[str, Any] = {
        "outputs": [player, panel.buttons.stop, *file_outputs(files)],
        "trigger_mode": "always_last",  # a click that comes too early is answered next
        **MODEL_QUEUE,
        **PRIVATE,
    }

    def show(handler: Callable[..., Iterator[Step]], *values: Any) -> Iterator[list[Any]]:
        yield from map(steering_updates, handler(*values))

    failed: dict[str, Any] = {"fn": None, "js": run_failed(PLAYER), **PRIVATE}
    for button, handler, sliders in (
        (steering.step, partial(on_step, checkpoint), steering.sliders),
        (steering.undo, partial(on_steering, checkpoint, Trip.undo), []),
        (steering.restart, partial(on_steering, checkpoint, Trip.restart), []),
    ):
        button.click(partial(show, handler), [*inputs, *sliders], **common).failure(**failed)


def steering_updates(step: Step) -> list[Any]:
    """What a step of steering changes: the player, Stop, and the files as soon as there are new ones."""
    stop = gr.Button(interactive=step.view.phase == "running")
    return [step.view.payload(), stop, *(file_updates(step) if step.downloads else [gr.skip()] * 5)]


# Handlers ------------------------------------------------------------------------------------------------


def on_generate(
    checkpoint: Checkpoint,
    session: Session,
    frames: Any,
    actions: Any,
    truth: Any,
    sample: Any,
    seed: Any,
    fps: Any,
) -> Iterator[Step]:
    """Run the model; what went wrong is shown on the page and ends the run.

    Args:
        checkpoint: Which model.
        session: Whose run; its `stop` ends it.
        frames: As the browser sends files: a list of `{"path": ...}`; None if the actions bring their own.
        actions: The same.
        truth: The same, or None.
        sample: One of `Sampling`.
        seed: A whole number.
        fps: Frames a second, or 0 for those of the frames.
    """

    def work() -> Iterator[Step]:
        inputs = _inputs(frames, actions, truth, sample, seed, fps)
        session.trip = None  # the player shows another video now, so that the next step is a first one
        yield from predict(checkpoint, session, inputs)

    yield from told(work)


def on_step(checkpoint: Checkpoint, *values: Any) -> Iterator[Step]:
    """Predict the next frame, after the action that the sliders show; they come behind what `on_steering` is given."""
    common, sliders = values[:-ACTION_NUMBERS], values[-ACTION_NUMBERS:]
    yield from on_steering(checkpoint, lambda trip: trip.step(read_sliders(checkpoint, sliders)), *common)


def on_steering(
    checkpoint: Checkpoint,
    change: Callable[[Trip], Trip],
    session: Session,
    frames: Any,
    actions: Any,
    sample: Any,
    seed: Any,
    fps: Any,
) -> Iterator[Step]:
    """Change the trip, and show the video that follows; what went wrong leaves the video as it was."""

    def work() -> Iterator[Step]:
        yield from drive(checkpoint, session, _inputs(frames, actions, None, sample, seed, fps), change)

    yield from told(work, keeps=True)


def read_sliders(checkpoint: Checkpoint, values: Sequence[Any]) -> tuple[float, ...]:
    """An action in the units of the data.

    Raises:
        InputError: If a value is out of the range of its slider.
    """
    model = checkpoint.config.model
    assert is_told_actions(model)
    numbers = robot_numbers(model)[:ACTION_NUMBERS]
    for number, value in zip(numbers, values, strict=True):
        low, high = number.limits
        if not is_number(value, low - number.step / 100, high + number.step / 100):
            raise InputError(f"{number.label} is {low:g} to {high:g}; got {reprlib.repr(value)}.")
    return tuple(value / number.factor for number, value in zip(numbers, values, strict=True))


def on_example(examples: Sequence[Example], session: Session, index: Any) -> list[Any]:
    """The clicked example as values of given frames, actions and ground truth."""
    return [[str(path) for path in files] or None for files in clicked(examples, session, index)]


def _inputs(frames: Any, actions: Any, truth: Any, sample: Any, seed: Any, fps: Any) -> RobotInputs:
    return RobotInputs(
        frames=uploaded_files(frames),
        actions=uploaded_files(actions),
        truth=uploaded_files(truth),
        sample=sample,
        seed=seed,
        fps=fps,
    )
