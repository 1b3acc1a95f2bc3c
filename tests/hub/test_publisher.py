import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvae.checkpoint import save_checkpoint
from cvae.config import Config
from cvae.errors import InputError
from cvae.files import remove_leftovers
from cvae.models import Model
from cvae.runs import best_checkpoint, checkpoints_in, step_folder
from hub.publisher import Publisher
from tests.hub.conftest import hub_env
from tests.hub.server import HubServer
from tests.training.conftest import fresh_accelerator  # noqa: F401
from training.config import TrainConfig
from training.recipe import ClipsConfig, NetworkConfig, Recipe
from training.train import train

ROOT = Path(__file__).parents[2]
COMMIT = "POST .*/commit/"
TINY = ["--network.widths", "16", "16", "--network.attention-levels", "1", "--clips.batch-size", "2"]
RECIPE = Recipe(network=NetworkConfig(widths=(16, 16), attention_levels=(1,)), clips=ClipsConfig(batch_size=2))
OPTIONS: dict[str, Any] = {"recipe": RECIPE, "steps": 5, "validate_every": 2, "mixed_precision": "no"}

Save = Callable[[int], None]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
def save(run: Path, tiny_config: Config, tiny_model: Model) -> Save:
    """Saves a step, the best so far."""

    def save_step(step: int) -> None:
        save_checkpoint(step_folder(run, step), tiny_config, tiny_model, {"step": step, "validation_psnr": 20.0 + step})

    return save_step


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def titles(server: HubServer) -> list[str]:
    """Of the commits that have weights, the newest first."""
    return [commit.title for commit in server.history("alice/walk") if "model.safetensors" in commit.files]


def test_uploads_run_one_at_a_time_and_the_newest_waiting_wins(hub_here: HubServer, run: Path, save: Save) -> None:
    first_came, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        first_came.set()
        go_on.wait(30)

    hub_here.faults.before(COMMIT, hold)
    with Publisher("alice/walk", run) as publisher:
        for step in (1, 2, 3):
            save(step)
            publisher.offer()
            if step == 1:
                assert first_came.wait(30)
        go_on.set()
    assert titles(hub_here) == ["Step 3, validation PSNR 23.00 dB", "Step 1, validation PSNR 21.00 dB"]
    assert publisher.fault is None
    assert [path.name for path in run.iterdir() if path.name.startswith(".")] == []


def test_a_checkpoint_that_is_removed_meanwhile_is_published_all_the_same(
    hub_here: HubServer, run: Path, save: Save
) -> None:
    save(1)
    with Publisher("alice/walk", run) as publisher:
        publisher.offer()
        for path in (best_checkpoint(run) or run).iterdir():
            path.unlink()
    assert titles(hub_here) == ["Step 1, validation PSNR 21.00 dB"]


def test_what_the_training_shows_is_the_sample(hub_here: HubServer, run: Path, save: Save) -> None:
    save(1)
    with Publisher("alice/walk", run) as publisher:
        publisher.offer(np.zeros((4, 16, 96, 3), np.uint8), 15)
    assert (step_folder(run, 1) / "sample.gif").read_bytes() == hub_here.files("alice/walk")["sample.gif"]


def test_a_failure_is_said_when_it_happens_and_at_the_end_and_the_next_goes_through(
    hub_here: HubServer, run: Path, save: Save, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hub_here.faults.cut_request(COMMIT, after=10)
    save(1)
    with Publisher("alice/walk", run) as publisher:
        publisher.offer()
        until(lambda: publisher.fault)
        assert "could not be published, the training goes on: The connection to the Hub was cut" in caplog.text
        publisher.offer()
    assert caplog.text.count("the training goes on") == 1
    assert f"To publish it: python -m hub push {run} alice/walk" in caplog.text
    caplog.clear()
    hub_here.faults.clear()
    with Publisher("alice/walk", run) as publisher:
        publisher.offer()
    assert publisher.fault is None and "To publish it" not in caplog.text
    assert hub_here.token not in caplog.text


def test_a_run_without_a_checkpoint_is_told_and_raises_nothing(hub_here: HubServer, run: Path) -> None:
    with Publisher("alice/walk", run) as publisher:
        publisher.offer()
    assert publisher.fault is not None and "is no checkpoint" in publisher.fault


def test_a_hub_that_never_answers_is_given_up(hub_here: HubServer, run: Path, save: Save) -> None:
    hub_here.faults.delay(COMMIT, 60.0)
    save(1)
    began = time.monotonic()
    with Publisher("alice/walk", run, longest_wait=2.0) as publisher:
        publisher.offer()
    assert time.monotonic() - began < 15
    assert publisher.fault == "its upload was broken off."
    assert titles(hub_here) == []
    assert [path.name for path in run.iterdir()] == ["step_000001"]


def test_ctrl_c_does_not_wait(hub_here: HubServer, run: Path, save: Save) -> None:
    hub_here.faults.delay("POST /api/repos/create", 60.0)
    save(1)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Publisher("alice/walk", run) as publisher:
        publisher.offer()
        raise KeyboardInterrupt
    assert time.monotonic() - began < 10


def test_two_trainings_into_one_repository_leave_one_of_both_whole(
    hub_here: HubServer, tmp_path: Path, tiny_config: Config, tiny_model: Model
) -> None:
    runs = [tmp_path / "one", tmp_path / "two"]
    for number, run in enumerate(runs):
        for parameter in tiny_model.parameters():
            parameter.data.add_(number)
        save_checkpoint(step_folder(run, 10 + number), tiny_config, tiny_model, {"step": 10 + number})
    hub_here.faults.delay(COMMIT, 0.5, times=2)
    with Publisher("alice/walk", runs[0]) as one, Publisher("alice/walk", runs[1]) as two:
        one.offer()
        two.offer()
    assert one.fault is None and two.fault is None
    whole = {
        (step_folder(run, 10 + number) / "model.safetensors").read_bytes(): f"Step {10 + number}"
        for number, run in enumerate(runs)
    }
    for commit in hub_here.history("alice/walk"):
        if "model.safetensors" in commit.files:
            files = hub_here.files("alice/walk", commit.id)
            assert whole[files["model.safetensors"]] == commit.title
            assert f'"step": {commit.title.split()[1]}'.encode() in files["training.json"]
    assert sorted(titles(hub_here)) == ["Step 10", "Step 11"]


def test_without_a_token_the_training_does_not_begin(
    hub_here: HubServer, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InputError, match="no token to publish alice/walk with: log in"):
        Publisher("alice/walk", run)


def test_a_name_that_is_none_is_refused_with_the_options(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be the name of a model"):
        TrainConfig(data=tmp_path, out=tmp_path / "run", push_to_hub="walk")


def test_a_training_publishes_its_best_checkpoint_with_its_figures(
    hub_here: HubServer, lab_folder: Path, run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    train(TrainConfig(data=lab_folder, out=run, push_to_hub="alice/walk", **OPTIONS))
    best = best_checkpoint(run)
    assert best is not None
    files = hub_here.files("alice/walk")
    assert files["model.safetensors"] == (best / "model.safetensors").read_bytes()
    assert files["sample.gif"] == (best / "sample.gif").read_bytes()
    assert files["training.png"] == (run / "training.png").read_bytes()
    secrets = (hub_here.token, str(run.parent), str(ROOT))
    assert [name for name, content in files.items() if any(secret.encode() in content for secret in secrets)] == []
    assert "Published: " in caplog.text and hub_here.token not in caplog.text


def test_a_hub_in_trouble_does_not_stop_the_training(
    hub_here: HubServer, lab_folder: Path, run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hub_here.faults.answer("POST /api/repos/create", 503)
    train(TrainConfig(data=lab_folder, out=run, push_to_hub="alice/walk", **OPTIONS))
    assert list(checkpoints_in(run))[-1] == 5
    assert "the training goes on: The Hub is out of order" in caplog.text
    assert "is not on the Hub: The Hub is out of order" in caplog.text


def test_a_training_killed_during_an_upload_leaves_the_repository_as_it_was(
    hub_server: HubServer, lab_folder: Path, run: Path
) -> None:
    """One of three large files is there by then, and the others are on their way."""
    hub_server.create("alice/walk")
    before = hub_server.history("alice/walk")
    is_uploading = threading.Event()
    hub_server.faults.before("PUT /contents/", is_uploading.set)
    hub_server.faults.delay("PUT /contents/", 60.0)
    command = [sys.executable, "-m", "training", "train", "--data", str(lab_folder), "--out", str(run)]
    command += ["--steps", "100000", "--validate-every", "2", "--push-to-hub", "alice/walk"]
    environment = hub_env(hub_server, run.parent, hub_server.token) | {"CUDA_VISIBLE_DEVICES": ""}
    with subprocess.Popen([*command, *TINY], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as training:
        assert is_uploading.wait(90)
        for process in (training.pid, *children_of(training.pid)):
            os.kill(process, signal.SIGKILL)
    assert hub_server.history("alice/walk") == before
    assert any(path.name.startswith(".push.") for path in run.iterdir())
    remove_leftovers(run)  # as resuming does
    assert not any(path.name.startswith(".push.") for path in run.iterdir())


def children_of(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
