"""Changes to a clip that keep frames, poses and reference together."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor
from torchvision.transforms.v2.functional import permute_channels

from cvae.poses.skeleton import COLORS, OTHER_SIDE
from training.data.clips import Batch
from training.dice import Dice


def change_view(
    batch: Batch, share: float, zoom: tuple[float, float], shift: float, turn: float, stretch: float, dice: Dice
) -> Batch:
    """Show a share of the clips from nearer, farther or aside, tilted and stretched; edges are repeated, poses end in
    white.

    Args:
        batch: B clips.
        share: Of the clips that are changed, 0 to 1.
        zoom: Smallest and largest magnification.
        shift: Largest shift, in pictures: 0.2 is a fifth of the height up or down and of the width to a side.
        turn: Largest rotation to either side, in degrees.
        stretch: Largest stretch: 0.2 makes widths up to a fifth larger and heights smaller by the same factor, or the
            other way round.
        dice: Of these clips.

    Returns:
        The batch, its clips in the same order.
    """
    changed, size, *place, angle, form = dice.uniform(6).unbind(dim=1)
    scale = 1 / (zoom[0] + size * (zoom[1] - zoom[0]))
    offset = (2 * torch.stack(place) - 1) * 2 * shift
    angle = (2 * angle - 1) * math.radians(turn)
    form = (1 + stretch) ** (2 * form - 1)
    along, across = scale * angle.cos(), scale * angle.sin()
    matrix = torch.stack([along * form, -across / form, across * form, along / form], dim=1).view(-1, 2, 2)
    return _warp(batch, changed < share, matrix, offset)


def crop(batch: Batch, share: float, smallest: float, dice: Dice) -> Batch:
    """Show a share of the clips through a part of the picture, enlarged to all of it.

    Args:
        batch: B clips.
        share: Of the clips that are changed, 0 to 1.
        smallest: Side of the smallest part, in sides of the picture.
        dice: Of these clips.

    Returns:
        The batch, its clips in the same order.
    """
    changed, size, *place = dice.uniform(4).unbind(dim=1)
    scale = smallest + size * (1 - smallest)
    offset = (2 * torch.stack(place) - 1) * (1 - scale)  # never beyond the edge
    return _warp(batch, changed < share, scale[:, None, None] * torch.eye(2), offset)


def _warp(batch: Batch, changed: Tensor, matrix: Tensor, offset: Tensor) -> Batch:
    """Sample the clips that are `changed` on a grid that is the picture's, transformed, with its middle at `offset`.

    Args:
        batch: B clips.
        changed: `(B,)`, bool.
        matrix: `(B, 2, 2)`, of x and y in pixels.
        offset: `(2, B)`, in half pictures to the right and down.
    """
    b, (h, w) = len(batch.reference), batch.reference.shape[-2:]
    matrix = matrix * torch.tensor([[1, h / w], [w / h, 1]])  # of x and y in half pictures
    moved = torch.where(changed[:, None, None], torch.cat([matrix, offset.T[:, :, None]], dim=2), torch.eye(2, 3))
    grid = F.affine_grid(moved.to(batch.reference.device), [b, 1, h, w], align_corners=False)

    def sample(pictures: Tensor, padding: str) -> Tensor:
        flat = rearrange(pictures, "b t c h w -> b (t c) h w")
        moved = F.grid_sample(flat, grid, padding_mode=padding, align_corners=False)
        return rearrange(moved, "b (t c) h w -> b t c h w", c=3)

    frames = sample(torch.cat([batch.reference[:, None], batch.frames], dim=1), "border")
    poses = 1 - sample(1 - torch.cat([batch.reference_condition[:, None], batch.conditions], dim=1), "zeros")
    return Batch(frames[:, 0], poses[:, 0], frames[:, 1:], poses[:, 1:])


def mirror(batch: Batch, share: float, dice: Dice) -> Batch:
    """Show a share of the clips as a mirror does: left limbs become right ones, in the colours of poses too.

    Args:
        batch: B clips.
        share: Of the clips that are changed, 0 to 1.
        dice: Of these clips.

    Returns:
        The batch, its clips in the same order.
    """
    changed = (dice.uniform() < share).to(batch.frames.device)

    def flip(pictures: Tensor) -> Tensor:
        return pictures.index_put((changed,), pictures[changed].flip(-1))

    def turn(poses: Tensor) -> Tensor:
        return poses.index_put((changed,), swap_sides(poses[changed].flip(-1)))

    return Batch(flip(batch.reference), turn(batch.reference_condition), flip(batch.frames), turn(batch.conditions))


def swap_sides(poses: Tensor) -> Tensor:
    """Give left limbs the colours of right ones, and the other way round.

    A pixel is taken for paint of the limbs whose colour is like its own, thinned by white: near crossings of limbs that
    is not exact.

    Args:
        poses: Pose pictures, `(..., 3, H, W)` in [0, 1].

    Returns:
        The same shape, in [0, 1].
    """
    paints = 1 - torch.tensor(COLORS, device=poses.device) / 255  # (23, 3), what a joint's colour takes from white
    ink = 1 - poses.movedim(-3, -1)  # (..., H, W, 3)
    likeness = F.normalize(ink, dim=-1) @ F.normalize(paints, dim=-1).T  # cosines
    share = (60 * likeness).softmax(dim=-1)  # (..., H, W, 23)
    paint = share @ paints
    amount = (ink * paint).sum(-1, keepdim=True) / paint.square().sum(-1, keepdim=True)
    swapped = ink + amount * (share @ (paints[list(OTHER_SIDE)] - paints))
    return 1 - swapped.clamp(0, 1).movedim(-1, -3)


def recolour(batch: Batch, share: float, dice: Dice) -> Batch:
    """Swap the colour channels of a share of the clips, in frames and reference alike: another person, same pose.

    Args:
        batch: B clips.
        share: Of the clips that are changed, 0 to 1.
        dice: Of these clips.

    Returns:
        The batch, its clips in the same order; poses keep their colours, which name the limbs.
    """
    frames = torch.cat([batch.reference[:, None], batch.frames], dim=1)
    orders = dice.uniform(3).argsort(dim=1).tolist()
    changed = (dice.uniform() < share).tolist()
    swapped = torch.stack([permute_channels(f, o) if c else f for f, o, c in zip(frames, orders, changed, strict=True)])
    return Batch(swapped[:, 0], batch.reference_condition, swapped[:, 1:], batch.conditions)


def spoil_previous(previous: Tensor, noise: float, dice: Dice) -> Tensor:
    """The previous frame as a rollout would have left it: grain and a colour cast, so that the network learns to
    mend errors instead of handing them on.

    Args:
        previous: `(B, C, H, W)` in [0, 1].
        noise: Largest standard deviation of the grain; half of it for the cast.
        dice: Of these clips.

    Returns:
        The same shape, in [0, 1].
    """
    c, h, w = previous.shape[1:]
    strength = noise * dice.uniform(1, 1, 1)
    grain = dice.normal(c, h, w) + 0.5 * dice.normal(c, 1, 1)
    return (previous + (strength * grain).to(previous.device)).clamp(0, 1)
