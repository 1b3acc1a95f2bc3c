"""Ten training losses and one rollout from fixed seeds: `python -m tests.golden.make_golden` writes `golden.npz`.

Run it only when a change is meant to move them, and say so in the commit.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray

from cvae.generate import to_tensor
from cvae.rollout import rollout
from tests.conftest import moving_square
from training.config import TrainConfig
from training.recipe import AugmentConfig, ClipsConfig, NetworkConfig, OptimizerConfig, Recipe
from training.run import start_run
from training.train import plan_step, train_step

GOLDEN = Path(__file__).parent / "golden.npz"


def make_golden() -> dict[str, NDArray[np.float32]]:
    """The losses `(10,)` of a tiny training and the frames `(4, 3, 16, 32)` that its average then predicts."""
    recipe = Recipe(
        network=NetworkConfig(patch_size=1, widths=(16, 16), attention_levels=(1,)),
        clips=ClipsConfig(batch_size=2),
        augment=AugmentConfig(recolour_share=0.5),
        optimizer=OptimizerConfig(name="adamw"),  # Muon rounds to bfloat16, which processors do in their own way
    )
    config = TrainConfig(data=Path("none"), out=Path("none"), steps=10, recipe=recipe)
    run = start_run(Accelerator(cpu=True, mixed_precision="no"), config, (16, 32))
    frames, poses = (torch.from_numpy(video) for video in moving_square(40))
    losses = []
    for step in range(10):
        clips = [torch.stack([v[step : step + 5], v[step + 20 : step + 25]]) for v in (frames, poses)]
        plan = plan_step(run, recipe, epoch=0, progress=step / 10)
        losses.append(train_step(run, recipe, plan, [(clips[0], clips[1])])["loss"].item())
        run.step += 1
    truth, skeletons = (to_tensor(video[:5].numpy()) for video in (frames, poses))
    predicted = torch.cat(list(rollout(run.average, truth[None, :1], skeletons[None])))
    return {"losses": np.array(losses, np.float32), "frames": predicted.numpy()}


if __name__ == "__main__":
    np.savez_compressed(sys.argv[1] if len(sys.argv) > 1 else GOLDEN, **make_golden())  # type: ignore[arg-type]
