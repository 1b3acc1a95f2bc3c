"""A conditional VAE that predicts a person's next frame from the previous frame, the pose and a reference frame.

    reference frame + its pose ──> reference features, once per sequence ─┐ attention: where is this body part?
    poses ───────────────────────> U-Net, many poses at a time ───────────┴─> context of every frame
    previous frame ──> previous features ──┐
                   context ────────────────┴─> prior p(z | previous, pose, reference)
    true frame (training only) ──────────────> posterior q(z | true frame, the same)
    z, context, previous features ─> new pixels, blended with the reference frame, the reference frame
                                     moved into the pose by attention, and the previous frame

Everything that does not depend on the previous frame, which is nearly all of the work, is computed for many frames at a
time; frame after frame run a few small convolutions at the coarsest level, and the blend.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from cvae.config import PoseCVAEConfig
from cvae.gaussian import Gaussian
from cvae.models.layers import Attention, Decoder, Keys, Pyramid, Stem, Up

MASKED = -1e4  # logit of a blend weight that shall be zero
CANDIDATES = 4  # of the blend: new pixels, the reference frame, the moved one, the previous frame


@dataclass(frozen=True)
class Reference:
    """What the network keeps of the reference frame: features `(B, C_l, h_l, w_l)` of each level, and what attention
    finds on its levels: keys, and values `(B, D_l, h_l, w_l)`."""

    frame: Tensor
    levels: list[Tensor]
    found: dict[int, tuple[Keys, Tensor]]


@dataclass(frozen=True)
class Context:
    """What is known of one frame before the previous one is: its pose, dressed in the reference's appearance.

    Attributes:
        reference_frame: `(B, 3, H, W)`.
        moved: The reference frame with its parts moved to where the pose wants them, `(B, 3, H, W)`.
        fine: Features of the picture, `(B, C_0, h_0, w_0)`.
        coarse: Features of the coarsest level, `(B, C_L, h_L, w_L)`.
    """

    reference_frame: Tensor
    moved: Tensor
    fine: Tensor
    coarse: Tensor


@dataclass(frozen=True)
class Step:
    """What is known of one frame before its latent is drawn; `coarse` has seen the previous frame."""

    prior: Gaussian
    context: Context
    coarse: Tensor
    previous: Tensor
    withheld: Tensor | None


class PoseCVAE(nn.Module):
    """The network; the file's first lines draw it."""

    def __init__(self, config: PoseCVAEConfig) -> None:
        super().__init__()
        self.config = config
        widths, patch, z = config.widths, config.patch_size, config.latent_channels
        coarsest, finest = widths[-1], min(config.attention_levels)
        self.pose_encoder = Pyramid(3, widths, patch)
        self.reference_encoder = Pyramid(6, widths, patch)
        self.finest = finest
        self.side = patch * 2**finest  # pixels that one place of the finest level with attention stands for
        self.attention = nn.ModuleDict({str(level): Attention(widths[level]) for level in config.attention_levels})
        self.appearance = nn.ModuleDict(
            {
                str(level): nn.Conv2d(widths[level], widths[level], 1)
                for level in config.attention_levels
                if level > finest
            }
        )
        self.moved_in = Stem(3, widths[0], patch)
        self.decoder = Decoder(widths)
        self.previous_encoder = Stem(3, coarsest, config.stride, reach=1)
        self.target_encoder = Stem(3, coarsest, config.stride, reach=1)
        self.prior_head = GaussianHead(coarsest, z)
        self.posterior_head = GaussianHead(2 * coarsest, z)
        self.latent_in = nn.Conv2d(z, coarsest, 1)
        self.up = Up(coarsest, widths[0], config.stride // patch)
        self.out = nn.Conv2d(widths[0], (3 + CANDIDATES) * patch**2, 3, padding=1)
        self.unfold = nn.PixelShuffle(patch)

    def encode_reference(self, frame: Tensor, pose: Tensor) -> Reference:
        """Once per sequence: features of the reference frame and what attention needs to look parts up in it.

        Args:
            frame: `(B, 3, H, W)` in [0, 1].
            pose: The pose picture that belongs to it, the same shape.
        """
        poses = self.pose_encoder(self._cast(1 - pose))
        levels = self.reference_encoder(self._cast(torch.cat([frame, 1 - pose], dim=1)))
        found = {}
        for level, layer in self._attention():
            pixels = level == self.finest
            values = F.pixel_unshuffle(frame, self.side) if pixels else self.appearance[str(level)](levels[level])
            found[level] = layer.look_up(poses[level]), values.to(poses[level].dtype)
        return Reference(frame, levels, found)

    def encode_conditions(self, reference: Reference, poses: Tensor) -> list[Context]:
        """The context of T frames at once.

        Args:
            reference: Of B sequences.
            poses: Pose pictures, `(B, T, 3, H, W)` in [0, 1], white where nothing is drawn.

        Returns:
            T contexts.
        """
        b = len(poses)

        def by_video(x: Tensor) -> Tensor:
            return rearrange(x, "(b t) c h w -> b t c h w", b=b)

        levels = self.pose_encoder(self._cast(rearrange(1 - poses, "b t c h w -> (b t) c h w")))
        moved = poses
        found = {level: layer(levels[level], *reference.found[level]) for level, layer in self._attention()}
        for level, values in found.items():
            if level == self.finest:
                moved = F.pixel_shuffle(values, self.side)  # (B * T, 3, H, W)
            else:
                levels[level] = levels[level] + values
        levels[0] = levels[0] + self.moved_in(moved)
        levels = [
            (by_video(level) + kept[:, None]).flatten(0, 1)
            for level, kept in zip(levels, reference.levels, strict=True)
        ]
        fine = self.decoder(levels)
        parts = (by_video(x).unbind(1) for x in (_picture(moved), fine, levels[-1]))
        return [Context(reference.frame, *part) for part in zip(*parts, strict=True)]

    def encode_frames(self, frames: Tensor, *, given: bool) -> list[Tensor]:
        """The frames themselves, `(B, T, 3, H, W)` as T pictures: a previous and a true frame are seen differently."""
        return list(frames.unbind(1))

    def encode_step(
        self, context: Context, previous: Tensor, memory: None = None, withheld: Tensor | None = None
    ) -> Step:
        """Look at the previous frame; gives the prior of the latent.

        Args:
            context: Of the frame to predict.
            previous: The frame before it, `(B, 3, H, W)` in [0, 1].
            memory: There is none.
            withheld: `(B,)` bool, True where the network must do without the previous frame; nowhere by default.
        """
        seen = self.previous_encoder(self._cast(previous))
        if withheld is not None:
            seen = seen.masked_fill(withheld[:, None, None, None], 0)
        coarse = context.coarse + seen
        return Step(self.prior_head(coarse), context, coarse, previous, withheld)

    def posterior(self, step: Step, target: Tensor) -> tuple[Gaussian, Step]:
        """The latent's distribution given the true frame `(B, 3, H, W)`, and the same step."""
        return self.posterior_head(torch.cat([step.coarse, self.target_encoder(self._cast(target))], dim=1)), step

    def decode_step(self, step: Step, latent: Tensor) -> tuple[tuple[Step, Tensor], None]:
        """What the frame is made of, and nothing to remember.

        Args:
            step: From `encode_step`.
            latent: `(B, Z, h, w)`, drawn from the prior (in training also from the posterior).
        """
        return (step, latent), None

    def draw_frames(self, sketches: list[tuple[Step, Tensor]]) -> Tensor:
        """The frames that T steps and latents stand for, `(B, T, 3, H, W)` in [0, 1]."""
        return torch.stack([self._draw(*sketch) for sketch in sketches], dim=1)

    def _draw(self, step: Step, latent: Tensor) -> Tensor:
        coarse = F.silu(step.coarse + self.latent_in(self._cast(latent)))
        out = _picture(self.unfold(self.out(F.silu(step.context.fine + self.up(coarse)))))  # (B, 7, H, W)
        logits = out[:, 3:]
        if step.withheld is not None:
            hide_previous = F.pad(step.withheld[:, None] * MASKED, (CANDIDATES - 1, 0))  # (B, 4)
            logits = logits + hide_previous[:, :, None, None]
        weights = logits.softmax(dim=1).chunk(CANDIDATES, dim=1)
        frame = weights[0] * out[:, :3].sigmoid()
        for weight, known in zip(
            weights[1:], (step.context.reference_frame, step.context.moved, step.previous), strict=True
        ):
            frame = torch.addcmul(frame, weight, known)
        return frame

    def _attention(self) -> list[tuple[int, Attention]]:
        return [(int(level), layer) for level, layer in self.attention.items()]  # type: ignore[misc]

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(self.out.weight.dtype)


class GaussianHead(nn.Module):
    """Mean and log-variance from features; starts at the standard normal."""

    def __init__(self, in_channels: int, latent_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 2 * latent_channels, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Gaussian:
        mean, logvar = self.conv(F.silu(x)).float().chunk(2, dim=1)
        return Gaussian(mean, logvar.clamp(-10, 10))


def _picture(x: Tensor) -> Tensor:
    """In float32 and channel by channel, in which the blend takes half of the time."""
    return x.to(torch.float32, memory_format=torch.contiguous_format)
