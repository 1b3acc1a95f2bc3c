"""A conditional VAE that predicts a person's next frame from the previous frame, the pose and a reference frame.

    reference frame + its pose ──> reference features, once per sequence ─┐ attention: where is this body part?
    poses ───────────────────────> pose features, many poses at a time ───┴─> context of every frame
    previous frame ──────────────> previous features ──┐
                                        context ───────┴─> prior p(z | previous, pose, reference)
    true frame (training only) ─────────────────────────> posterior q(z | true frame, the same)
    z, context, previous features ─> decoder ─> new pixels, blended with the reference frame, the reference frame
                                                moved into the pose by attention, and the previous frame

Everything that does not depend on the previous frame is computed for many frames at a time; only the decoder
and the small encoder of the previous frame run frame after frame.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from cvae.config import PoseCVAEConfig
from cvae.gaussian import Gaussian
from cvae.models.layers import Attention, Pyramid, ResBlock, Up

MASKED = -1e4  # logit of a blend weight that shall be zero


@dataclass(frozen=True)
class Reference:
    """What the network keeps of the reference frame; `levels` are `(B, C_l, h_l, w_l)`."""

    frame: Tensor
    levels: list[Tensor]
    keys_and_values: dict[int, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Context:
    """What is known of one frame before the previous one is: its pose, dressed in the reference's appearance.

    `moved` is the reference frame with its parts moved to where the pose wants them, `(B, 3, H, W)`.
    """

    reference_frame: Tensor
    moved: Tensor
    levels: tuple[Tensor, ...]


@dataclass(frozen=True)
class Step:
    """What is known of one frame before its latent is drawn."""

    prior: Gaussian
    context: Context
    levels: list[Tensor]
    previous: Tensor
    withheld: Tensor


class PoseCVAE(nn.Module):
    """The network; the file's first lines draw it."""

    def __init__(self, config: PoseCVAEConfig) -> None:
        super().__init__()
        self.config = config
        widths, patch, z = config.widths, config.patch_size, config.latent_channels
        self.pose_encoder = Pyramid(3, widths, patch)
        self.reference_encoder = Pyramid(6, widths, patch)
        self.previous_encoder = Pyramid(4, widths, patch)
        self.target_encoder = Pyramid(3, tuple(width // 2 for width in widths), patch)
        self.finest = min(config.attention_levels)
        self.side = patch * 2**self.finest  # pixels that one position of that level stands for
        carried = {level: 3 * self.side**2 if level == self.finest else 0 for level in config.attention_levels}
        self.attention = nn.ModuleDict({str(level): Attention(widths[level], c) for level, c in carried.items()})
        self.moved_in = Pyramid(3, widths[:1], patch)
        self.prior_head = GaussianHead(widths[-1], z)
        self.posterior_head = GaussianHead(widths[-1] + widths[-1] // 2, z)
        self.latent_in = nn.Conv2d(z, widths[-1], 1)
        self.decoder = Decoder(widths, patch)

    def encode_reference(self, frame: Tensor, pose: Tensor) -> Reference:
        """Once per sequence: features of the reference frame and what attention needs to look parts up in it.

        Args:
            frame: `(B, 3, H, W)` in [0, 1].
            pose: The pose picture that belongs to it, the same shape.
        """
        poses = self.pose_encoder(1 - pose)
        levels = self.reference_encoder(torch.cat([frame, 1 - pose], dim=1))
        found = {}
        for level, layer in self._attention():
            carried = F.pixel_unshuffle(frame, self.side) if level == self.finest else levels[level][:, :0]
            found[level] = layer.look_up(poses[level], levels[level], carried)
        return Reference(frame=frame, levels=levels, keys_and_values=found)

    def encode_conditions(self, reference: Reference, poses: Tensor) -> list[Context]:
        """The context of T frames at once.

        Args:
            reference: Of B sequences.
            poses: Pose pictures, `(B, T, 3, H, W)` in [0, 1], white where nothing is drawn.

        Returns:
            T contexts.
        """
        b, t = poses.shape[:2]
        levels = self.pose_encoder(rearrange(1 - poses, "b t c h w -> (b t) c h w"))
        for level, layer in self._attention():
            appearance, carried = layer(levels[level], *reference.keys_and_values[level])
            levels[level] = levels[level] + appearance
            if level == self.finest:
                moved = F.pixel_shuffle(carried.float(), self.side)  # (B * T, 3, H, W)
        levels[0] = levels[0] + self.moved_in(moved)[0]
        moved = rearrange(moved, "(b t) c h w -> b t c h w", b=b)
        levels = [
            rearrange(level, "(b t) c h w -> b t c h w", b=b) + kept[:, None]
            for level, kept in zip(levels, reference.levels, strict=True)
        ]
        return [Context(reference.frame, moved[:, i], tuple(level[:, i] for level in levels)) for i in range(t)]

    def encode_step(self, context: Context, previous: Tensor, withheld: Tensor | None = None) -> Step:
        """Look at the previous frame; gives the prior of the latent.

        Args:
            context: Of the frame to predict.
            previous: The frame before it, `(B, 3, H, W)` in [0, 1].
            withheld: `(B,)` bool, True where the network must do without the previous frame; nowhere by default.
        """
        if withheld is None:
            withheld = torch.zeros(len(previous), dtype=torch.bool, device=previous.device)
        shown = (~withheld).to(previous.dtype)[:, None, None, None]
        seen = torch.cat([previous * shown, shown.expand_as(previous[:, :1])], dim=1)  # (B, 4, H, W)
        levels = [a + b for a, b in zip(context.levels, self.previous_encoder(seen), strict=True)]
        return Step(self.prior_head(levels[-1]), context, levels, previous, withheld)

    def posterior(self, step: Step, target: Tensor) -> Gaussian:
        """The latent's distribution given the true frame `(B, 3, H, W)`; used in training only."""
        seen = self.target_encoder(target)[-1]
        return self.posterior_head(torch.cat([step.levels[-1], seen], dim=1))

    def decode_step(self, step: Step, latent: Tensor) -> Tensor:
        """The predicted frame, `(B, 3, H, W)` in [0, 1].

        Args:
            step: From `encode_step`.
            latent: `(B, Z, h, w)`, drawn from the prior (in training also from the posterior).
        """
        out = self.decoder(step.levels, self.latent_in(latent.to(step.levels[-1].dtype))).float()  # (B, 7, H, W)
        hide_previous = torch.tensor([0, 0, 0, MASKED], device=out.device) * step.withheld[:, None]
        weights = (out[:, 3:] + hide_previous[:, :, None, None]).softmax(dim=1)  # (B, 4, H, W)
        candidates = (out[:, :3].sigmoid(), step.context.reference_frame, step.context.moved, step.previous)
        return torch.stack([w * c for w, c in zip(weights.split(1, dim=1), candidates, strict=True)]).sum(0)

    def _attention(self) -> list[tuple[int, Attention]]:
        return [(int(level), layer) for level, layer in self.attention.items()]  # type: ignore[misc]


class GaussianHead(nn.Module):
    """Mean and log-variance from features; starts at the standard normal."""

    def __init__(self, in_channels: int, latent_channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, in_channels)
        self.conv = nn.Conv2d(in_channels, 2 * latent_channels, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Gaussian:
        mean, logvar = self.conv(F.silu(self.norm(x))).float().chunk(2, dim=1)
        return Gaussian(mean, logvar.clamp(-10, 10))


class Decoder(nn.Module):
    """From the coarsest level to pixels: 3 channels of colour and 4 logits of blend weights."""

    def __init__(self, widths: tuple[int, ...], patch_size: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(ResBlock(width) for width in reversed(widths))
        self.ups = nn.ModuleList(Up(a, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.norm = nn.GroupNorm(8, widths[0])
        self.out = nn.Conv2d(widths[0], 7 * patch_size**2, 3, padding=1)
        self.unfold = nn.PixelShuffle(patch_size)

    def forward(self, levels: list[Tensor], latent: Tensor) -> Tensor:
        h = self.blocks[0](levels[-1] + latent)
        for up, block, skip in zip(self.ups, list(self.blocks)[1:], levels[-2::-1], strict=True):
            h = block(up(h) + skip)
        return self.unfold(self.out(F.silu(self.norm(h))))
