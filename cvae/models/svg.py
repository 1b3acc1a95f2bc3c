"""Stochastic video generation with actions: a recurrent VAE that predicts a frame from all frames before it.

    previous frame ──> encoder ──> features ─┬─> LSTM ──> prior p(z | frames before, conditions), or N(0, I)
                          │                  │
    condition ────────────┼──────────────────┼───────────────────────────────┐
    true frame ──> encoder ──> features ─────┼─> LSTM ──> posterior q(z | frames up to it, conditions)
                          │                  │                               │
    latent z ─────────────┼──────────────────┴─> LSTMs ──> g ──> conditional convolution ──> decoder ──> frame
                          └── feature maps of the last given frame, as skip connections ──────┘

The true frame is seen in training, and in use for the frames that are given. One class serves a fixed and a learned
prior. What the LSTMs remember is handed in and out.

Source: Denton & Fergus 2018 (arXiv:1802.07687).
"""

from dataclasses import dataclass, replace
from itertools import repeat

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from cvae.config import SVGConfig
from cvae.gaussian import Gaussian
from cvae.models.layers import Up

State = list[tuple[Tensor, Tensor]]
"""Of a stack of LSTMs: hidden and cell of each layer, `(B, hidden)`."""
FIRST_LOGVAR = -4.0
"""Of posterior and learned prior in an untrained network: at 0 the noise of a latent drowns what it tells, the
predictor learns to ignore it, and no gradient brings it back."""
FARTHEST = 2.0  # a number may lie this many half-ranges from the middle of those of the training


@dataclass(frozen=True)
class View:
    """What is seen in B frames.

    Attributes:
        features: `(B, G)`.
        picture: The frames, `(B, 3, H, W)`, and `levels` their feature maps, `(B, C_l, h_l, w_l)`, from fine to coarse:
            what the decoder may look up. Both None of frames whose details are not to be used.
    """

    features: Tensor
    picture: Tensor | None
    levels: list[Tensor] | None

    def maps(self) -> list[Tensor]:
        """The frames and their feature maps."""
        assert self.picture is not None and self.levels is not None, "the first frame is always given"
        return [self.picture, *self.levels]


@dataclass(frozen=True)
class Conditions:
    """What the numbers of one frame do, of B clips.

    Attributes:
        numbers: Brought to about -1 to 1, `(B, D)`.
        scale: Of the conditional convolution, above zero, `(B, G)`.
        shift: The same shape.
    """

    numbers: Tensor
    scale: Tensor
    shift: Tensor


@dataclass(frozen=True)
class Memory:
    """What the network remembers of the frames before; `details` is the last view that had any."""

    details: View
    prior: State | None = None
    posterior: State | None = None
    predictor: State | None = None


@dataclass(frozen=True)
class Sketch:
    """What a frame is to show: a vector `(B, 2 G)`, or `(B, G)` without conditions, and where its details are from."""

    vector: Tensor
    details: View


@dataclass(frozen=True)
class SVGStep:
    """What is known of one frame before its latent is drawn."""

    prior: Gaussian
    conditions: Conditions
    features: Tensor
    memory: Memory


class SVG(nn.Module):
    """The network; the file's first lines draw it."""

    def __init__(self, config: SVGConfig) -> None:
        super().__init__()
        self.config = config
        options, numbers = config.options, len(config.low)
        g, z = options.feature_channels, options.latent_channels
        gaussian = (g + numbers, 2 * z, options.hidden_channels, options.gaussian_layers)
        self.encoder = Encoder(options.widths, options.patch_size, config.coarsest, g)
        self.posterior_lstm = LSTMs(*gaussian)
        self.prior_lstm = LSTMs(*gaussian) if options.prior == "learned" else None
        self.predictor = LSTMs(g + z + numbers, g, options.hidden_channels, options.predictor_layers)
        self.scale = nn.Linear(numbers, g) if numbers else None
        self.shift = nn.Linear(numbers, g) if numbers else None
        for lstms in filter(None, (self.posterior_lstm, self.prior_lstm)):
            nn.init.constant_(lstms.outward.bias[z:], FIRST_LOGVAR)
        self.decoder = Decoder(2 * g if numbers else g, options.widths, options.patch_size, config.coarsest)

    def encode_reference(self, frame: Tensor, condition: Tensor) -> None:
        """Nothing: this network sees the frames one after the other."""

    def encode_conditions(self, reference: None, conditions: Tensor) -> list[Conditions]:
        """The conditional convolution of T frames at once.

        Args:
            reference: From `encode_reference`.
            conditions: `(B, T, D)`, in the units of the data; of a network without conditions anything `(B, T, ...)`.

        Returns:
            T of them.
        """
        if self.scale is None or self.shift is None:
            nothing = self._cast(conditions.new_empty(len(conditions), 0))
            return [Conditions(nothing, nothing, nothing)] * conditions.shape[1]
        numbers = self._cast(self._normalise(conditions))
        parts = (numbers, F.softplus(self.scale(numbers)), self.shift(numbers))  # (B, T, D), (B, T, G) twice
        return [Conditions(*part) for part in zip(*(x.unbind(1) for x in parts), strict=True)]

    def encode_frames(self, frames: Tensor, *, given: bool) -> list[View]:
        """What is seen in T frames at once.

        Args:
            frames: `(B, T, 3, H, W)` in [0, 1].
            given: Whether these are given in use, so that the decoder may look up their details.
        """
        b, detailed = len(frames), given or self.config.options.last_frame_skip
        features, levels = self.encoder(self._cast(rearrange(frames, "b t c h w -> (b t) c h w")))

        def by_time(x: Tensor) -> list[Tensor]:
            return list(rearrange(x, "(b t) ... -> t b ...", b=b))

        if not detailed:
            return [View(seen, None, None) for seen in by_time(features)]
        maps = zip(*(by_time(level) for level in levels), strict=True)
        return [View(*view) for view in zip(by_time(features), frames.unbind(1), map(list, maps), strict=True)]

    def encode_step(
        self, context: Conditions, previous: View, memory: Memory | None = None, withheld: Tensor | None = None
    ) -> SVGStep:
        """Look at the previous frame; gives the prior of the latent.

        Args:
            context: Of the frame to predict, from `encode_conditions`.
            previous: The frame before it, from `encode_frames`.
            memory: From `decode_step` of the frame before, None at the beginning of a clip.
            withheld: `(B,)` bool, True where the network must do without the previous frame; nowhere by default. Its
                details for the decoder are withheld nowhere.
        """
        if memory is None:
            memory = Memory(previous)
        elif previous.levels is not None:
            memory = replace(memory, details=previous)
        features = previous.features
        if withheld is not None:
            features = features.masked_fill(withheld[:, None], 0)
        if self.prior_lstm is None:
            zeros = features.new_zeros(len(features), self.config.options.latent_channels, dtype=torch.float32)
            return SVGStep(Gaussian(zeros, zeros), context, features, memory)
        out, state = self.prior_lstm(torch.cat([features, context.numbers], dim=1), memory.prior)
        return SVGStep(_gaussian(out), context, features, replace(memory, prior=state))

    def posterior(self, step: SVGStep, target: View) -> tuple[Gaussian, SVGStep]:
        """The latent's distribution given the true frame, and the step that remembers having seen it."""
        seen = torch.cat([target.features, step.conditions.numbers], dim=1)
        out, state = self.posterior_lstm(seen, step.memory.posterior)
        return _gaussian(out), replace(step, memory=replace(step.memory, posterior=state))

    def decode_step(self, step: SVGStep, latent: Tensor) -> tuple[Sketch, Memory]:
        """What the predicted frame is to show, and what to remember.

        Args:
            step: From `encode_step`, or from `posterior` where the true frame was seen.
            latent: `(B, Z)`, drawn from the prior (from the posterior where the true frame was seen).
        """
        conditions = step.conditions
        known = torch.cat([step.features, self._cast(latent), conditions.numbers], dim=1)
        g, state = self.predictor(known, step.memory.predictor)
        g = g.tanh()
        if self.scale is not None:
            g = torch.cat([g, g * conditions.scale + conditions.shift], dim=1)  # (B, 2 G)
        return Sketch(g, step.memory.details), replace(step.memory, predictor=state)

    def draw_frames(self, sketches: list[Sketch]) -> Tensor:
        """The frames of T sketches at once, `(B, T, 3, H, W)` in [0, 1]."""
        details = [sketch.details for sketch in sketches]
        pictures, *levels = (torch.cat(same) for same in zip(*(view.maps() for view in details), strict=True))
        frames = self.decoder(torch.cat([sketch.vector for sketch in sketches]), levels, pictures)
        return rearrange(frames, "(t b) c h w -> b t c h w", t=len(sketches))

    def _normalise(self, conditions: Tensor) -> Tensor:
        """From the range that a number had in training to -1 to 1; one that was always the same becomes 0."""
        low, high = (conditions.new_tensor(limit) for limit in (self.config.low, self.config.high))
        half = (high - low) / 2
        return ((conditions - low - half) / half.where(half > 0, torch.inf)).clamp(-FARTHEST, FARTHEST)

    def _cast(self, x: Tensor) -> Tensor:
        return x.to(self.decoder.out.weight.dtype)


class Convs(nn.Sequential):
    """Two 3x3 convolutions, each normalised and activated, as in a VGG network.

    Normalised over the batch, as in the paper: what all frames share is taken away, and what is left, where things
    are, is strong enough for the posterior to tell it and for the predictor to listen.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            *(nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2)),
            *(nn.Conv2d(out_channels, out_channels, 3, padding=1), nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2)),
        )


class Encoder(nn.Module):
    """A picture as one vector `(B, G)`, and the feature maps on the way to it, `(B, C_l, h_l, w_l)`, fine to coarse."""

    def __init__(self, widths: tuple[int, ...], patch_size: int, coarsest: tuple[int, int], features: int) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(patch_size)
        inward = (3 * patch_size**2, *widths)
        self.blocks = nn.ModuleList(Convs(a, b) for a, b in zip(inward, widths, strict=False))
        self.out = nn.Conv2d(widths[-1], features, coarsest)
        self.norm = nn.BatchNorm1d(features)

    def forward(self, picture: Tensor) -> tuple[Tensor, list[Tensor]]:
        levels, h = [], self.fold(picture)  # (B, 3 patch^2, H / patch, W / patch)
        for block in self.blocks:
            h = block(h)  # (B, C_l, h_l, w_l)
            levels.append(h)
            h = F.max_pool2d(h, 2)
        return self.norm(self.out(h).flatten(1)).tanh(), levels


class Decoder(nn.Module):
    """A picture from a vector and the feature maps of another picture, of which it may show parts."""

    def __init__(self, in_features: int, widths: tuple[int, ...], patch_size: int, coarsest: tuple[int, int]) -> None:
        super().__init__()
        self.coarsest = coarsest
        self.start = nn.Linear(in_features, widths[-1] * coarsest[0] * coarsest[1])
        self.ups = nn.ModuleList(Up(a, b, 2) for a, b in zip((widths[-1], *widths[::-1]), widths[::-1], strict=False))
        self.blocks = nn.ModuleList(Convs(2 * width, width) for width in reversed(widths))
        self.out = nn.Conv2d(widths[0], 4 * patch_size**2, 3, padding=1)
        self.unfold = nn.PixelShuffle(patch_size)

    def forward(self, vector: Tensor, levels: list[Tensor], picture: Tensor) -> Tensor:
        h, w = self.coarsest
        x = F.leaky_relu(rearrange(self.start(vector), "b (c h w) -> b c h w", h=h, w=w), 0.2)
        for up, block, level in zip(self.ups, self.blocks, reversed(levels), strict=True):
            x = block(torch.cat([up(x), level], dim=1))  # (B, C_l, h_l, w_l)
        out = self.unfold(self.out(x)).to(torch.float32, memory_format=torch.contiguous_format)  # (B, 4, H, W)
        pixels, weight = out[:, :3].sigmoid(), out[:, 3:].sigmoid()
        return torch.lerp(picture, pixels, weight)


class LSTMs(nn.Module):
    """LSTMs, one on the other, between two linear layers.

    Args:
        in_features: Of what comes in at every frame.
        out_features: Of what goes out.
        hidden: Width of the LSTMs.
        layers: How many.
    """

    def __init__(self, in_features: int, out_features: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.inward = nn.Linear(in_features, hidden)
        self.cells = nn.ModuleList(nn.LSTMCell(hidden, hidden) for _ in range(layers))
        self.outward = nn.Linear(hidden, out_features)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        h, after = self.inward(x), []
        for cell, before in zip(self.cells, state or repeat(None), strict=False):
            after.append(cell(h, before))
            h = after[-1][0]  # (B, hidden)
        return self.outward(h), after


def _gaussian(x: Tensor) -> Gaussian:
    mean, logvar = x.float().chunk(2, dim=1)  # (B, Z) each
    return Gaussian(mean, logvar.clamp(-10, 10))
