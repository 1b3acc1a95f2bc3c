"""From given frames and conditions to a video: each predicted frame is what the next one is predicted from."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from cvae.gaussian import Gaussian, Sampling
from cvae.models import Model

CHUNK = 24  # conditions encoded at a time: enough to keep the processor busy, few enough for memory and the first frame


def rollout(
    model: Model,
    given: Tensor,
    conditions: Tensor,
    *,
    sample: Sampling = "mean",
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Predict frame after frame; nothing but the given frames and the conditions is ever looked at.

    Args:
        model: In evaluation mode.
        given: Frames 0 to P-1, `(B, P, C, H, W)` in [0, 1]; a network that remembers nothing sees the last alone, and
            the first as its reference.
        conditions: One per frame, `(B, T, ...)`: pose pictures `(B, T, C, H, W)` in [0, 1] or numbers `(B, T, D)`;
            `conditions[:, 0]` belongs to the first frame.
        sample: Take the latent's prior `mean` or draw from the `prior`.
        generator: Source of the draws.

    Returns:
        Frames P to T-1, `(B, C, H, W)` in [0, 1] (see the network's `decode_step`), each as soon as it is made.
    """
    chunks = torch.split(conditions[:, 1:], CHUNK, dim=1)
    return rollout_in_chunks(model, given, conditions[:, 0], chunks, sample=sample, generator=generator)


@torch.inference_mode()
def rollout_in_chunks(
    model: Model,
    given: Tensor,
    first_condition: Tensor,
    chunks: Iterable[Tensor],
    *,
    sample: Sampling = "mean",
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """The same for a sequence of any length: conditions 1 to T-1 come in pieces `(B, t, ...)` when they are needed."""
    network: Any = model
    reference = network.encode_reference(given[:, 0], first_condition)
    views = network.encode_frames(given, given=True)
    contexts = (context for chunk in chunks for context in network.encode_conditions(reference, chunk))
    frame, memory = given[:, 0], None
    for number, context in enumerate(contexts, start=1):
        known = number <= len(views)
        previous = views[number - 1] if known else network.encode_frames(frame[:, None], given=False)[0]
        step = network.encode_step(context, previous, memory)
        latent = step.prior
        if number < len(views):
            latent, step = network.posterior(step, views[number])
        sketch, memory = network.decode_step(step, draw(latent, sample, generator))
        if number >= len(views):
            frame = network.draw_frames([sketch])[:, 0]
            yield frame


def draw(latent: Gaussian, sample: Sampling, generator: torch.Generator | None) -> Tensor:
    """The latent of one frame, of the shape of its mean."""
    return latent.mean if sample == "mean" else latent.sample(generator)
