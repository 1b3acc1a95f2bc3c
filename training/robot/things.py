"""The objects on the table as one sees them: shape, size, colour and where they stand at first."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cvae.steering import WORKSPACE

Kind = Literal["disc", "box", "ball"]
_COLORS = np.array(
    [
        *((222, 48, 44), (36, 96, 214), (44, 166, 72), (245, 196, 30)),
        *((150, 62, 190), (240, 120, 24), (24, 178, 190), (232, 84, 156)),
    ],
    np.float32,
)
_BALL_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What an object looks like; it tells nothing of its weight and its friction.

    Attributes:
        radius: Of the circle around it, metres.
        height: Metres.
        color: `(3,)`, RGB, 0 to 255.
        place: `(2,)`, x and y of its middle at first, metres.
        angle: By which it is turned at first, radians.
    """

    kind: Kind
    radius: float
    height: float
    color: np.ndarray
    place: np.ndarray
    angle: float


def sample_things(generator: np.random.Generator) -> tuple[Thing, ...]:
    """Three to five discs and boxes of different colours that stand apart, and sometimes a ball after them."""
    kinds: list[Kind] = [generator.choice(["disc", "box"]) for _ in range(generator.integers(3, 6))]
    if generator.random() < _BALL_SHARE:
        kinds.append("ball")
    colors = generator.permutation(_COLORS)
    things: list[Thing] = []
    for kind, color in zip(kinds, colors, strict=False):
        radius = 0.026 if kind == "ball" else float(generator.uniform(0.03, 0.047))
        height = 2 * radius if kind == "ball" else float(generator.uniform(0.035, 0.065))
        place = _free_place(generator, radius, things)
        angle = float(generator.uniform(0, np.pi))
        things.append(Thing(kind=kind, radius=radius, height=height, color=color, place=place, angle=angle))
    return tuple(things)


def _free_place(generator: np.random.Generator, radius: float, others: list[Thing]) -> np.ndarray:
    low, high = np.array(WORKSPACE)[:, :2]
    while True:
        place = generator.uniform(low, high)
        if all(np.linalg.norm(place - other.place) > radius + other.radius + 0.01 for other in others):
            return place
