"""Random numbers of a training: each clip has its own, so that batches, processes and resuming do not change them."""

from collections.abc import Sequence

import torch
from torch import Tensor

_ODD = 0x9E3779B1


class Dice:
    """Draws for the clips of a batch, on the CPU.

    What a clip is drawn depends on the seed, on its number in the training and on what was drawn for it before, and on
    nothing else: two processes with half of a batch each draw what one draws with all of it.
    """

    def __init__(self, seed: int, numbers: Sequence[int]) -> None:
        """The dice of the clips with these numbers, counted over the whole training."""
        # Only the low 32 bits of a seed count for the CPU's generator.
        self.generators = [torch.Generator().manual_seed((seed * _ODD + number) % 2**32) for number in numbers]

    def __len__(self) -> int:
        return len(self.generators)

    def uniform(self, *shape: int) -> Tensor:
        """From 0 to 1, `(B, *shape)`."""
        return torch.stack([torch.rand(shape, generator=generator) for generator in self.generators])

    def normal(self, *shape: int) -> Tensor:
        """From the standard normal, `(B, *shape)`."""
        return torch.stack([torch.randn(shape, generator=generator) for generator in self.generators])
