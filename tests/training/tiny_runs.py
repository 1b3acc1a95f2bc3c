"""Trainings of a tiny network, in this process or in one of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cvae.runs import checkpoints_in
from training.config import TrainConfig
from training.logs import read_rows
from training.recipe import ClipsConfig, NetworkConfig, OptimizerConfig, Recipe

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
TINY = Recipe(
    network=NetworkConfig(patch_size=1, widths=(16, 16), attention_levels=(1,)), clips=ClipsConfig(batch_size=2)
)
TINY_OPTIONS = ["--network.patch-size", "1", "--network.widths", "16", "16", "--network.attention-levels", "1"]
TINY_OPTIONS += ["--clips.batch-size", "2"]


def config(data: Path, out: Path, recipe: Recipe = TINY, **changes: Any) -> TrainConfig:
    length = {} if "max_minutes" in changes else {"steps": 3}
    return TrainConfig(
        data=data, out=out, recipe=recipe, **(length | {"log_every": 1, "mixed_precision": "no"} | changes)
    )


def fast(recipe: Recipe = TINY) -> Recipe:
    return replace(recipe, clips=ClipsConfig(batch_size=8), optimizer=OptimizerConfig(peak_lr=1e-2))


def last(run: Path) -> Path:
    return list(checkpoints_in(run).values())[-1]


def told(run: Path) -> dict[str, Any]:
    return json.loads((last(run) / "training.json").read_text())


def losses(run: Path) -> list[float]:
    return [row["loss"] for row in read_rows(run) if "loss" in row]


def launch(launcher: Sequence[str], lab_folder: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", *launcher, "training", "train", "--data", str(lab_folder), "--out", str(out)]
    command += [*TINY_OPTIONS, "--mixed-precision", "no", "--log-every", "1", *options]
    return subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
