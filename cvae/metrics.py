"""How close a predicted video is to the true one."""

import torch
from torch import Tensor

MAX_PSNR = 100.0  # dB; equal pictures would be infinite, which no mean, plot or JSON file survives


def psnr(prediction: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of every frame.

    Args:
        prediction: `(..., C, H, W)` in [0, 1].
        truth: The same shape.

    Returns:
        `(...)`, dB: `-10 log10(MSE)`, at most 100.

    Raises:
        ValueError: If the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction is {tuple(prediction.shape)}, truth is {tuple(truth.shape)}")
    squared_error = ((prediction - truth) ** 2).mean(dim=(-3, -2, -1))
    return (-10 * torch.log10(squared_error)).clamp(max=MAX_PSNR)
