"""A training that starts from a model of the Hub."""

import json
from pathlib import Path
from typing import Any

import pytest

from cvae.runs import best_checkpoint
from tests.hub.server import HubServer
from tests.training.conftest import fresh_accelerator
from training.config import TrainConfig
from training.recipe import ClipsConfig, Recipe
from training.train import train

__all__ = ["fresh_accelerator"]


def options_of_a_run(data: Path, out: Path, init_from: str | Path) -> dict[str, Any]:
    recipe = Recipe(clips=ClipsConfig(batch_size=1))
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


@pytest.mark.parametrize("kind", [str, Path])
def test_a_run_never_tells_the_path_of_the_folder_it_started_from(
    tiny_checkpoint: Path, lab_folder: Path, tmp_path: Path, kind: type
) -> None:
    options = options_of_a_run(lab_folder, tmp_path / "run", kind(tiny_checkpoint))
    assert options["init_from"] == "tiny"
