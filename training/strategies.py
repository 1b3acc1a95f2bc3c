"""What the users of the lab tried beside annealing and teacher forcing, each as a pure function."""

import torch
from torch import Tensor


def interpolate_weights(now: Tensor, initial: Tensor) -> Tensor:
    """Pull a tensor of weights back to where it began, the more the further it has turned away.

    The share of the new weights is `2 cos / (1 + cos)` of the angle between both; from a right angle on it is 0.

    Args:
        now: The trained weights.
        initial: The weights at the beginning, of the same shape.
    """
    cosine = torch.cosine_similarity(now.flatten(), initial.flatten(), dim=0).clamp(min=0)
    share = 2 * cosine / (1 + cosine)
    return share * now + (1 - share) * initial


def specify_histogram(frame: Tensor, like: Tensor) -> Tensor:
    """Give every channel of a frame the histogram of another: the darkest value becomes the other's darkest, and so on.

    Args:
        frame: `(B, C, H, W)`, what is fed back.
        like: The frame whose histogram is taken, the same shape.

    Returns:
        The same shape. Its gradient is that of `frame`, as if nothing had been done.
    """
    rank = frame.flatten(2).argsort(dim=2).argsort(dim=2)
    matched = like.flatten(2).sort(dim=2).values.gather(2, rank).view_as(frame)
    return frame + (matched - frame).detach()
