"""What the robot is told to do: go beside an object, lower the hand, push it, lift, and wander in between."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from cvae.steering import WORKSPACE
from training.robot.hand import Hand, rounded
from training.robot.table import Table
from training.robot.things import Thing

Generator = np.random.Generator
_LOW, _HIGH = np.array(WORKSPACE)
_PUSHES = 0.8  # share of errands that push; the others only wander
_NEAR = 0.04  # metres to a waypoint at which the next one is made for
_AGILITY = 0.75  # share of the wanted change of speed that one frame brings
_GRIP = 0.25  # largest change of the opening in a frame


@dataclass(frozen=True)
class _Waypoint:
    """A place to go to, in metres, at a speed in metres a frame, with the gripper's opening on the way."""

    place: np.ndarray
    speed: float
    opening: float


class Policy:
    """Draws the actions of one clip, one by one, looking at where the objects are."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._ahead: deque[_Waypoint] = deque()
        self._velocity = np.zeros(3)

    def act(self, hand: Hand, table: Table, things: tuple[Thing, ...]) -> np.ndarray:
        """The next action `(4,)`, with the digits that files have."""
        while not self._ahead or np.linalg.norm(self._ahead[0].place - hand.position) < _NEAR:
            if self._ahead:
                self._ahead.popleft()
            if not self._ahead:
                self._ahead.extend(_errand(self._generator, table, things))
        goal = self._ahead[0]
        wanted = _shortened(goal.place - hand.position, goal.speed)
        self._velocity += _AGILITY * (wanted - self._velocity)
        opening = hand.opening + np.clip(goal.opening - hand.opening, -_GRIP, _GRIP)
        return rounded(np.append(self._velocity, opening))


def _shortened(vector: np.ndarray, longest: float) -> np.ndarray:
    return vector * min(1.0, longest / max(float(np.linalg.norm(vector)), 1e-9))


def _errand(generator: Generator, table: Table, things: tuple[Thing, ...]) -> list[_Waypoint]:
    """Waypoints that push one object, or one waypoint anywhere."""
    which = int(generator.integers(len(things)))
    center, radius = table.centers[which], things[which].radius
    aim = generator.uniform(0.7 * _LOW[:2], 0.7 * _HIGH[:2])
    way = (aim - center) / max(float(np.linalg.norm(aim - center)), 1e-9)
    opening = float(generator.uniform(0, 0.8))
    beside = center - way * (radius + 0.04 + 0.03 * opening)
    reachable = bool(((beside >= _LOW[:2]) & (beside <= _HIGH[:2])).all())
    if not reachable or generator.random() > _PUSHES:
        return [_Waypoint(generator.uniform(_LOW, _HIGH), generator.uniform(0.055, 0.08), generator.uniform(0, 1))]
    low, lifted = generator.uniform(0.01, 0.02), generator.uniform(0.07, 0.16)
    beyond = center + way * generator.uniform(0.08, 0.2)
    return [
        _Waypoint(np.append(beside, generator.uniform(0.07, 0.1)), generator.uniform(0.065, 0.08), opening),
        _Waypoint(np.append(beside, low - 0.03), 0.07, opening),  # lower than it goes, so that near is low
        _Waypoint(_within(np.append(beyond, low)), generator.uniform(0.045, 0.08), opening),
        _Waypoint(_within(np.append(beyond + generator.uniform(-0.05, 0.05, 2), lifted)), 0.08, opening),
    ]


def _within(place: np.ndarray) -> np.ndarray:
    return np.clip(place, _LOW, _HIGH)
