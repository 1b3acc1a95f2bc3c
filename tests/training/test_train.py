import json
import re
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cvae.checkpoint import load_checkpoint
from cvae.config import DataConfig
from cvae.errors import InputError
from cvae.runs import checkpoints_in
from tests.conftest import write_pictures
from tests.training.tiny_runs import TINY, config, fast, last, launch, losses, told
from training.data.splits import open_split
from training.evaluation.evaluate import choose_spans, validation_psnr
from training.logs import read_rows
from training.recipe import ClipsConfig, NetworkConfig, OptimizerConfig, Recipe
from training.schedules import KLAnnealing
from training.train import Plan, begin_epoch, plan_step, train


def test_training_learns_to_predict(lab_folder: Path, tmp_path: Path) -> None:
    recordings = open_split(lab_folder, "val")
    spans = choose_spans(recordings, 100, TINY.network.for_frames(DataConfig(height=16, width=32)))
    scores = []
    for steps in (1, 80):
        run = train(config(lab_folder, tmp_path / str(steps), fast(), steps=steps))
        scores.append(validation_psnr(load_checkpoint(run).model, recordings, spans))
    assert scores[1] > scores[0] + 3


def test_the_run_describes_and_shows_itself(lab_folder: Path, tmp_path: Path) -> None:
    run = train(config(lab_folder, tmp_path / "run"))
    assert sorted(path.name for path in run.iterdir()) == [
        "metrics.jsonl",
        "step_000003",
        "tensorboard",
        "training.png",
    ]
    assert sorted(path.name for path in last(run).iterdir()) == [
        "config.json",
        "model.safetensors",
        "state",
        "training.json",
    ]
    checkpoint = load_checkpoint(run)
    assert checkpoint.name == "run/step_000003"
    assert (checkpoint.config.data.height, checkpoint.config.data.width) == (16, 32)
    said = told(run)
    assert said["step"] == 3 and said["machine"]["processes"] == 1
    assert said["options"]["recipe"]["clips"]["batch_size"] == 2
    assert str(tmp_path) not in json.dumps(said)
    rows = read_rows(run)
    assert [row["step"] for row in rows] == [1, 2, 3, 3] and "validation_psnr" in rows[-1]
    assert {"loss", "reconstruction", "KL", "kl_weight", "teacher_forcing", "lr"} <= rows[0].keys()
    assert next((run / "tensorboard").iterdir()).read_bytes().count(b"GIF89a") == 1


def test_a_seed_repeats_the_weights_and_another_does_not(lab_folder: Path, tmp_path: Path) -> None:
    weights = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run = train(config(lab_folder, tmp_path / name, replace(TINY, seed=seed)))
        weights.append(load_file(last(run) / "model.safetensors"))
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not all(torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


def test_training_ends_after_the_minutes_given(lab_folder: Path, tmp_path: Path) -> None:
    assert told(train(config(lab_folder, tmp_path / "run", max_minutes=0.03)))["step"] > 0


def test_validation_never_sees_the_truth(lab_folder: Path, tmp_path: Path) -> None:
    run = train(config(lab_folder, tmp_path / "run", steps=5))
    recordings, model = open_split(lab_folder, "val"), load_checkpoint(run).model
    black = np.zeros((19, 16, 32, 3), np.uint8)
    write_pictures(lab_folder / "val" / "val_img", black, first_number=1)
    poisoned = open_split(lab_folder, "val")
    seen: list[list[torch.Tensor]] = []
    original = model.draw_frames
    model.draw_frames = lambda *a: seen[-1].append(frame := original(*a)) or frame  # type: ignore
    for given in (recordings, poisoned):
        seen.append([])
        validation_psnr(model, given, given.spans)
    assert (poisoned.frames[1:] == 0).all()
    assert len(seen[0]) == 19
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": None}, "either --steps N or --max-minutes M"),
        ({"steps": -3}, "--steps is above zero; got -3"),
        ({"recipe": replace(TINY, size=(18, 33))}, "multiples of 2 pixels"),
        ({"mixed_precision": "fp16"}, "fp16 needs a GPU"),
    ],
)
def test_what_cannot_work_is_refused(lab_folder: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        train(config(lab_folder, tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


def test_a_training_starts_from_a_checkpoint(lab_folder: Path, tmp_path: Path) -> None:
    first = train(config(lab_folder, tmp_path / "first", fast(), steps=30))
    wide = replace(TINY, network=NetworkConfig(widths=(32, 32)), optimizer=OptimizerConfig(peak_lr=1e-9))
    again = train(config(lab_folder, tmp_path / "again", wide, steps=1, init_from=first))
    before, after = load_checkpoint(first), load_checkpoint(again)
    assert before.config == after.config
    for old, new in zip(before.model.parameters(), after.model.parameters(), strict=True):
        torch.testing.assert_close(old, new, atol=1e-5, rtol=0)


def test_a_loss_that_is_no_number_stops_and_names_the_last_good_checkpoint(lab_folder: Path, tmp_path: Path) -> None:
    endless = replace(TINY, kl=KLAnnealing(annealing="cyclical", cycles=1, ratio=0.5, stop=float("inf")))
    with pytest.raises(
        InputError, match=r"The loss is (nan|inf) at step \d, with a learning rate of .*; no checkpoint"
    ):
        train(config(lab_folder, tmp_path / "run", endless))
    train(config(lab_folder, tmp_path / "good", steps=4))
    broken = tmp_path / "good" / "step_000004" / "state" / "state.pt"
    state = torch.load(broken, weights_only=True)
    state["model"]["latent_in.weight"].fill_(float("nan"))
    torch.save(state, broken)
    with pytest.raises(InputError, match=r"The loss is nan at step 5, .*; the last good checkpoint is .*step_000004"):
        train(config(lab_folder, tmp_path / "good", steps=8, resume=True))
    load_checkpoint(tmp_path / "good")


def test_weights_that_are_no_numbers_are_never_saved_as_a_checkpoint(lab_folder: Path, tmp_path: Path) -> None:
    burst = replace(TINY, optimizer=OptimizerConfig(peak_lr=1e3, weight_decay=1e38, schedule="constant"))
    with pytest.raises(
        InputError, match=r"The weights are no numbers at step 1, .* of 1e\+03; no checkpoint was saved"
    ):
        train(config(lab_folder, tmp_path / "run", burst, steps=1))
    assert not checkpoints_in(tmp_path / "run")


def test_batches_whose_gradients_are_added_up_train_as_one_batch_of_all(lab_folder: Path, tmp_path: Path) -> None:
    apart, together = (
        losses(
            train(config(lab_folder, tmp_path / str(size), replace(TINY, clips=clips, optimizer=optimizer), steps=5))
        )
        for size, clips, optimizer in (
            (2, ClipsConfig(batch_size=2), OptimizerConfig(accumulate=2)),
            (4, ClipsConfig(batch_size=4), OptimizerConfig()),
        )
    )
    assert apart == pytest.approx(together, rel=1e-4)


def plan_at(epoch: int, recipe: Recipe) -> Plan:
    """What is planned in the middle of a training, in an epoch that began at a quarter of it."""
    run: Any = SimpleNamespace(step=50, epoch_progress=0.25)
    return plan_step(run, recipe, epoch, progress=0.5)


def test_a_weight_that_changes_by_epochs_is_that_of_the_epochs_beginning() -> None:
    climbing = KLAnnealing(annealing="monotonic", ratio=1.0, stop=1.0)
    assert plan_at(3, replace(TINY, kl=climbing)).kl_weight == 0.5
    assert plan_at(3, replace(TINY, kl=replace(climbing, every="epoch"))).kl_weight == 0.25


def test_histograms_are_matched_in_the_first_epochs_alone() -> None:
    recipe = replace(TINY, histogram_epochs=2)
    assert [epoch for epoch in range(4) if plan_at(epoch, recipe).match_histograms] == [0, 1]


def test_weights_are_pulled_back_at_the_beginning_of_every_so_many_epochs() -> None:
    recipe = replace(TINY, optimizer=OptimizerConfig(interpolate_every=2))
    pulled = []
    for epoch in range(5):
        model = torch.nn.Linear(2, 1, bias=False)
        run: Any = SimpleNamespace(epoch_progress=0.0, model=model, initial={"weight": torch.tensor([[1.0, 0.0]])})
        model.weight.data = torch.tensor([[0.0, 1.0]])  # at a right angle: all the way
        begin_epoch(run, recipe, epoch, progress=0.1 * epoch)
        pulled.append(model.weight.tolist() == [[1.0, 0.0]])
        assert run.epoch_progress == 0.1 * epoch
    assert pulled == [False, False, True, False, True]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_a_compiled_training_has_the_losses_of_one_that_is_not_and_resumes(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))  # its own takes minutes
    plain = train(config(lab_folder, tmp_path / "plain"))
    compiled = config(lab_folder, tmp_path / "compiled", steps=2, compile=True)
    train(compiled)
    train(replace(compiled, steps=3, resume=True))
    assert losses(compiled.out)[:2] == pytest.approx(losses(plain)[:2], rel=1e-4)
    assert (
        load_file(last(compiled.out) / "model.safetensors").keys()
        == load_file(last(plain) / "model.safetensors").keys()
    )


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_save_and_stop(number: signal.Signals, code: int, lab_folder: Path, tmp_path: Path) -> None:
    with launch([], lab_folder, tmp_path / "run", "--max-minutes", "1") as process:
        assert process.stderr is not None
        said = ""
        while not re.search(r"step ([5-9]|\d\d)", said) and (letter := process.stderr.read(1)):
            said += letter
        process.send_signal(number)
        said += process.communicate(timeout=60)[1]
    assert process.returncode == code and "Traceback" not in said
    assert "the same command with --resume goes on" in said
    assert told(tmp_path / "run")["step"] >= 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        ["accelerate.commands.launch", "--cpu", "--num_processes", "1", "-m"],
        ["torch.distributed.run", "--nproc_per_node", "2", "-m"],
    ],
    ids=["accelerate launch", "torchrun"],
)
def test_training_starts_under(launcher: list[str], lab_folder: Path, tmp_path: Path) -> None:
    # By the clock: the processes have to agree on the last step.
    with launch(launcher, lab_folder, tmp_path / "run", "--max-minutes", "0.05") as process:
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    assert len(re.findall(r"\d+ steps, validation PSNR", said)) == 1
    assert load_checkpoint(tmp_path / "run").config.data.height == 16


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one_with_twice_the_batch(lab_folder: Path, tmp_path: Path) -> None:
    two = ["torch.distributed.run", "--nproc_per_node", "2", "-m"]
    with launch(two, lab_folder, tmp_path / "two", "--steps", "5") as process:
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    one = train(config(lab_folder, tmp_path / "one", replace(TINY, clips=ClipsConfig(batch_size=4)), steps=5))
    assert losses(tmp_path / "two") == pytest.approx(losses(one), abs=1e-4)
    assert losses(tmp_path / "two") == pytest.approx(losses(one), rel=1e-3)
