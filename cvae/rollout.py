"""From a first frame and conditions to a video: each predicted frame is what the next one is predicted from."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from cvae.gaussian import Gaussian, Sampling
from cvae.models import Model

CHUNK = 24  # poses encoded at a time: enough to keep the processor busy, few enough for memory and the first frame


def rollout(
    model: Model,
    first_frame: Tensor,
    poses: Tensor,
    *,
    sample: Sampling = "mean",
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Predict frame after frame; nothing but the first frame and the poses is ever looked at.

    Args:
        model: In evaluation mode.
        first_frame: Frame 0, `(B, C, H, W)` in [0, 1].
        poses: One per frame, `(B, T, C, H, W)`; `poses[:, 0]` belongs to the first frame.
        sample: Take the latent's prior `mean` or draw from the `prior`.
        generator: Source of the draws.

    Returns:
        Frames 1 to T-1, `(B, C, H, W)` in [0, 1] (see the network's `decode_step`), each as soon as it is made.
    """
    chunks = torch.split(poses[:, 1:], CHUNK, dim=1)
    return rollout_in_chunks(model, first_frame, poses[:, 0], chunks, sample=sample, generator=generator)


@torch.inference_mode()
def rollout_in_chunks(
    model: Model,
    first_frame: Tensor,
    first_pose: Tensor,
    chunks: Iterable[Tensor],
    *,
    sample: Sampling = "mean",
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """The same for a sequence of any length: poses 1 to T-1 come in pieces, `(B, t, C, H, W)`, when they are needed."""
    reference: Any = model.encode_reference(first_frame, first_pose)
    previous = first_frame
    for chunk in chunks:
        contexts: list[Any] = model.encode_conditions(reference, chunk)
        for context in contexts:
            step: Any = model.encode_step(context, previous)
            previous = model.decode_step(step, draw(step.prior, sample, generator))
            yield previous


def draw(prior: Gaussian, sample: Sampling, generator: torch.Generator | None) -> Tensor:
    """The latent of one frame, `(B, Z, h, w)`."""
    return prior.mean if sample == "mean" else prior.sample(generator)
