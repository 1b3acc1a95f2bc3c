"""The layers that the networks of the project are built from."""

import itertools

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

OCTAVES = 4
MOST_WEIGHTS = 2**26
"""Of an attention that are computed at once; a video of 8 frames at 128x256 has half of them."""


class ResBlock(nn.Module):
    """Two 3x3 convolutions around an identity; starts as the identity.

    One normalisation, not the usual two: on a CPU it costs about half as much as a convolution.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(self.norm(x))))


class Pyramid(nn.Module):
    """Turns a picture into feature maps, each of half the resolution of the one before.

    Args:
        in_channels: Channels of the picture.
        widths: Channels of each level; level 0 has the resolution of the picture over `patch_size`.
        patch_size: Side of the pixel blocks folded into channels before the first convolution.
    """

    def __init__(self, in_channels: int, widths: tuple[int, ...], patch_size: int) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(patch_size)
        self.stem = nn.Conv2d(in_channels * patch_size**2, widths[0], 3, padding=1)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.blocks = nn.ModuleList(ResBlock(width) for width in widths)

    def forward(self, picture: Tensor) -> list[Tensor]:
        picture = picture.to(self.stem.weight.dtype)
        h = self.blocks[0](self.stem(self.fold(picture)))  # (B, widths[0], H / patch, W / patch)
        levels = [h]
        for down, block in zip(self.downs, list(self.blocks)[1:], strict=True):
            h = block(down(h))  # (B, widths[l], H / patch / 2**l, ...)
            levels.append(h)
        return levels


class Up(nn.Module):
    """Doubles the resolution: 1x1 convolution to the new width, then each pixel becomes a 2x2 block."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 4 * out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.conv(x), 2)


class Attention(nn.Module):
    """Cross-attention of many target frames to one reference: which part of it looks like this part of the target.

    Queries and keys come from poses, so a left forearm finds the left forearm wherever it went; values carry
    the appearance found there. Both are compared by their angle (Henry et al. 2020, arXiv:2010.04245) and start out
    equal, so that from the first step on a limb finds the limb of its colour.

    Args:
        channels: C of poses and appearance.
        carried_channels: Channels that are moved along unchanged: the pixels themselves.
    """

    def __init__(self, channels: int, carried_channels: int = 0) -> None:
        super().__init__()
        self.carried_channels = carried_channels
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        self.position = nn.Conv2d(4 * OCTAVES, channels, 1, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(10.0))
        self.key.load_state_dict(self.query.state_dict())

    def look_up(self, reference_pose: Tensor, reference: Tensor, carried: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the reference, made once per sequence.

        Args:
            reference_pose: Features of the pose, `(B, C, h, w)`.
            reference: Features of the appearance, `(B, C, h, w)`.
            carried: `(B, carried_channels, h, w)`.

        Returns:
            `(B, h * w, C)` and `(B, h * w, C + carried_channels)`.
        """
        values = self.value(reference)
        values = torch.cat([values, carried.to(values.dtype)], dim=1)
        return self._directions(self.key, reference_pose), _tokens(values)

    def forward(self, poses: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Appearance for every target pose.

        Args:
            poses: Features of T target poses, `(B * T, C, h, w)`.
            keys: From `look_up`, for B references.
            values: From `look_up`.

        Returns:
            Features `(B * T, C, h, w)` and what was carried along, `(B * T, carried_channels, h, w)`.
        """
        b, (h, w) = keys.shape[0], poses.shape[-2:]
        query = self._directions(self.query, poses) * self.sharpness
        query = rearrange(query, "(b t) n c -> b (t n) c", b=b)
        found = attend(query.to(values), keys.to(values), values)
        found = rearrange(found, "b (t h w) c -> (b t) c h w", h=h, w=w)
        split = found.shape[1] - self.carried_channels
        return self.out(found[:, :split]), found[:, split:]

    def _directions(self, projection: nn.Module, poses: Tensor) -> Tensor:
        """Unit vectors that say what is where, `(B, h * w, C)`."""
        where = self.position(coordinates(*poses.shape[-2:]).to(poses))
        return F.normalize(_tokens(projection(poses) + where), dim=-1)


def attend(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Mean of the values, weighted by the softmax of the products of queries and keys.

    Written out, since torch's fused kernels take longer for this on a CPU; of large pictures some queries at a time, so
    that memory is bounded.

    Args:
        query: `(B, N, C)`.
        keys: `(B, M, C)`.
        values: `(B, M, D)`.

    Returns:
        `(B, N, D)`.
    """
    rows = max(1, MOST_WEIGHTS // (len(keys) * keys.shape[1]))
    parts = torch.split(query, rows, dim=1)
    return torch.cat([(part @ keys.mT).softmax(dim=-1).to(values) @ values for part in parts], dim=1)


def coordinates(height: int, width: int) -> Tensor:
    """Sines and cosines of y and x in four octaves, `(1, 16, height, width)`: near places have near values."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    angles = torch.stack([torch.pi * 2**octave * axis for octave in range(OCTAVES) for axis in (y, x)])
    return torch.cat([angles.sin(), angles.cos()])[None]


def _tokens(x: Tensor) -> Tensor:
    return rearrange(x, "b c h w -> b (h w) c")
