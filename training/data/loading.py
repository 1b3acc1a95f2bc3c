"""The clips of a training in their order, step by step, from where the training stands."""

from collections.abc import Iterator
from itertools import islice

from torch import Tensor

from training.config import TrainConfig
from training.data.clips import Recordings, Shards, load_clips
from training.recipe import Recipe
from training.run import Run
from training.schedules import Epochs


def clips_per_step(run: Run, recipe: Recipe) -> int:
    """Of all processes together."""
    return recipe.clips.batch_size * recipe.optimizer.accumulate * run.accelerator.num_processes


def count_epochs(run: Run, recipe: Recipe, source: Recordings | Shards) -> Epochs:
    """How many steps show as many frames as there are."""
    clips = recipe.clips

    def steps(share: float) -> int:
        return max(1, round(share * len(source) / (clips.frames * clips_per_step(run, recipe))))

    return Epochs(steps=steps(1.0), fast_steps=steps(clips.fast_share), fast=clips.fast_epochs)


def step_batches(
    run: Run, config: TrainConfig, source: Recordings | Shards, epochs: Epochs
) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """For each step, without end, the batches of this process, as many as its gradients are added up over.

    Which clips of a folder a step sees depends on the seed and on the number of the step alone.
    """
    clips, accumulate = config.recipe.clips, config.recipe.optimizer.accumulate

    def share(batch: int) -> float:
        return clips.fast_share if epochs.at(batch // accumulate) < epochs.fast else 1.0

    batches = load_clips(
        source,
        clip_frames=clips.frames,
        batch_size=clips.batch_size,
        person_weight=clips.person_weight,
        seed=config.recipe.seed,
        workers=config.workers,
        process=run.accelerator.process_index,
        processes=run.accelerator.num_processes,
        skip=run.step * accumulate,
        share=share if epochs.fast else None,
    )
    while True:
        yield list(islice(batches, accumulate))
