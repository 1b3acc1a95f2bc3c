"""How many times faster the preset `svg-lp` trains than the lab's own way."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from benchmarks.lab_robot_loop import PAPER, LabRobotLoop, paper_sizes, robot_clips
from benchmarks.stopwatch import MAX_SECONDS, measure_in_turns, print_table
from cvae.config import SVGConfig, SVGOptions
from training.checks import check_all
from training.config import TrainConfig
from training.data.clips import load_clips, numbers_of, open_source
from training.presets import svg_lp
from training.recipe import Recipe
from training.robot.dataset import RobotConfig, write_robot
from training.run import start_run
from training.train import plan_step, start_accelerator, train_step


@dataclass(frozen=True, kw_only=True)
class RobotSpeedConfig:
    """Measure predicted frames per second while training on robot video, in turns, on the same data.

    The lab's way is the network of the paper in float32, pictures decoded whenever they are used, each frame encoded
    twice. Ours is a step of `python -m training train --preset svg-lp`, with the paper's sizes and with our own.
    """

    data: Path | None = None
    """Folder of trajectories of 64x64 pixels; a generated robot's by default."""
    threads: int = 2
    """CPU threads."""
    mixed_precision: Literal["no", "bf16", "fp16"] | None = None
    """Of ours, as in `train`; the lab's way is in float32."""
    rounds: int = 3
    """Turns of each."""
    seconds: float = 3.0
    """Length of a turn at least; a step of the paper's network takes longer on a CPU."""

    def __post_init__(self) -> None:
        check_all(self, "", ("threads", "rounds"), 1)
        check_all(self, "", ("seconds",), 0, MAX_SECONDS)


def compare_robot(config: RobotSpeedConfig) -> None:
    """`python -m benchmarks robot`."""
    print_table(measure_robot(config, paper_sizes(), {"svg-lp, the paper's sizes": PAPER, "svg-lp": SVGOptions()}))


def measure_robot(config: RobotSpeedConfig, lab: SVGConfig, ours: dict[str, SVGOptions]) -> dict[str, list[float]]:
    """Frames per second of each turn, of the lab's way with a network of these sizes and of ours."""
    torch.set_num_threads(config.threads)
    recipe = svg_lp()
    size, frames = recipe.clips.batch_size, recipe.clips.frames
    with _trajectories(config.data) as data:
        loop, clips = LabRobotLoop(lab), robot_clips(data, frames, size)

        def lab_step() -> int:
            loop.step(*next(clips))
            return size * (frames - 1)

        steps = {"the lab's way": lab_step}
        for name, options in ours.items():
            steps[name] = _our_step(config, data, replace(recipe, network=replace(recipe.network, svg=options)))
        return measure_in_turns(steps, config.rounds, config.seconds)


def _our_step(config: RobotSpeedConfig, data: Path, recipe: Recipe) -> Callable[[], int]:
    options = TrainConfig(data=data, out=data, steps=1000, recipe=recipe, mixed_precision=config.mixed_precision)
    source, clips = open_source(data, condition="actions"), recipe.clips
    run = start_run(start_accelerator(options), options, source.size, numbers_of(source))
    batches = load_clips(source, clip_frames=clips.frames, batch_size=clips.batch_size)

    def step() -> int:
        train_step(run, recipe, plan_step(run, recipe, epoch=0, progress=0.5), [next(batches)])
        run.step += 1
        return clips.batch_size * (clips.frames - 1)

    return step


@contextmanager
def _trajectories(given: Path | None) -> Iterator[Path]:
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        write_robot(RobotConfig(out=Path(folder) / "robot", clips=24, val_clips=1, test_clips=0, workers=1))
        yield Path(folder) / "robot"
