import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cvae.checkpoint import load_checkpoint
from cvae.errors import InputError
from tests.conftest import write_pictures
from training.data import open_split
from training.evaluate import choose_spans, validation_psnr
from training.train import TrainConfig, train

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def config(data: Path, out: Path, **changes: Any) -> TrainConfig:
    tiny = {"steps": 3, "widths": (16, 16), "attention_levels": (1,), "batch_size": 2, "clip_frames": 3, "workers": 0}
    return TrainConfig(data=data, out=out, **(tiny | changes))


def test_training_learns_to_predict(lab_folder: Path, tmp_path: Path) -> None:
    recordings = open_split(lab_folder, "val")
    spans = choose_spans(recordings, 100)
    scores = []
    for steps in (1, 80):
        folder = train(config(lab_folder, tmp_path / str(steps), steps=steps, batch_size=8, peak_lr=3e-3))
        model = load_checkpoint(folder).model
        scores.append(validation_psnr(model, recordings, spans, torch.device("cpu")))
    assert scores[1] > scores[0] + 3


def test_the_checkpoint_describes_itself(lab_folder: Path, tmp_path: Path) -> None:
    folder = train(config(lab_folder, tmp_path / "run"))
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "training.json"]
    checkpoint = load_checkpoint(folder)
    assert (checkpoint.config.data.height, checkpoint.config.data.width) == (16, 32)
    said = json.loads((folder / "training.json").read_text())
    assert said["step"] == 3
    assert said["options"]["batch_size"] == 2
    assert said["machine"]["processes"] == 1
    assert str(tmp_path) not in json.dumps(said)


def test_a_seed_repeats_the_weights_and_another_does_not(lab_folder: Path, tmp_path: Path) -> None:
    weights = [
        load_file(train(config(lab_folder, tmp_path / name, seed=seed)) / "model.safetensors")
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert not all(torch.equal(weights[0][name], weights[2][name]) for name in weights[0])


def test_training_ends_after_the_minutes_given(lab_folder: Path, tmp_path: Path) -> None:
    folder = train(config(lab_folder, tmp_path / "run", steps=None, max_minutes=0.03))
    assert json.loads((folder / "training.json").read_text())["step"] > 0


def test_validation_never_sees_the_truth(lab_folder: Path, tmp_path: Path) -> None:
    folder = train(config(lab_folder, tmp_path / "run", steps=5))
    recordings, model = open_split(lab_folder, "val"), load_checkpoint(folder).model
    black = np.zeros((19, 16, 32, 3), np.uint8)
    write_pictures(lab_folder / "val" / "val_img", black, first_number=1)
    poisoned = open_split(lab_folder, "val")
    seen: list[list[torch.Tensor]] = []
    original = model.decode_step
    model.decode_step = lambda *a: seen[-1].append(frame := original(*a)) or frame  # type: ignore
    for given in (recordings, poisoned):
        seen.append([])
        validation_psnr(model, given, given.spans, torch.device("cpu"))
    assert (poisoned.frames[1:] == 0).all()
    assert len(seen[0]) == 19
    assert all(torch.equal(a, b) for a, b in zip(*seen, strict=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": None}, "either --steps N or --max-minutes M"),
        ({"max_minutes": 1.0}, "either --steps N or --max-minutes M"),
        ({"steps": -3}, "--steps is above zero; got -3"),
        ({"clip_frames": 1}, "--clip-frames is at least 2"),
        ({"max_minutes": float("nan"), "steps": None}, "--max-minutes is above zero; got nan"),
        ({"withhold": 3.0}, "--withhold is a share from 0 to 1; got 3.0"),
        ({"zoom": (0.0, 1.0)}, "--zoom is a smallest and a largest magnification"),
        ({"seed": -1}, "--seed is zero or more; got -1"),
        ({"size": (18, 33)}, "multiples of 2 pixels"),
    ],
)
def test_options_that_cannot_work_are_refused(
    lab_folder: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        train(config(lab_folder, tmp_path / "run", **changes))
    assert not (tmp_path / "run").exists()


def test_a_training_starts_from_a_checkpoint(lab_folder: Path, tmp_path: Path) -> None:
    first = train(config(lab_folder, tmp_path / "first", steps=30, batch_size=8, peak_lr=3e-3))
    again = train(config(lab_folder, tmp_path / "again", steps=1, init_from=first, peak_lr=1e-9, widths=(32, 32)))
    before, after = load_checkpoint(first), load_checkpoint(again)
    assert before.config == after.config
    for old, new in zip(before.model.parameters(), after.model.parameters(), strict=True):
        torch.testing.assert_close(old, new, atol=1e-5, rtol=0)


def test_a_run_is_never_overwritten(lab_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").write_text("precious")
    with pytest.raises(InputError, match="is not empty"):
        train(config(lab_folder, tmp_path / "run"))


def test_a_loss_that_is_no_number_ends_the_training_and_keeps_the_checkpoint(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.train.kl_weight", lambda peak, progress: float("nan") if progress > 0.7 else 0.0)
    with pytest.raises(InputError, match="The loss is nan at step 3; try a --peak-lr below"):
        train(config(lab_folder, tmp_path / "run", steps=4, validate_every=2))
    kept = tmp_path / "run" / "checkpoint"
    assert json.loads((kept / "training.json").read_text())["step"] == 2
    load_checkpoint(kept)


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_learned(lab_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training", "train", "--data", str(lab_folder), "--out", str(tmp_path / "run")]
    command += ["--max-minutes", "1", "--widths", "16", "16", "--attention-levels", "1", "--batch-size", "2"]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        while not re.search(r"step ([5-9]|\d\d)", said) and (letter := process.stderr.read(1)):
            said += letter
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert json.loads((tmp_path / "run" / "checkpoint" / "training.json").read_text())["step"] >= 5


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
    command = [sys.executable, "-m", *launcher, "training", "train", "--data", str(lab_folder)]
    command += ["--max-minutes", "0.05"]  # by the clock: the processes have to agree on the last step
    command += ["--out", str(tmp_path / "run"), "--widths", "16", "16", "--attention-levels", "1", "--batch-size", "2"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=ENVIRONMENT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" steps, validation PSNR") == 1
    assert load_checkpoint(tmp_path / "run" / "checkpoint").config.data.height == 16
