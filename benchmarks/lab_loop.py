"""Training as the lab's users do it: the yardstick, slow where theirs is slow."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from cvae.config import Lab4Config
from cvae.losses import kl_divergence
from cvae.models.lab4 import Lab4CVAE

Size = tuple[int, int]


def lab_clips(data: Path, size: Size, clip_frames: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of clips, frames and poses, each float `(B, T, 3, H, W)` in [0, 1].

    As in the lab, every picture is decoded and resized again in every epoch, clips follow each other in the order of
    their numbers, none overlaps another, and a gap in the numbers is not noticed.
    """
    folders = [data / "train" / f"train_{kind}" for kind in ("img", "label")]
    numbers = sorted(int(path.stem) for path in folders[0].glob("*.png"))
    edges = range(0, len(numbers) + 1, clip_frames)
    while True:
        clips: list[list[Tensor]] = []
        for a, b in pairwise(edges):
            clips.append([_read_clip(folder, numbers[a:b], size) for folder in folders])
            if len(clips) == batch_size:
                frames, poses = (torch.stack(some) for some in zip(*clips, strict=True))
                yield frames, poses
                clips = []


def _read_clip(folder: Path, numbers: list[int], size: Size) -> Tensor:
    pictures = [Image.open(folder / f"{n}.png").convert("RGB").resize(size[::-1]) for n in numbers]
    return torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).movedim(-1, 1).float() / 255


class LabLoop:
    """The lab's network, in float32, trained one frame after the other.

    Args:
        config: Sizes of the network.
    """

    def __init__(self, config: Lab4Config) -> None:
        torch.manual_seed(0)
        self.model = Lab4CVAE(config).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.generator = torch.Generator().manual_seed(0)

    def step(self, frames: Tensor, poses: Tensor) -> float:
        """One step on clips `(B, T, 3, H, W)`; returns the loss: squared error plus KL, summed over the frames."""
        model, previous = self.model, frames[:, 0]
        loss = torch.zeros(())
        for t in range(1, frames.shape[1]):
            (context,) = model.encode_conditions(None, poses[:, t : t + 1])  # although all poses are known
            encoded = model.encode_step(context, previous)
            posterior, _ = model.posterior(encoded, frames[:, t])
            sketch, _ = model.decode_step(encoded, posterior.sample(self.generator))
            previous = model.draw_frames([sketch])[:, 0]
            loss = loss + torch.nn.functional.mse_loss(previous, frames[:, t])
            loss = loss + kl_divergence(posterior, encoded.prior).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()
