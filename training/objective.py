"""What training minimises: reconstruction error plus weighted KL divergence along short rollouts."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cvae.losses import kl_divergence, reconstruction_error
from cvae.models import PoseCVAE
from training.augment import spoil_previous
from training.data import Batch


@dataclass(frozen=True)
class Losses:
    """Of each clip, `(B,)`, mean over its predicted frames: squared error, and KL in nats per pixel value."""

    reconstruction: Tensor
    kl: Tensor


class Objective(nn.Module):
    """The negative conditional ELBO of a clip; a module, so that data-parallel training sees one forward.

    Args:
        model: The network that is trained.
        withhold: Share of clips whose first prediction is made without the previous frame.
        previous_noise: See `spoil_previous`.
        prior_share: Share of latents drawn from the prior's mean, as at use, instead of the posterior: the hybrid
            objective of Sohn, Lee & Yan 2015, section 4.2.
    """

    def __init__(self, model: PoseCVAE, *, withhold: float, previous_noise: float, prior_share: float) -> None:
        super().__init__()
        self.model, self.withhold = model, withhold
        self.previous_noise, self.prior_share = previous_noise, prior_share

    def forward(self, batch: Batch, generator: torch.Generator) -> Losses:
        """Roll the clip out: the first previous frame is true but spoiled, the others are the network's own.

        Args:
            batch: B clips of T frames; frames 1 to T-1 are predicted.
            generator: Source of all draws, on the CPU.
        """
        device, b = batch.frames.device, len(batch.frames)
        reference = self.model.encode_reference(batch.reference, batch.reference_pose)
        previous = spoil_previous(batch.frames[:, 0], self.previous_noise, generator)
        withheld = (torch.rand(b, generator=generator) < self.withhold).to(device)
        errors, divergences = [], []
        contexts = self.model.encode_conditions(reference, batch.poses[:, 1:])
        for context, target in zip(contexts, batch.frames[:, 1:].unbind(1), strict=True):
            step = self.model.encode_step(context, previous, withheld)
            posterior = self.model.posterior(step, target)
            as_used = (torch.rand(b, 1, 1, 1, generator=generator) < self.prior_share).to(device)
            latent = torch.where(as_used, step.prior.mean, posterior.sample(generator))
            previous = self.model.decode_step(step, latent)
            errors.append(reconstruction_error(previous, target))
            divergences.append(kl_divergence(posterior, step.prior) / target[0].numel())
            withheld = torch.zeros_like(withheld)
        return Losses(torch.stack(errors).mean(0), torch.stack(divergences).mean(0))
