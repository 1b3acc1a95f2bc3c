"""Changes to a clip that keep frames, poses and reference together."""

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor
from torchvision.transforms.v2.functional import permute_channels

from training.data import Batch


def zoom_and_shift(
    batch: Batch, share: float, zoom: tuple[float, float], shift: float, generator: torch.Generator
) -> Batch:
    """Show a share of the clips from nearer, farther or aside; edges are repeated, poses end in white.

    Args:
        batch: B clips.
        share: Of the clips that are changed, 0 to 1.
        zoom: Smallest and largest magnification.
        shift: Largest shift, in pictures: 0.2 is a fifth of the height up or down and of the width to a side.
        generator: Source of the draws, on the CPU.

    Returns:
        The batch, its clips in the same order.
    """
    b, (h, w) = len(batch.reference), batch.reference.shape[-2:]
    draws = torch.rand(4, b, generator=generator)
    changed = draws[0] < share
    scale = torch.where(changed, 1 / (zoom[0] + draws[1] * (zoom[1] - zoom[0])), 1)
    offset = torch.where(changed, (2 * draws[2:] - 1) * 2 * shift, 0)
    zero = torch.zeros(b)
    matrix = torch.stack([scale, zero, offset[0], zero, scale, offset[1]], dim=1).view(b, 2, 3)
    grid = F.affine_grid(matrix.to(batch.reference.device), [b, 1, h, w], align_corners=False)

    def warp(pictures: Tensor, padding: str) -> Tensor:
        flat = rearrange(pictures, "b t c h w -> b (t c) h w")
        moved = F.grid_sample(flat, grid, padding_mode=padding, align_corners=False)
        return rearrange(moved, "b (t c) h w -> b t c h w", c=3)

    frames = warp(torch.cat([batch.reference[:, None], batch.frames], dim=1), "border")
    poses = 1 - warp(1 - torch.cat([batch.reference_pose[:, None], batch.poses], dim=1), "zeros")
    return Batch(frames[:, 0], poses[:, 0], frames[:, 1:], poses[:, 1:])


def recolour(batch: Batch, share: float, generator: torch.Generator) -> Batch:
    """Swap the colour channels of a share of the clips, in frames and reference alike: another person, same pose.

    Args:
        batch: B clips.
        share: Of the clips that are changed, 0 to 1.
        generator: Source of the draws, on the CPU.

    Returns:
        The batch, its clips in the same order; poses keep their colours, which name the limbs.
    """
    frames = torch.cat([batch.reference[:, None], batch.frames], dim=1)
    orders = torch.rand(len(frames), 3, generator=generator).argsort(dim=1).tolist()
    changed = (torch.rand(len(frames), generator=generator) < share).tolist()
    swapped = torch.stack([permute_channels(f, o) if c else f for f, o, c in zip(frames, orders, changed, strict=True)])
    return Batch(swapped[:, 0], batch.reference_pose, swapped[:, 1:], batch.poses)


def spoil_previous(previous: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """The previous frame as a rollout would have left it: grain and a colour cast, so that the network learns to
    mend errors instead of handing them on.

    Args:
        previous: `(B, C, H, W)` in [0, 1].
        noise: Largest standard deviation of the grain; half of it for the cast.
        generator: Source of the draws, on the CPU.

    Returns:
        The same shape, in [0, 1].
    """
    b, c, h, w = previous.shape
    strength = noise * torch.rand(b, 1, 1, 1, generator=generator)
    grain = torch.randn(b, c, h, w, generator=generator) + 0.5 * torch.randn(b, c, 1, 1, generator=generator)
    return (previous + (strength * grain).to(previous.device)).clamp(0, 1)
