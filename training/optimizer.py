"""Which rule turns gradients into new weights."""

import torch
from torch import nn

from training.recipe import OptimizerConfig

BETAS = (0.9, 0.99)


def build_optimizer(model: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """The optimizer of all weights of a model.

    Muon makes the momentum of each convolution's matrix, `(out, in * k * k)`, orthogonal, so that rare directions are
    learned as fast as common ones, and gives it the root mean square of an AdamW update, so that one learning rate fits
    both; biases and norms are AdamW's.

    Sources: Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/); for its size Liu et al. 2025
    (arXiv:2502.16982).
    """
    if config.name == "adamw":
        return torch.optim.AdamW(
            model.parameters(), lr=config.peak_lr, betas=BETAS, weight_decay=config.weight_decay, fused=True
        )
    from timm.optim.muon import Muon  # imports all of its networks: two seconds that no other command shall wait

    return Muon(model.parameters(), lr=config.peak_lr, betas=BETAS, weight_decay=config.weight_decay, nesterov=True)
