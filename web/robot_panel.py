"""What a user gives of a robot, on the left half of the tab, and the controls that steer it, below the player."""

import html
from dataclasses import dataclass
from typing import Any

import gradio as gr

from cvae.actions import ACTION_NUMBERS
from cvae.checkpoint import Checkpoint
from cvae.config import SVGConfig
from web.numbers import Number, robot_numbers
from web.panels import TRUTH, TRUTH_HINT, Buttons, Options, build_buttons, build_options, hint, upload

ACTIONS_HINT = (
    "A row for every frame, the given ones too: 4 numbers of the action and 3 of the hand's position, as one table "
    "(CSV) or as actions.csv and endeffector_positions.csv. A zip with the pictures too brings frames and ground truth."
)
UNTOLD_HINT = "This network is told no actions: only how many rows there are matters. "
STEERING = (
    "<h2>Steer it yourself</h2><p>Set how the hand moves until the next frame and press <b>Step</b>, again and again. "
    "It begins after the given frames; their rows under 2 say where the hand is.</p>"
)


@dataclass(frozen=True)
class RobotPanel:
    """The inputs and the two buttons."""

    frames: gr.File
    actions: gr.File
    truth: gr.File
    options: Options
    buttons: Buttons

    @property
    def files(self) -> list[gr.File]:
        """What is uploaded."""
        return [self.frames, self.actions, self.truth]


def build_robot_panel(checkpoint: Checkpoint) -> RobotPanel:
    """Lay out the inputs in the order of their numbers."""
    size, given = checkpoint.config.data, checkpoint.config.model.past_frames
    with gr.Column(elem_classes="input"):
        frames = upload("1. Given frames", "robot-frames")
        least = "One frame" if given == 1 else f"{given} frames"
        hint(
            f"{least} or more, with which the video begins: pictures, a zip, a GIF or a video. They become "
            f"{size.width}x{size.height} pixels. Not needed if they come with the actions."
        )
    with gr.Column(elem_classes="input"):
        actions = upload("2. Actions", "robot-actions")
        hint(ACTIONS_HINT if checkpoint.config.model.condition == "actions" else UNTOLD_HINT + ACTIONS_HINT)
    with gr.Column(elem_classes="input"):
        truth = upload(TRUTH, "robot-truth")
        hint(TRUTH_HINT)
    options = build_options(checkpoint, "as the frames, or 5")
    return RobotPanel(frames, actions, truth, options, build_buttons("robot-"))


@dataclass(frozen=True)
class SteeringPanel:
    """A slider for each number of an action, and the buttons."""

    sliders: list[gr.Slider]
    step: gr.Button
    undo: gr.Button
    restart: gr.Button

    @property
    def buttons(self) -> list[gr.Button]:
        """All of them."""
        return [self.step, self.undo, self.restart]


def build_steering_panel(model: SVGConfig) -> SteeringPanel:
    """Lay out sliders over the range that each number had in training, and the buttons."""
    with gr.Column(elem_id="steering"):
        gr.HTML(STEERING, apply_default_css=False)
        sliders = []
        for pair in (0, 2):
            with gr.Row():
                numbers = robot_numbers(model)[:ACTION_NUMBERS][pair : pair + 2]
                sliders += [_slider(number, pair + index) for index, number in enumerate(numbers)]
        with gr.Row():
            buttons = [
                _button("Step", "step", variant="primary"),
                _button("Undo", "undo"),
                _button("Start over", "restart"),
            ]
    return SteeringPanel(sliders, *buttons)


def _slider(number: Number, index: int) -> gr.Slider:
    low, high = number.limits
    return gr.Slider(
        low,
        high,
        number.rest,
        step=number.step,
        label=html.escape(number.label),
        interactive=low < high,
        min_width=150,
        elem_id=f"steer-{index}",
    )


def _button(label: str, name: str, **options: Any) -> gr.Button:
    return gr.Button(label, min_width=80, elem_id=f"steer-{name}", elem_classes="begins steers", **options)
