"""What training minimises: reconstruction error plus weighted KL divergence along short rollouts."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cvae.losses import kl_divergence, reconstruction_error
from cvae.models import Model
from training.augment import spoil_previous
from training.checks import check
from training.data.clips import Batch
from training.dice import Dice
from training.strategies import specify_histogram


@dataclass(frozen=True)
class Losses:
    """Of each clip, `(B,)`: squared error, and KL in nats; mean or sum over its predicted frames."""

    reconstruction: Tensor
    kl: Tensor


@dataclass(frozen=True, kw_only=True)
class ObjectiveConfig:
    """How a clip is rolled out in training, and what its loss is."""

    prior_share: float = 0.5
    """Share of latents taken as at use, the prior's mean, instead of drawn from the posterior."""
    withhold: float = 0.5
    """Share of clips whose first prediction must do without the previous frame."""
    previous_noise: float = 0.1
    """Largest standard deviation of the noise on the first previous frame."""
    sum_frames: bool = False
    """Sum the losses of a clip's frames, as the lab does, instead of their mean."""

    def __post_init__(self) -> None:
        for name in ("prior_share", "withhold"):
            option = f"--objective.{name.replace('_', '-')}"
            check(option, getattr(self, name), lambda value: 0 <= value <= 1, "a share from 0 to 1")
        check("--objective.previous-noise", self.previous_noise, lambda value: value >= 0, "zero or more")


class Objective(nn.Module):
    """The negative conditional ELBO of a clip; a module, so that data-parallel training sees one forward.

    Of its latents a share is the prior's mean: the hybrid objective of Sohn, Lee & Yan 2015, section 4.2.

    Args:
        model: The network that is trained.
        config: How.
        kl_per_value: Count the KL divergence in nats per value of a frame instead of per frame.
    """

    def __init__(self, model: Model, config: ObjectiveConfig, *, kl_per_value: bool) -> None:
        super().__init__()
        self.model, self.config, self.kl_per_value = model, config, kl_per_value

    def forward(self, batch: Batch, dice: Dice, share_of_truth: float = 0.0, match_histograms: bool = False) -> Losses:
        """Roll the clips out: the given frames are true, the first of them spoiled; the others are the network's own.

        Args:
            batch: B clips of T frames; frames 1 to T-1 are predicted, also those that are given in use.
            dice: Of these clips.
            share_of_truth: Of the true frame in what is fed back: 0 is a free rollout, 1 teacher forcing, between
                them both are blended.
            match_histograms: Give what is fed back the histogram of what was fed in before.
        """
        model: Any = self.model
        config, past = self.config, self.model.config.past_frames
        reference = model.encode_reference(batch.reference, batch.reference_condition)
        contexts = model.encode_conditions(reference, batch.conditions[:, 1:])
        fed = spoil_previous(batch.frames[:, 0], config.previous_noise, dice)
        withheld: Tensor | None = (dice.uniform() < config.withhold).to(fed.device)
        views = model.encode_frames(torch.cat([fed[:, None], batch.frames[:, 1:past]], dim=1), given=True)
        views += model.encode_frames(batch.frames[:, past:], given=False)
        forced = share_of_truth == 1 and not match_histograms
        view, memory = views[0], None
        waiting, predicted, divergences = [], [], []
        for number, context in enumerate(contexts, start=1):
            step = model.encode_step(context, view, memory, withheld)
            posterior, step = model.posterior(step, views[number])
            as_used = dice.uniform(*[1] * (posterior.mean.ndim - 1)) < (config.prior_share if number >= past else 0)
            drawn = posterior.at(dice.normal(*posterior.mean.shape[1:]))
            latent = torch.where(as_used.to(drawn.device), step.prior.mean, drawn)
            sketch, memory = model.decode_step(step, latent)
            divergences.append(kl_divergence(posterior, step.prior))
            waiting.append(sketch)
            withheld = None
            if number < past or forced or number == len(contexts):
                fed, view = batch.frames[:, number], views[number]
                continue
            predicted.append(model.draw_frames(waiting))  # (B, t, C, H, W), with those that nobody waited for
            waiting = []
            own = specify_histogram(predicted[-1][:, -1], fed) if match_histograms else predicted[-1][:, -1]
            fed = torch.lerp(own, batch.frames[:, number], share_of_truth) if share_of_truth else own
            (view,) = model.encode_frames(fed[:, None], given=False)
        frames = torch.cat([*predicted, model.draw_frames(waiting)], dim=1)  # (B, T - 1, C, H, W)
        errors = reconstruction_error(frames.flatten(0, 1), batch.frames[:, 1:].flatten(0, 1)).view(frames.shape[:2])
        kl = torch.stack(divergences, dim=1) / (frames[0, 0].numel() if self.kl_per_value else 1)  # (B, T - 1)
        over_frames = torch.sum if config.sum_frames else torch.mean
        return Losses(over_frames(errors, dim=1), over_frames(kl, dim=1))
