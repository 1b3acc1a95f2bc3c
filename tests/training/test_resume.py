import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from cvae.checkpoint import load_checkpoint
from cvae.errors import InputError
from cvae.runs import checkpoints_in
from tests.training.tiny_runs import TINY, config, fast, last, launch, losses, told
from training.config import TrainConfig
from training.logs import Log, read_rows
from training.recipe import ClipsConfig, NetworkConfig, OptimizerConfig
from training.schedules import KLAnnealing
from training.train import train


def test_a_run_is_never_overwritten(lab_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").write_text("precious")
    with pytest.raises(InputError, match="is not an empty folder"):
        train(config(lab_folder, tmp_path / "run"))


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("torch.save", RuntimeError("PytorchStreamWriter failed writing file")),
        ("training.run.save_checkpoint", OSError(28, "No space left on device")),
        ("training.run.filling", InputError("step_000004 cannot be made a folder: No space left on device.")),
        ("training.logs.Log.write", OSError(28, "No space left on device")),
        ("training.logs.plot_training", OSError(28, "No space left on device")),
    ],
)
def test_a_full_disk_stops_and_names_the_last_good_checkpoint(
    place: str, fault: Exception, lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise fault

    run = train(config(lab_folder, tmp_path / "run"))
    monkeypatch.setattr(place, full)
    message = (
        r"run: (No space|the disk may be full|step_.* No space).* at step 4, with a learning rate of .*step_000003\.$"
    )
    with pytest.raises(InputError, match=message):
        train(config(lab_folder, run, steps=4, resume=True))
    assert list(checkpoints_in(run)) == [3] and load_checkpoint(run)


def test_a_stopped_and_resumed_training_is_bit_equal_to_one_that_never_stopped(
    lab_folder: Path, tmp_path: Path
) -> None:
    recipe = replace(
        TINY,
        clips=ClipsConfig(batch_size=2, fast_share=0.5, fast_epochs=1),
        optimizer=OptimizerConfig(interpolate_every=1, accumulate=2),
        kl=KLAnnealing(annealing="cyclical", every="epoch"),
        histogram_epochs=2,
    )
    whole = train(config(lab_folder, tmp_path / "whole", recipe, steps=9, validate_every=3))
    parts = config(lab_folder, tmp_path / "parts", recipe, steps=9, validate_every=4)
    interrupt_after(5, parts)
    assert told(parts.out)["step"] == 5
    train(replace(parts, resume=True))
    assert losses(parts.out) == losses(whole) and len(losses(whole)) == 9
    a, b = (load_file(last(run) / "model.safetensors") for run in (whole, parts.out))
    assert all(torch.equal(a[name], b[name]) for name in a)


def interrupt_after(step: int, options: TrainConfig) -> None:
    """Train until Ctrl-C is pressed in the middle of step `step`."""
    from training import train as module

    original, count = module.train_step, 0

    def interrupted(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == step:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "train_step", interrupted)
        with pytest.raises(SystemExit) as stopped:
            train(options)
    assert stopped.value.code == 130


def test_resuming_where_nothing_is_begins(lab_folder: Path, tmp_path: Path) -> None:
    assert told(train(config(lab_folder, tmp_path / "run", resume=True)))["step"] == 3


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(lab_folder: Path, tmp_path: Path) -> None:
    log = Log(tmp_path, 0)
    log.write(1, loss=9.0)
    log.close()
    run = train(config(lab_folder, tmp_path, resume=True))
    assert told(run)["step"] == len(losses(run)) == 3
    assert 9.0 not in losses(run)


def test_a_training_may_be_stopped_before_its_first_step_again_and_again(lab_folder: Path, tmp_path: Path) -> None:
    options = config(lab_folder, tmp_path / "run", resume=True)
    for _ in range(2):
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr("training.train.step_batches", lambda *_: signal.raise_signal(signal.SIGINT) or iter([[]]))
            train(options)
        assert told(options.out)["step"] == 0
    assert told(train(options))["step"] == 3


def test_resuming_with_other_options_is_refused_by_name(lab_folder: Path, tmp_path: Path) -> None:
    run = train(config(lab_folder, tmp_path / "run"))
    other = replace(TINY, optimizer=OptimizerConfig(peak_lr=0.5))
    with pytest.raises(InputError, match=r"--optimizer.peak-lr was 0.0015 when the run began and is 0.5 now"):
        train(config(lab_folder, run, other, steps=6, resume=True))


def test_resuming_with_another_network_is_refused(lab_folder: Path, tmp_path: Path) -> None:
    first = train(config(lab_folder, tmp_path / "first", steps=1))
    wide = replace(TINY, network=NetworkConfig(widths=(32, 32)))
    again = config(lab_folder, tmp_path / "again", wide, steps=1, init_from=first)
    train(again)
    with pytest.raises(InputError, match=r"holds another network than these options give; .* the same --init-from"):
        train(replace(again, init_from=None, resume=True))
    train(replace(again, steps=2, resume=True))


def test_machines_that_do_not_see_the_same_run_are_refused(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.train.gather_object", lambda steps: [*steps, 7])  # as another machine resumed it
    with pytest.raises(InputError, match="Not all processes find the same checkpoints"):
        train(config(lab_folder, tmp_path / "run"))


def test_with_minutes_the_rest_of_them_is_trained(lab_folder: Path, tmp_path: Path) -> None:
    run = train(config(lab_folder, tmp_path / "run", max_minutes=0.03))
    step = told(run)["step"]
    train(config(lab_folder, run, max_minutes=0.03, resume=True))
    assert told(run)["step"] == step  # none was left
    minutes = torch.load(last(run) / "state" / "state.pt", weights_only=True)["minutes"]
    train(config(lab_folder, run, max_minutes=minutes + 0.03, resume=True))
    assert told(run)["step"] > step


def test_the_last_and_the_best_checkpoint_are_kept(lab_folder: Path, tmp_path: Path) -> None:
    run = train(config(lab_folder, tmp_path / "run", fast(), steps=6, validate_every=1))
    scores = {row["step"]: row["validation_psnr"] for row in read_rows(run) if "validation_psnr" in row}
    best = max(scores, key=lambda step: (round(scores[step], 3), step))
    assert set(checkpoints_in(run)) == {best, 6}
    assert load_checkpoint(run).name == f"run/step_{best:06d}"


@pytest.mark.slow
def test_killed_at_any_moment_a_run_resumes_and_ends_as_if_never_killed(lab_folder: Path, tmp_path: Path) -> None:
    steps = ["--steps", "60", "--validate-every", "2", "--validation-frames", "4"]
    with launch([], lab_folder, tmp_path / "whole", *steps) as process:
        assert process.wait(timeout=120) == 0, process.stderr.read() if process.stderr else ""
    for _ in range(3):
        with launch([], lab_folder, tmp_path / "run", *steps, "--resume") as process:
            assert process.stderr is not None
            before = max(checkpoints_in(tmp_path / "run"), default=0)
            while max(checkpoints_in(tmp_path / "run"), default=0) < before + 6 and process.poll() is None:
                process.stderr.read(1)
            process.kill()
    (tmp_path / "run" / ".step_000099.k2_xyz01").mkdir()  # as a kill in the middle of a save leaves them
    (tmp_path / "run" / f".{'0' * 32}.png").touch()
    with launch([], lab_folder, tmp_path / "run", *steps, "--resume") as process:
        assert process.wait(timeout=120) == 0
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]
