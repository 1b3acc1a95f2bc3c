"""The layers that the networks of the project are built from."""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

OCTAVES = 4
MOST_WEIGHTS = 2**19
"""Of an attention that are computed at once: 1 MB in bfloat16, which stays in a processor's cache."""


class ResBlock(nn.Module):
    """Two 3x3 convolutions around an identity; starts as the identity.

    One normalisation, not the usual two, and over all channels: on a CPU groups of channels cost a convolution.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(self.norm(x))))


class Stem(nn.Sequential):
    """Folds blocks of pixels into channels and mixes them, `(B, C, H, W)` to `(B, C', H / side, W / side)`.

    Args:
        in_channels: C.
        out_channels: C'.
        side: Of a block, in pixels.
        reach: Blocks in height and width that are mixed, an odd number.
    """

    def __init__(self, in_channels: int, out_channels: int, side: int, reach: int = 3) -> None:
        conv = nn.Conv2d(in_channels * side**2, out_channels, reach, padding=reach // 2)
        super().__init__(nn.PixelUnshuffle(side), conv)


class Up(nn.Sequential):
    """Enlarges `factor` times: 1x1 convolution to the new width, then each pixel becomes a block of pixels."""

    def __init__(self, in_channels: int, out_channels: int, factor: int) -> None:
        super().__init__(nn.Conv2d(in_channels, factor**2 * out_channels, 1), nn.PixelShuffle(factor))


class Pyramid(nn.Module):
    """Turns a picture into feature maps, each of half the resolution of the one before.

    Args:
        in_channels: Channels of the picture.
        widths: Channels of each level; level 0 has the resolution of the picture over `patch_size`.
        patch_size: Side of the pixel blocks folded into channels before the first convolution.
    """

    def __init__(self, in_channels: int, widths: tuple[int, ...], patch_size: int) -> None:
        super().__init__()
        self.stem = Stem(in_channels, widths[0], patch_size)
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in itertools.pairwise(widths))
        self.blocks = nn.ModuleList(ResBlock(width) for width in widths)

    def forward(self, picture: Tensor) -> list[Tensor]:
        h = self.blocks[0](self.stem(picture))  # (B, widths[0], H / patch, W / patch)
        levels = [h]
        for down, block in zip(self.downs, list(self.blocks)[1:], strict=True):
            h = block(down(h))  # (B, widths[l], H / patch / 2**l, ...)
            levels.append(h)
        return levels


class Decoder(nn.Module):
    """From the levels of a `Pyramid` back to its finest resolution, `(B, widths[0], h_0, w_0)`."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResBlock(width) for width in reversed(widths))
        self.ups = nn.ModuleList(Up(a, b, 2) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))

    def forward(self, levels: list[Tensor]) -> Tensor:
        h = self.blocks[0](levels[-1])
        for up, block, skip in zip(self.ups, list(self.blocks)[1:], levels[-2::-1], strict=True):
            h = block(up(h) + skip)
        return h


@dataclass(frozen=True)
class Keys:
    """Where the parts of B references are.

    Attributes:
        directions: Unit vectors, `(B, h * w, K)`.
        position: What the queries of this size add, `(1, K, h, w)`.
    """

    directions: Tensor
    position: Tensor


class Attention(nn.Module):
    """Cross-attention of many target frames to one reference: which part of it looks like this part of the target.

    Queries and keys come from poses, so a left forearm finds the left forearm wherever it went; what is found there is
    the caller's. Both are compared by their angle (Henry et al. 2020, arXiv:2010.04245) and start out equal, so that
    from the first step on a limb finds the limb of its colour.

    Args:
        channels: C of the poses' features.
        key_channels: K that are compared.
    """

    def __init__(self, channels: int, key_channels: int = 32) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, key_channels, 1)
        self.key = nn.Conv2d(channels, key_channels, 1)
        self.position = nn.Conv2d(4 * OCTAVES, key_channels, 1, bias=False)
        self.sharpness = nn.Parameter(torch.tensor(10.0))
        self.key.load_state_dict(self.query.state_dict())

    def look_up(self, reference_pose: Tensor) -> Keys:
        """Keys of the reference, made once per sequence, from features of its pose, `(B, C, h, w)`."""
        position = self.position(coordinates(*reference_pose.shape[-2:]).to(reference_pose))
        return Keys(_directions(self.key(reference_pose) + position), position)

    def forward(self, poses: Tensor, keys: Keys, values: Tensor) -> Tensor:
        """What every place of the target finds in the reference.

        Args:
            poses: Features of T target poses, `(B * T, C, h, w)`.
            keys: From `look_up`, of B references.
            values: What is in each place of the references, `(B, D, h, w)`.

        Returns:
            `(B * T, D, h, w)`.
        """
        b, (h, w) = len(values), poses.shape[-2:]
        query = _directions(self.query(poses) + keys.position) * self.sharpness
        query = rearrange(query, "(b t) n c -> b (t n) c", b=b)
        values = _tokens(values)
        found = attend(query.to(values), keys.directions.to(values), values)
        return rearrange(found, "b (t h w) c -> (b t) c h w", h=h, w=w)


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


def _directions(x: Tensor) -> Tensor:
    """Unit vectors, `(B, h * w, C)`."""
    return F.normalize(_tokens(x), dim=-1)


def _tokens(x: Tensor) -> Tensor:
    return rearrange(x, "b c h w -> b (h w) c")
