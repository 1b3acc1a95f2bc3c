"""How many times faster the preset `default` trains than the lab's own loop."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from benchmarks.lab_loop import LabLoop, lab_clips
from benchmarks.stopwatch import MAX_SECONDS, measure_in_turns, print_table, some_data
from cvae.config import Lab4Config
from training.checks import check_all
from training.config import TrainConfig
from training.data.clips import load_clips, open_source
from training.presets import default
from training.run import start_run
from training.train import plan_step, start_accelerator, train_step

LAB_CLIPS, LAB_FRAMES = 2, 16


@dataclass(frozen=True, kw_only=True)
class TrainingSpeedConfig:
    """Measure predicted frames per second while training, in turns, on the same data.

    The lab's loop is its network in float32 with clips of 16 frames in batches of 2, pictures decoded again in every
    epoch and poses encoded one by one. Ours is a step of `python -m training train`, all of it.
    """

    data: Path | None = None
    """Folder in the lab's layout; generated dancers by default."""
    size: tuple[int, int] = (32, 64)
    """Height and width of the frames."""
    threads: int = 2
    """CPU threads."""
    mixed_precision: Literal["no", "bf16", "fp16"] | None = None
    """Of ours, as in `train`; the lab's loop is in float32."""
    rounds: int = 5
    """Turns of each."""
    seconds: float = 3.0
    """Length of a turn."""

    def __post_init__(self) -> None:
        check_all(self, "", ("threads", "rounds"), 1)
        check_all(self, "", ("seconds",), 0, MAX_SECONDS)


def compare_training(config: TrainingSpeedConfig) -> None:
    """`python -m benchmarks training`."""
    print_table(measure_training(config, Lab4Config()))


def measure_training(config: TrainingSpeedConfig, lab: Lab4Config) -> dict[str, list[float]]:
    """Frames per second of each turn, of the lab's loop with a network of these sizes and of ours."""
    torch.set_num_threads(config.threads)
    with some_data(config.data) as data:
        loop, clips = LabLoop(lab), lab_clips(data, config.size, LAB_FRAMES, LAB_CLIPS)
        recipe = default()
        options = TrainConfig(data=data, out=data, steps=1000, recipe=recipe, mixed_precision=config.mixed_precision)
        source = open_source(data, config.size)
        run = start_run(start_accelerator(options), options, source.size)
        batches = load_clips(
            source,
            clip_frames=recipe.clips.frames,
            batch_size=recipe.clips.batch_size,
            person_weight=recipe.clips.person_weight,
        )

        def lab_step() -> int:
            loop.step(*next(clips))
            return LAB_CLIPS * (LAB_FRAMES - 1)

        def our_step() -> int:
            train_step(run, recipe, plan_step(run, recipe, epoch=0, progress=0.5), [next(batches)])
            run.step += 1
            return recipe.clips.batch_size * (recipe.clips.frames - 1)

        return measure_in_turns({"the lab's loop": lab_step, "default": our_step}, config.rounds, config.seconds)
