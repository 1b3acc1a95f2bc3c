"""What training minimises: reconstruction error plus weighted KL divergence along short rollouts."""

from dataclasses import dataclass

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
        """Roll the clips out: the first previous frame is true but spoiled, the others are the network's own.

        Args:
            batch: B clips of T frames; frames 1 to T-1 are predicted.
            dice: Of these clips.
            share_of_truth: Of the true frame in what is fed back: 0 is a free rollout, 1 teacher forcing, between
                them both are blended.
            match_histograms: Give what is fed back the histogram of what was fed in before.
        """
        device, config = batch.frames.device, self.config
        reference = self.model.encode_reference(batch.reference, batch.reference_pose)
        previous = spoil_previous(batch.frames[:, 0], config.previous_noise, dice)
        withheld = (dice.uniform() < config.withhold).to(device)
        errors, divergences = [], []
        contexts = self.model.encode_conditions(reference, batch.poses[:, 1:])  # type: ignore[arg-type]
        for context, target in zip(contexts, batch.frames[:, 1:].unbind(1), strict=True):
            step = self.model.encode_step(context, previous, withheld)  # type: ignore[arg-type]
            posterior = self.model.posterior(step, target)  # type: ignore[arg-type]
            as_used = (dice.uniform(1, 1, 1) < config.prior_share).to(device)
            drawn = posterior.at(dice.normal(*posterior.mean.shape[1:]))
            predicted = self.model.decode_step(step, torch.where(as_used, step.prior.mean, drawn))  # type: ignore[arg-type]
            errors.append(reconstruction_error(predicted, target))
            divergences.append(kl_divergence(posterior, step.prior) / (target[0].numel() if self.kl_per_value else 1))
            fed_back = specify_histogram(predicted, previous) if match_histograms else predicted
            previous = torch.lerp(fed_back, target, share_of_truth) if share_of_truth else fed_back
            withheld = torch.zeros_like(withheld)
        over_frames = torch.sum if config.sum_frames else torch.mean
        return Losses(*(over_frames(torch.stack(values), dim=0) for values in (errors, divergences)))
