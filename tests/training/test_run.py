import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cvae.errors import InputError
from cvae.runs import checkpoints_in
from tests.training.tiny_runs import config
from training.train import train

EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no model": lambda state: state.pop("model"),
    "no options": lambda state: state.pop("decisive"),
    "options cut off": lambda state: state.update(decisive='{"recipe": '),
    "a list of options": lambda state: state.update(decisive="[]"),
    "other weights": lambda state: state["model"].update(more=torch.zeros(3)),
    "weights of another shape": lambda state: state["model"].update({"latent_in.weight": torch.zeros(3)}),
    "no optimizer": lambda state: state.update(optimizer={"state": {}, "param_groups": []}),
    "moments of another shape": lambda state: state["optimizer"]["state"][0].update(exp_avg=torch.zeros(3)),
    "other initial weights": lambda state: state.update(initial={"more": torch.zeros(3)}),
    "a word for a step": lambda state: state.update(step="three"),
    "a step below zero": lambda state: state.update(step=-3),
    "another step": lambda state: state.update(step=99),
    "no minutes": lambda state: state.update(minutes=None),
    "minutes that are no number": lambda state: state.update(minutes=float("nan")),
}
"""What may be wrong with a file of state that torch reads."""


def test_a_state_that_does_not_fit_its_run_is_refused_and_kept(lab_folder: Path, tmp_path: Path) -> None:
    run = train(config(lab_folder, tmp_path / "run"))
    file = run / "step_000003" / "state" / "state.pt"
    whole = file.read_bytes()
    for name, edit in EDITS.items():
        file.write_bytes(whole)
        state = torch.load(file, weights_only=True)
        edit(state)
        torch.save(state, file)
        damaged = file.read_bytes()
        with pytest.raises(InputError, match=r"step_000003 cannot be resumed from: .* by --init-from .*step_000003\.$"):
            train(config(lab_folder, run, steps=4, resume=True))
        assert file.read_bytes() == damaged and list(checkpoints_in(run)) == [3], name
    file.write_bytes(whole)
    train(config(lab_folder, run, steps=4, resume=True))
    assert 4 in checkpoints_in(run)


def test_a_checkpoint_is_on_the_disk_before_an_older_one_goes(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, list[int]]] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").resolve().name, list(checkpoints_in(tmp_path / "run"))))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    train(config(lab_folder, tmp_path / "run", steps=2, validate_every=1))
    before_the_second = {name for name, steps in synced if steps == [1]}
    assert {"state.pt", "model.safetensors", "config.json", "training.json"} <= before_the_second
    assert synced[-1] == ("run", [1, 2])


def test_a_run_that_ended_leaves_nothing_hidden(lab_folder: Path, tmp_path: Path) -> None:
    run = train(config(lab_folder, tmp_path / "run", steps=1))
    assert not [path for path in run.iterdir() if path.name.startswith(".")]
