"""How things change over a training, as functions of its progress from 0 to 1, so that they fit steps and minutes."""

import math
import time
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Progress of a training whose length is given in steps or in minutes."""

    steps: int | None
    max_minutes: float | None
    started: float = field(default_factory=time.monotonic)

    def progress(self, step: int) -> float:
        """Share of the training that is done after `step` steps, 0 to 1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.max_minutes is not None
        return min(1.0, (time.monotonic() - self.started) / (60 * self.max_minutes))


def learning_rate(peak: float, step: int, progress: float, warmup_steps: int = 100) -> float:
    """Linear warm-up, then half a cosine down to zero. Loshchilov & Hutter 2017 (arXiv:1608.03983)."""
    return peak * min(1.0, (step + 1) / warmup_steps) * 0.5 * (1 + math.cos(math.pi * progress))


def kl_weight(peak: float, progress: float, climb: float = 0.1) -> float:
    """Monotonic annealing: from zero to `peak` over the first `climb` of the training."""
    return peak * min(1.0, progress / climb)


def average_decay(step: int, gamma: float = 16.0) -> float:
    """Decay of the power-function average of the weights: it spans the same share of a training of any length.

    Source: Karras et al. 2024, equation 3 (arXiv:2312.02696).
    """
    return (1 - 1 / (step + 1)) ** (gamma + 1)
