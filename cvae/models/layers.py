"""The layers that the networks of the project are built from."""

import itertools

import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


class ResBlock(nn.Module):
    """Two 3x3 convolutions around an identity; starts as the identity.

    One normalisation, not the usual two: on a CPU it costs as much as a convolution and the second changed nothing.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)

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
    the appearance found there. Vaswani et al. 2017 (arXiv:1706.03762).
    """

    def __init__(self, channels: int, heads: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.query_norm = nn.GroupNorm(8, channels)
        self.value_norm = nn.GroupNorm(8, channels)
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)

    def look_up(self, reference_pose: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the reference, `(B, heads, h * w, channels / heads)` each, made once per sequence."""
        key = self.key(self.query_norm(reference_pose))
        value = self.value(self.value_norm(reference))
        return self._tokens(key), self._tokens(value)

    def forward(self, poses: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Appearance for every target pose.

        Args:
            poses: Features of T target poses, `(B * T, C, h, w)`.
            keys: From `look_up`, for B references.
            values: From `look_up`.

        Returns:
            `(B * T, C, h, w)`.
        """
        b, (h, w) = keys.shape[0], poses.shape[-2:]
        query = self.query(self.query_norm(poses))
        query = rearrange(query, "(b t) (n d) h w -> b n (t h w) d", b=b, n=self.heads)
        found = F.scaled_dot_product_attention(query, keys, values)
        return self.out(rearrange(found, "b n (t h w) d -> (b t) (n d) h w", h=h, w=w))

    def _tokens(self, x: Tensor) -> Tensor:
        return rearrange(x, "b (n d) h w -> b n (h w) d", n=self.heads)
