"""A training that starts from a model of the Hub."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from cvae.checkpoint import load_checkpoint
from cvae.runs import best_checkpoint
from tests.hub.robot import OPTIONS, save_robot
from tests.hub.server import HubServer
from tests.training.conftest import fresh_accelerator
from tests.training.robot_data import write_robot
from training.config import TrainConfig
from training.presets import svg_lp
from training.recipe import ClipsConfig, OptimizerConfig, Recipe
from training.train import train

__all__ = ["fresh_accelerator"]

SMALL = Recipe(clips=ClipsConfig(batch_size=1))


def options_of_a_run(data: Path, out: Path, init_from: str | Path, recipe: Recipe = SMALL) -> dict[str, Any]:
    train(
        TrainConfig(
            data=data, out=out, steps=1, validation_frames=4, mixed_precision="no", recipe=recipe, init_from=init_from
        )
    )
    step = best_checkpoint(out)
    assert step is not None
    options: dict[str, Any] = json.loads((step / "training.json").read_text())["options"]
    return options


def test_a_run_says_from_which_commit_it_started(
    hub_here: HubServer, tiny_checkpoint: Path, lab_folder: Path, tmp_path: Path
) -> None:
    hub_here.create("alice/walk")
    commit = hub_here.upload("alice/walk", tiny_checkpoint)
    options = options_of_a_run(lab_folder, tmp_path / "run", "alice/walk@main")
    assert options["init_from"] == f"alice/walk@{commit[:12]}"


def test_a_run_of_a_robot_starts_from_the_weights_of_a_model_of_the_hub(hub_here: HubServer, tmp_path: Path) -> None:
    hub_here.create("alice/push")
    commit = hub_here.upload("alice/push", save_robot(tmp_path / "robot"))
    recipe = svg_lp()
    recipe = replace(
        recipe,
        network=replace(recipe.network, svg=OPTIONS),
        clips=replace(recipe.clips, batch_size=2),
        optimizer=OptimizerConfig(peak_lr=1e-12),
    )
    options = options_of_a_run(write_robot(tmp_path / "data", (12,)), tmp_path / "run", "alice/push", recipe)
    assert options["init_from"] == f"alice/push@{commit[:12]}"
    before, after = (dict(load_checkpoint(tmp_path / name).model.named_parameters()) for name in ("robot", "run"))
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_run_never_tells_the_path_of_the_folder_it_started_from(
    tiny_checkpoint: Path, lab_folder: Path, tmp_path: Path, kind: type
) -> None:
    options = options_of_a_run(lab_folder, tmp_path / "run", kind(tiny_checkpoint))
    assert options["init_from"] == "tiny"
