"""Training SVG as the lab's users do it: the yardstick, slow where theirs is slow."""

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cvae.actions import ACTION_NUMBERS, POSITION_NUMBERS
from cvae.config import SVGConfig, SVGOptions
from cvae.losses import kl_divergence
from cvae.models.svg import SVG

NUMBERS = ACTION_NUMBERS + POSITION_NUMBERS
BETA, LEARNING_RATE = 1e-4, 2e-3
PAPER = SVGOptions(patch_size=1, widths=(64, 128, 256, 512))


def paper_sizes(numbers: int = NUMBERS) -> SVGConfig:
    """The sizes of Denton & Fergus 2018 for 64x64 pixels, with a learned prior, and of the lab's conditions."""
    return SVGConfig(options=PAPER, low=(-1.0,) * numbers, high=(1.0,) * numbers)


def robot_clips(data: Path, clip_frames: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches: the first frames of one trajectory after the other, `(B, T, 3, H, W)`, and `(B, T, 7)`.

    As in the lab, pictures and tables are read again whenever a trajectory is used.
    """
    folders = cycle(sorted(path.parent for path in (data / "train").glob("*/*/actions.csv")))
    while True:
        clips = [_read(folder, clip_frames) for folder in islice(folders, batch_size)]
        frames, numbers = (torch.stack(some) for some in zip(*clips, strict=True))
        yield frames, numbers


def _read(folder: Path, count: int) -> tuple[Tensor, Tensor]:
    pictures = [np.asarray(Image.open(folder / f"{n}.png").convert("RGB")) for n in range(count)]
    frames = torch.from_numpy(np.stack(pictures)).movedim(-1, 1).float() / 255
    tables = (np.loadtxt(folder / f"{name}.csv", delimiter=",") for name in ("actions", "endeffector_positions"))
    return frames, torch.from_numpy(np.concatenate(list(tables), axis=1)[:count]).float()


class LabRobotLoop:
    """The network in float32, with teacher forcing, every frame encoded when it is needed.

    Args:
        config: Sizes of the network.
    """

    def __init__(self, config: SVGConfig) -> None:
        torch.manual_seed(0)
        self.model = SVG(config).train()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE)
        self.generator = torch.Generator().manual_seed(0)

    def step(self, frames: Tensor, numbers: Tensor) -> float:
        """One step on clips `(B, T, 3, H, W)` and `(B, T, 7)`; returns the loss, summed over the frames."""
        model, memory, loss = self.model, None, torch.zeros(())
        for t in range(1, frames.shape[1]):
            (context,) = model.encode_conditions(None, numbers[:, t - 1 : t])
            (previous,) = model.encode_frames(frames[:, t - 1 : t], given=t <= model.config.past_frames)
            (target,) = model.encode_frames(frames[:, t : t + 1], given=False)
            step = model.encode_step(context, previous, memory)
            posterior, step = model.posterior(step, target)
            sketch, memory = model.decode_step(step, posterior.sample(self.generator))
            loss = loss + torch.nn.functional.mse_loss(model.draw_frames([sketch])[:, 0], frames[:, t])
            loss = loss + BETA * kl_divergence(posterior, step.prior).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.item()
