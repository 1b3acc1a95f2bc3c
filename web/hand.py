"""The path of a robot's hand, which the player draws beside the frames."""

from typing import Any

import numpy as np

from cvae.actions import ACTION_NUMBERS
from cvae.config import SVGConfig
from cvae.steering import move
from web.numbers import has_own_units, robot_numbers, workspace_of


def hand_path(model: SVGConfig, conditions: np.ndarray) -> dict[str, Any]:
    """Where the hand is in every frame, for `PlayerView.hand`.

    Args:
        model: Whose robot.
        conditions: `(T, 7)`, as in `Request`; of each frame the action that leads to it and the position before.

    Returns:
        `low`, `high`: x, y, z of the workspace; `places`: x, y, z of T frames in the same unit; `words`: the same
        as text; `title`: what it shows.
    """
    numbers = robot_numbers(model)
    factors = [number.factor for number in numbers[ACTION_NUMBERS:]]
    last = move(conditions[-1, ACTION_NUMBERS:], conditions[-1, :ACTION_NUMBERS], workspace_of(model))
    places = np.concatenate([conditions[1:, ACTION_NUMBERS:], last[None]])
    openings = conditions[:, ACTION_NUMBERS - 1]
    return {
        "low": [number.low for number in numbers[ACTION_NUMBERS:]],
        "high": [number.high for number in numbers[ACTION_NUMBERS:]],
        "places": (places * factors).round(4).tolist(),
        "words": [hand_words(model, *told) for told in zip(places, openings, strict=True)],
        "title": "Hand, seen from above" if has_own_units(model) else "Hand: x, y and z",
    }


def hand_words(model: SVGConfig, place: np.ndarray, opening: float) -> list[str]:
    """Where the hand is, and how far open where that is known: "x 4.0, y −2.0, z 8.5 cm" and "40 % open"."""
    numbers = robot_numbers(model)
    gripper, axes = numbers[ACTION_NUMBERS - 1], numbers[ACTION_NUMBERS:]
    told = [f"{number.name} {number.said(value)}" for number, value in zip(axes, place, strict=True)]
    words = f"{', '.join(told)} {axes[0].unit}".strip()
    return [words, f"{opening * gripper.factor:.0f} % open"] if gripper.unit else [words]
