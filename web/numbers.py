"""The numbers that come with a robot's frames, as people read them: with names, units and round steps."""

import math
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np

from cvae.actions import ACTION_NUMBERS, POSITION_NUMBERS
from cvae.config import SVGConfig
from cvae.steering import MAX_ACTION, WORKSPACE

STEPS = 40
"""That a slider has at most."""
_NEARLY = 0.1  # of a step: a slider may reach so far beyond what the training data held
_OWN_LOW = (*(-side for side in MAX_ACTION[:3]), 0.0, *WORKSPACE[0])
_OWN_HIGH = (*MAX_ACTION, *WORKSPACE[1])
_OWN_NAMES = ("Left − / right +", "Near − / far +", "Down − / up +", "Gripper open")
_NAMES = ("dx", "dy", "dz", "gripper")


@dataclass(frozen=True, kw_only=True)
class Number:
    """One number of an action or a position."""

    name: str
    low: float
    """Smallest value in the training data, as it is shown."""
    high: float
    """Largest."""
    factor: float = 1.0
    """By which a number of the data is multiplied to be shown."""
    unit: str = ""

    @property
    def label(self) -> str:
        """Name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def step(self) -> float:
        """1, 2 or 5 times a power of ten."""
        least = max(self.high - self.low, 1e-6) / STEPS
        power = 10.0 ** math.floor(math.log10(least))
        return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value of a slider, whole steps."""
        low = math.ceil(self.low / self.step - _NEARLY) * self.step
        return round(low, 9), round(max(math.floor(self.high / self.step + _NEARLY) * self.step, low), 9)

    @property
    def rest(self) -> float:
        """Where a slider begins: at no movement, or in the middle."""
        low, high = self.limits
        return 0.0 if low < 0 < high else round(round((low + high) / 2 / self.step) * self.step, 9)

    def said(self, value: float) -> str:
        """A value of the data, as it is shown, without its unit."""
        shown = value * self.factor
        text = f"{shown:.1f}" if self.unit else f"{shown:.3g}"
        return text.replace("-", "−")


def robot_numbers(model: SVGConfig) -> tuple[Number, ...]:
    """The numbers of an action and of a position, seven in all, with what the training data held of each."""
    own = has_own_units(model)
    factors, units = ((100.0,) * 7, ("cm",) * 3 + ("%",) + ("cm",) * 3) if own else ((1.0,) * 7, ("",) * 7)
    names = (*(_OWN_NAMES if own else _NAMES), "x", "y", "z")
    limits = zip(names, model.low, model.high, factors, units, strict=True)
    return tuple(
        Number(name=name, low=low * factor, high=high * factor, factor=factor, unit=unit)
        for name, low, high, factor, unit in limits
    )


def has_own_units(model: SVGConfig) -> bool:
    """Whether these can be the numbers of our own robot: metres, and an opening of 0 to 1.

    A checkpoint does not tell its units; those of another robot lie elsewhere.
    """
    fits = (np.array(model.low) >= np.array(_OWN_LOW) - 1e-3) & (np.array(model.high) <= np.array(_OWN_HIGH) + 1e-3)
    return bool(fits.all())


def workspace_of(model: SVGConfig) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lowest and highest x, y, z of the hand in the training data."""
    return model.low[-POSITION_NUMBERS:], model.high[-POSITION_NUMBERS:]


def is_told_actions(model: object) -> TypeGuard[SVGConfig]:
    """Whether a network is told a robot's actions, as this page reads them."""
    numbers = ACTION_NUMBERS + POSITION_NUMBERS
    return isinstance(model, SVGConfig) and model.condition == "actions" and len(model.low) == numbers
