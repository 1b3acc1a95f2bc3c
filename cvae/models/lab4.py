"""The lab's network ("DLP Lab 4"), layer by layer, so that its checkpoints can be used and its training repeated.

    previous frame ──> frame_transformation ──────────┐
    pose ────────────> label_transformation ──────────┼─> Decoder_Fusion ─> Generator ─> frame
    latent z ~ N(0, I) in use, from the posterior in training ─┘
    true frame (training only) ─> frame_transformation ─┬─> Gaussian_Predictor ─> posterior q(z | true frame, pose)
    pose ───────────────────────> label_transformation ─┘

Everything runs at full resolution. Modules are named as in the lab's checkpoints; `cvae.import_lab4` reads those.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from cvae.config import Lab4Config
from cvae.gaussian import Gaussian

SLOPE = 0.01
GATE_SLOPE = 0.1


@dataclass(frozen=True)
class Lab4Step:
    """What is known of one frame before its latent is drawn; features are `(B, C, H, W)`."""

    prior: Gaussian
    frame_features: Tensor
    label_features: Tensor


class Lab4CVAE(nn.Module):
    """The network; the file's first lines draw it.

    Its prior is N(0, I), whatever the previous frame and the pose are, and it never looks at the reference frame.
    """

    def __init__(self, config: Lab4Config) -> None:
        super().__init__()
        self.config = config
        f, label, z, d = config.frame_channels, config.label_channels, config.latent_channels, config.decoder_channels
        fused = f + label + z
        self.frame_transformation = nn.Sequential(
            ResidualBlock(3, f // 8),
            DepthConvBlock(f // 8, f // 8),
            ResidualBlock(f // 8, f // 4),
            DepthConvBlock(f // 4, f // 4),
            ResidualBlock(f // 4, f // 2),
            DepthConvBlock(f // 2, f // 2),
            nn.Conv2d(f // 2, f, 3, padding=1),
        )
        self.label_transformation = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, label // 2, 7),
            PictureNorm(label // 2, config.running_statistics),
            nn.Identity(),  # the lab's activation, whose slope of 1 makes it none
            ResidualBlock(label // 2, label),
        )
        self.Gaussian_Predictor = nn.Sequential(
            ResidualBlock(f + label, z // 4),
            DepthConvBlock(z // 4, z // 4),
            ResidualBlock(z // 4, z // 2),
            DepthConvBlock(z // 2, z // 2),
            ResidualBlock(z // 2, z),
            nn.Identity(),  # as above
            nn.Conv2d(z, 2 * z, 1),
        )
        self.Decoder_Fusion = nn.Sequential(
            DepthConvBlock(fused, fused),
            ResidualBlock(fused, fused // 4),
            DepthConvBlock(fused // 4, fused // 2),
            ResidualBlock(fused // 2, fused // 2),
            DepthConvBlock(fused // 2, d // 2),
            nn.Conv2d(d // 2, d, 1),
        )
        self.Generator = nn.Sequential(
            DepthConvBlock(d, d),
            ResidualBlock(d, d // 2),
            DepthConvBlock(d // 2, d // 2),
            ResidualBlock(d // 2, d // 4),
            DepthConvBlock(d // 4, d // 4),
            ResidualBlock(d // 4, d // 8),
            DepthConvBlock(d // 8, d // 8),
            nn.Conv2d(d // 8, 3, 1),
        )

    def encode_reference(self, frame: Tensor, pose: Tensor) -> None:
        """Nothing: this network sees the first frame only as the previous one of frame 1."""

    def encode_conditions(self, reference: None, poses: Tensor) -> list[Tensor]:
        """Features of T poses.

        In training they are made frame by frame, since the normalisation is over the batch of one frame, as in the
        lab; in use all at once.

        Args:
            reference: From `encode_reference`.
            poses: Pose pictures, `(B, T, 3, H, W)` in [0, 1], white where nothing is drawn.

        Returns:
            T tensors, `(B, label_channels, H, W)`.
        """
        if self.training:
            return [self.label_transformation(pose) for pose in poses.unbind(1)]
        features = self.label_transformation(rearrange(poses, "b t c h w -> (b t) c h w"))
        return list(rearrange(features, "(b t) c h w -> t b c h w", b=len(poses)))

    def encode_frames(self, frames: Tensor, *, given: bool) -> list[Tensor]:
        """The frames themselves, `(B, T, 3, H, W)` as T pictures."""
        return list(frames.unbind(1))

    def encode_step(
        self, context: Tensor, previous: Tensor, memory: None = None, withheld: Tensor | None = None
    ) -> Lab4Step:
        """Look at the previous frame.

        Args:
            context: Of the frame to predict, from `encode_conditions`.
            previous: The frame before it, `(B, 3, H, W)`.
            memory: There is none.
            withheld: `(B,)` bool, True where a black frame is shown instead; nowhere by default.
        """
        if withheld is not None:
            previous = previous.masked_fill(withheld[:, None, None, None], 0)
        b, _, h, w = previous.shape
        zeros = torch.zeros(b, self.config.latent_channels, h, w, device=previous.device)
        return Lab4Step(Gaussian(zeros, zeros), self.frame_transformation(previous), context)

    def posterior(self, step: Lab4Step, target: Tensor) -> tuple[Gaussian, Lab4Step]:
        """The latent's distribution given the true frame `(B, 3, H, W)`, and the same step.

        The previous frame plays no part in it.
        """
        seen = torch.cat([self.frame_transformation(target), step.label_features], dim=1)
        mean, logvar = self.Gaussian_Predictor(seen).float().chunk(2, dim=1)  # (B, Z, H, W) each
        # Not the lab's: where beta is 0 its variance grows to infinity.
        return Gaussian(mean, logvar.clamp(-30, 20)), step

    def decode_step(self, step: Lab4Step, latent: Tensor) -> tuple[Tensor, None]:
        """What the frame is made of, and nothing to remember.

        Args:
            step: From `encode_step`.
            latent: `(B, Z, H, W)`, drawn from the prior (in training from the posterior).
        """
        return torch.cat([step.frame_features, step.label_features, latent], dim=1), None

    def draw_frames(self, sketches: list[Tensor]) -> Tensor:
        """The frames of T steps, `(B, T, 3, H, W)`, one by one: many at a time do not fit into a processor's cache.

        Without the sigmoid some values may lie outside [0, 1], as in the lab.
        """
        frames = torch.stack([self.Generator(self.Decoder_Fusion(sketch)).float() for sketch in sketches], dim=1)
        return frames.sigmoid() if self.config.sigmoid else frames


class PictureNorm(nn.BatchNorm2d):
    """In training the statistics of the batch; in use those of each single picture, or those kept from training.

    The lab's networks stay in training mode when they are used, on one picture at a time. Instance normalisation is
    the same for many pictures at once.
    """

    def __init__(self, channels: int, running_statistics: bool) -> None:
        super().__init__(channels)
        self.running_statistics = running_statistics

    def forward(self, x: Tensor) -> Tensor:
        if self.training or self.running_statistics:
            return super().forward(x)
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, each activated, beside the identity or, where channels change, a 1x1 convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = _match(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.conv1(x), SLOPE)  # (B, out_channels, H, W)
        return F.leaky_relu(self.conv2(h), SLOPE) + self.skip(x)


class DepthConvBlock(nn.Module):
    """Mixes neighbours channel by channel, then channels pixel by pixel."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.block = nn.Sequential(DepthConv(in_channels, out_channels), ConvFFN(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class DepthConv(nn.Module):
    """A depthwise 3x3 convolution between two 1x1, beside the identity or, where channels change, a 1x1."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(in_channels, in_channels, 1), nn.LeakyReLU(SLOPE))
        self.depth_conv = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels)
        self.conv2 = nn.Conv2d(in_channels, out_channels, 1)
        self.adaptor = _match(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.depth_conv(self.conv1(x))) + self.adaptor(x)


class ConvFFN(nn.Module):
    """A gated layer of 1x1 convolutions, four times as wide inside, beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4 * channels, 1)
        self.conv_out = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.conv(x).chunk(2, dim=1)  # (B, 2 * channels, H, W) each
        return x + self.conv_out(value * F.leaky_relu(gate, GATE_SLOPE))


def _match(in_channels: int, out_channels: int) -> nn.Module:
    return nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
