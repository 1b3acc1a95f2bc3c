"""The diagonal Gaussian that every latent of the project is drawn from."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Sampling = Literal["prior", "mean"]


@dataclass(frozen=True)
class Gaussian:
    """A diagonal Gaussian per latent element.

    Attributes:
        mean: `(B, Z, h, w)`, or `(B, Z)` where a latent has no place in the picture.
        logvar: Log of the variance, the same shape.
    """

    mean: Tensor
    logvar: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw once by reparameterisation, so that gradients reach mean and variance.

        The noise comes from the CPU, so that a seed gives the same draws on every device.

        Source: Kingma & Welling 2014, section 2.4 (arXiv:1312.6114).
        """
        return self.at(torch.randn(self.mean.shape, generator=generator, dtype=self.mean.dtype))

    def at(self, noise: Tensor) -> Tensor:
        """The value that `noise` from the standard normal, of the mean's shape, stands for."""
        return self.mean + (0.5 * self.logvar).exp() * noise.to(self.mean.device)
