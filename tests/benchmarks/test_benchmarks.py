from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.data_speed import DataSpeedConfig, measure_loading
from benchmarks.generation_speed import (
    LAB,
    GenerationSpeedConfig,
    matrix_rate,
    measure_generation,
    operations,
    our_network,
    prepared,
    profile_operations,
)
from benchmarks.lab_loop import LabLoop, lab_clips
from benchmarks.stopwatch import measure_in_turns, print_table
from benchmarks.training_speed import TrainingSpeedConfig, measure_training
from cvae.config import Lab4Config
from cvae.errors import InputError
from cvae.models import build_model
from tests.conftest import moving_square

SMALL = Lab4Config(frame_channels=16, label_channels=8, latent_channels=4, decoder_channels=16)


def test_the_labs_clips_follow_each_other_and_begin_again(lab_folder: Path) -> None:
    (first, _), (again, poses) = islice(lab_clips(lab_folder, (16, 32), 8, 5), 2)
    frames, labels = moving_square(20)
    assert first.shape == (5, 8, 3, 16, 32)
    assert torch.equal(first, again)
    expected = np.moveaxis(np.tile(frames, (2, 1, 1, 1)), -1, 1).reshape(5, 8, 3, 16, 32) / 255
    np.testing.assert_allclose(first, expected, atol=1e-6)
    np.testing.assert_allclose(poses[0, :, 0], labels[:8, ..., 0] / 255, atol=1e-6)


def test_the_labs_loop_learns(lab_folder: Path) -> None:
    loop = LabLoop(SMALL)
    losses = [loop.step(*clips) for clips in islice(lab_clips(lab_folder, (16, 32), 4, 2), 12)]
    assert losses[-1] < 0.7 * losses[0]


def test_every_round_measures_each_step_once_after_one_that_is_not_measured() -> None:
    done: list[str] = []
    speeds = measure_in_turns({name: lambda name=name: done.append(name) or 10 for name in "ab"}, 3, 1e-9)
    assert done == list("abababab")
    assert [len(values) for values in speeds.values()] == [3, 3]


def test_the_table_compares_medians_with_the_first_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table({"slow": [1.0, 2.0, 9.0], "fast": [30.0, 20.0, 10.0]})
    assert capsys.readouterr().out.splitlines()[2].split() == ["fast", "20.0", "10.0", "30.0", "10.0"]


def test_our_training_and_the_labs_are_measured_on_the_same_data(lab_folder: Path) -> None:
    config = TrainingSpeedConfig(
        data=lab_folder, size=(16, 32), threads=1, mixed_precision="no", rounds=1, seconds=1e-3
    )
    speeds = measure_training(config, SMALL)
    assert list(speeds) == ["the lab's loop", "default"]
    assert all(value > 0 for values in speeds.values() for value in values)


def test_all_ways_to_load_are_measured(lab_folder: Path) -> None:
    speeds = measure_loading(DataSpeedConfig(data=lab_folder, size=(16, 32), rounds=1, seconds=1e-3))
    assert list(speeds) == ["as the lab", "folders", "shards"]


def test_no_rounds_and_endless_turns_are_refused() -> None:
    with pytest.raises(InputError, match=r"--rounds is 1 or more; got 0"):
        TrainingSpeedConfig(rounds=0)
    with pytest.raises(InputError, match=r"--seconds is from 0 to 3600; got inf"):
        DataSpeedConfig(seconds=float("inf"))


def test_generating_is_measured_beside_the_labs_way_and_its_work_is_counted() -> None:
    speeds = measure_generation(GenerationSpeedConfig(threads=1, frames=1, rounds=1, seconds=1e-3))
    assert next(iter(speeds)) == LAB
    assert all(value > 0 for values in speeds.values() for value in values)
    assert operations(prepared(build_model(Lab4Config()), torch.float32), (32, 64)) == pytest.approx(6.43e9, rel=0.01)
    assert matrix_rate(torch.float32, side=64) > 0


def test_the_profile_finds_convolutions_at_the_top() -> None:
    found = profile_operations(our_network((32, 64), torch.float32), frames=2)
    assert "convolution" in found[0][0]
    assert 0.2 < found[0][1] < sum(share for _, share in found) <= 1
