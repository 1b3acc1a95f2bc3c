"""How close a predicted video is to the true one."""

import torch
from torch import Tensor

SSIM_WINDOW = 11  # pixels, of the Gaussian with a deviation of 1.5 pixels
MAX_PSNR = 100.0  # dB, above zero or below it; no mean, plot or JSON file survives an infinite one


def psnr(prediction: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of every frame.

    Args:
        prediction: `(..., C, H, W)` in [0, 1].
        truth: The same shape.

    Returns:
        `(...)`, dB: `-10 log10(MSE)`, from -100, also where the prediction is no number, to 100.

    Raises:
        ValueError: If the shapes differ.
    """
    _check_shapes(prediction, truth)
    squared_error = ((prediction - truth) ** 2).mean(dim=(-3, -2, -1))
    return (-10 * torch.log10(squared_error)).nan_to_num(nan=-MAX_PSNR).clamp(-MAX_PSNR, MAX_PSNR)


def ssim(prediction: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity of every frame, the mean over its colour channels.

    Args:
        prediction: `(B, C, H, W)` in [0, 1], at least 11 pixels high and wide.
        truth: The same shape.

    Returns:
        `(B,)`, 1 where the frames are equal.

    Raises:
        ValueError: If the shapes differ or the frames are smaller than the window.

    Source: Wang et al. 2004, over the pixels around which the whole window lies in the picture.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure  # takes seconds, needed seldom

    _check_shapes(prediction, truth)
    if min(prediction.shape[-2:]) < SSIM_WINDOW:
        raise ValueError(f"frames are {tuple(prediction.shape[-2:])} pixels, the window of SSIM is {SSIM_WINDOW}")
    _, whole = structural_similarity_index_measure(
        prediction, truth, data_range=1.0, reduction="none", return_full_image=True
    )
    border = SSIM_WINDOW // 2
    return whole[..., border:-border, border:-border].mean(dim=(-3, -2, -1))


def _check_shapes(prediction: Tensor, truth: Tensor) -> None:
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction is {tuple(prediction.shape)}, truth is {tuple(truth.shape)}")
