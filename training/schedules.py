"""How things change over a training: of its progress from 0 to 1, so that they fit steps and minutes, or of epochs."""

import math
import random
import time
from dataclasses import dataclass, field
from typing import Literal

from cvae.errors import InputError
from training.checks import check


@dataclass
class Clock:
    """Progress of a training whose length is given in steps or in minutes.

    Raises:
        InputError: If it is given in both or in neither, or is not above zero.
    """

    steps: int | None
    max_minutes: float | None
    minutes_before: float = 0.0
    """Trained already, before the run was resumed."""
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.max_minutes is None):
            raise InputError("Give the length of the training as either --steps N or --max-minutes M.")
        check("--steps", self.steps, lambda value: value is None or value > 0, "above zero")
        check("--max-minutes", self.max_minutes, lambda value: value is None or value > 0, "above zero")

    @property
    def minutes(self) -> float:
        """Trained so far, those before the run was resumed included."""
        return self.minutes_before + (time.monotonic() - self.started) / 60

    def progress(self, step: int) -> float:
        """Share of the training that is done after `step` steps, 0 to 1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.max_minutes is not None
        return min(1.0, self.minutes / self.max_minutes)


def learning_rate(
    peak: float, step: int, progress: float, schedule: Literal["cosine", "constant"] = "cosine", warmup_steps: int = 100
) -> float:
    """Linear warm-up, then half a cosine down to zero; or always the peak.

    Source: Loshchilov & Hutter 2017 (arXiv:1608.03983).
    """
    if schedule == "constant":
        return peak
    return peak * min(1.0, (step + 1) / warmup_steps) * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class Epochs:
    """Which epoch a step lies in; an epoch shows as many frames as the data has, and fewer in a fast train."""

    steps: int
    """Of an epoch."""
    fast_steps: int
    """Of one of the first `fast` epochs."""
    fast: int = 0

    def at(self, step: int) -> int:
        """The epoch, counted from 0, that `step` lies in."""
        if step < self.fast * self.fast_steps:
            return step // self.fast_steps
        return self.fast + (step - self.fast * self.fast_steps) // self.steps


@dataclass(frozen=True, kw_only=True)
class KLAnnealing:
    """How the weight of the KL divergence, beta, grows: once, again and again, or not at all.

    Source: Fu et al. 2019, Cyclical annealing schedule (arXiv:1903.10145).
    """

    annealing: Literal["cyclical", "monotonic", "none"] = "monotonic"
    """`none` keeps it at `stop`."""
    start: float = 0.0
    """Weight at which a climb begins."""
    stop: float = 0.01
    """Weight at which it ends."""
    cycles: int = 4
    """Climbs of a cyclical annealing over the whole training."""
    ratio: float = 0.1
    """Share of a cycle, or of the whole training, that is spent climbing."""
    every: Literal["step", "epoch"] = "step"
    """When the weight changes."""
    per_value: bool = True
    """Count the divergence in nats per value of a frame (3 H W of them), so that a weight means the same at every size;
    the lab counts it per frame."""

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            check(f"--kl.{name}", getattr(self, name), lambda value: value >= 0, "zero or more")
        check("--kl.cycles", self.cycles, lambda value: value >= 1, "1 or more")
        check("--kl.ratio", self.ratio, lambda value: 0 < value <= 1, "a share above 0, at most 1")

    def weight(self, progress: float) -> float:
        """Beta when this share of the training is done, 0 to 1."""
        if self.annealing == "none":
            return self.stop
        cycles = self.cycles if self.annealing == "cyclical" else 1
        place = progress * cycles - math.floor(progress * cycles) if progress < 1 else 1.0
        return self.start + (self.stop - self.start) * min(1.0, place / self.ratio)


@dataclass(frozen=True, kw_only=True)
class TeacherForcing:
    """How often the network sees the true previous frame, instead of the one it predicted itself.

    Source: Bengio et al. 2015, Scheduled sampling (arXiv:1506.03099).
    """

    initial: float = 0.0
    """Ratio at the beginning, 0 to 1."""
    decay_from: int = 10
    """Epoch, counted from 0, at whose end it begins to fall."""
    decay: float = 0.1
    """By how much it falls each epoch."""
    floor: float = 0.0
    """Ratio below which it does not fall."""
    mode: Literal["batch", "epoch", "blend"] = "batch"
    """Draw true or predicted for each step or for each epoch; or blend both frames by the ratio."""

    def __post_init__(self) -> None:
        for name in ("initial", "floor", "decay"):
            check(f"--forcing.{name}", getattr(self, name), lambda value: 0 <= value <= 1, "a share from 0 to 1")
        check("--forcing.decay-from", self.decay_from, lambda value: value >= 0, "zero or more")

    def ratio(self, epoch: int) -> float:
        """The ratio in an epoch, counted from 0."""
        floor = min(self.floor, self.initial)
        return max(floor, self.initial - self.decay * max(0, epoch - self.decay_from))

    def share_of_truth(self, epoch: int, step: int, seed: int) -> float:
        """Of the true frame in what the network is fed in this step: 0 or 1, or between where they are blended.

        It depends on nothing but its arguments, so that all processes and a resumed training agree.
        """
        ratio = self.ratio(epoch)
        if self.mode == "blend":
            return ratio
        return float(random.Random(f"{seed} {epoch if self.mode == 'epoch' else step}").random() < ratio)


def average_decay(step: int, gamma: float = 16.0) -> float:
    """Decay of the power-function average of the weights: it spans the same share of a training of any length.

    Source: Karras et al. 2024, equation 3 (arXiv:2312.02696).
    """
    return (1 - 1 / (step + 1)) ** (gamma + 1)
