"""The mechanics of objects on a table, seen from above: fingers push them, they slide on and push each other.

What the picture does not show decides where they end: each object has its own friction and weight, each contact its own
deflection, and a ball turns as it likes. Places and velocities are complex numbers, x + iy, so that to turn is to
multiply.
"""

import numpy as np

from training.robot.hand import FINGER_RADIUS, Hand
from training.robot.things import Thing

TRAY = ((-0.34, -0.26), (0.34, 0.24))
"""Lowest and highest x and y on the table, metres; a rim keeps objects within."""
_STEPS = 8  # a frame is taken in so many
_PASSES = 4  # at most, over all contacts of a step, since solving one may make another
_DEFLECTION = 0.3  # standard deviation in radians
_TURN = 0.5  # standard deviation of a ball's turn within a frame, radians
_SPRING = 0.4  # share of the speed that is left after hitting the rim


class Table:
    """Objects on the table, K of them.

    Attributes:
        angles: `(K,)`, by which they are turned, radians.
        friction: `(K,)`, speed that a frame takes from what slides, metres a frame squared; hidden.
        weight: `(K,)`, of which only the ratios count; hidden.
    """

    def __init__(self, things: tuple[Thing, ...], generator: np.random.Generator) -> None:
        self._places = _complex(np.array([thing.place for thing in things]))
        self.angles = np.array([thing.angle for thing in things])
        self._radii = np.array([thing.radius for thing in things])
        self._heights = np.array([thing.height for thing in things])
        self._generator = generator
        self.friction = np.exp(generator.uniform(np.log(0.01), np.log(0.05), len(things)))
        self.weight = np.exp(generator.normal(0, 0.7, len(things)))
        self._roll = np.array([thing.kind == "ball" for thing in things]) * generator.uniform(0.025, 0.045)
        self._velocities = self._roll * np.exp(1j * generator.uniform(0, 2 * np.pi))  # metres a frame

    @property
    def centers(self) -> np.ndarray:
        """`(K, 2)`, x and y in metres."""
        return np.stack([self._places.real, self._places.imag], axis=1)

    def advance(self, start: Hand, end: Hand) -> None:
        """One frame, in which the hand goes from one place to another."""
        deflections = np.exp(1j * self._generator.normal(0, _DEFLECTION, len(self._places)))
        fingers, motion = _complex(start.fingers), _complex(end.fingers - start.fingers)
        for share in np.arange(1, _STEPS + 1) / _STEPS:
            height = start.position[2] + share * (end.position[2] - start.position[2])
            self._slide()
            for _ in range(_PASSES):
                for finger, way in zip(fingers + share * motion, motion, strict=True):
                    self._push(finger, way, height, deflections)
                self._stay_within()
                if not self._separate():
                    break
            self._stay_within()

    def _slide(self) -> None:
        """What moves goes on, slower by its friction; a ball goes on rolling and turns."""
        turns = self._generator.normal(0, _TURN / np.sqrt(_STEPS), len(self._places)) * (self._roll > 0)
        speed = np.abs(self._velocities)
        kept = np.maximum(speed - self.friction / _STEPS, self._roll)
        self._velocities *= np.exp(1j * turns) * kept / np.maximum(speed, 1e-9)
        self._places += self._velocities / _STEPS

    def _push(self, finger: complex, motion: complex, height: float, deflections: np.ndarray) -> None:
        """Moves what a finger overlaps out of its way, and makes it at least as fast.

        Args:
            finger: Its place in metres.
            motion: Metres a frame.
            height: Of the fingertip, metres; lower objects are not touched.
            deflections: `(K,)`, turns from the contact's normal to the way that an object takes.
        """
        apart = self._places - finger
        distance = np.maximum(np.abs(apart), 1e-9)
        overlap = np.maximum(self._radii + FINGER_RADIUS - distance, 0) * (self._heights > height)
        if not overlap.any():
            return
        normal = apart / distance
        way = normal * deflections
        self._places += overlap * way
        lacking = np.maximum(_along(motion - self._velocities, way), 0) * (overlap > 0)
        self._velocities += lacking * way
        rubbing = (normal.conj() * motion).imag / _STEPS
        self.angles += np.minimum(overlap / FINGER_RADIUS, 1) * rubbing / self._radii

    def _separate(self) -> bool:
        """Moves overlapping objects apart, the heavier one less, and lets them share their speed; whether any did."""
        apart = self._places[:, None] - self._places
        distance = np.abs(apart) + np.eye(len(apart))  # nothing overlaps itself
        overlap = np.maximum(self._radii[:, None] + self._radii - distance, 0)
        if not overlap.any():
            return False
        normal = apart / np.maximum(distance, 1e-9)
        share = self.weight / (self.weight[:, None] + self.weight)
        self._places += np.sum(overlap * share * normal, axis=1)
        closing = np.maximum(_along(self._velocities - self._velocities[:, None], normal), 0) * (overlap > 0)
        self._velocities += np.sum(closing * share * normal, axis=1)
        return True

    def _stay_within(self) -> None:
        """Keeps objects inside the rim, from which they bounce a little."""
        (left, front), (right, back) = TRAY
        x, y = self._places.real, self._places.imag
        inside = np.clip(x, left + self._radii, right - self._radii) + 1j * np.clip(
            y, front + self._radii, back - self._radii
        )
        pushed = inside - self._places
        if pushed.any():
            inward = pushed / np.maximum(np.abs(pushed), 1e-12)
            self._velocities += (1 + _SPRING) * np.maximum(-_along(self._velocities, inward), 0) * inward
            self._places = inside


def _complex(points: np.ndarray) -> np.ndarray:
    """Points `(K, 2)` as `(K,)`."""
    return points[:, 0] + 1j * points[:, 1]


def _along(vectors: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """How much of each vector lies along a unit vector."""
    return (vectors * ways.conj()).real
