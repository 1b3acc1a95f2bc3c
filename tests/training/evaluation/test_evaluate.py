import csv
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from cvae.checkpoint import load_checkpoint, save_checkpoint
from cvae.config import Config, DataConfig
from cvae.errors import InputError
from cvae.generate import to_picture
from cvae.models import PoseCVAE
from cvae.rollout import CHUNK, rollout
from tests.conftest import moving_square, write_pictures
from training.data.clips import Recordings
from training.evaluation import evaluate as module
from training.evaluation.evaluate import EvaluateConfig, evaluate, measure_one, predict, validation_psnr
from training.evaluation.sequences import Sequence

COUNT = 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two test sequences with their truth, and one of another length whose truth nobody knows."""
    frames, poses = moving_square(COUNT)
    test = tmp_path / "data" / "test"
    for name, step in (("0", 1), ("10", -1), ("2", 1)):
        write_pictures(test / "test_img" / name, frames[::step][:1])
        write_pictures(test / "test_label" / name, poses[::step][: 5 if name == "2" else None])
        write_pictures(test / "test_gt" / name, frames[::step])
    shutil.rmtree(test / "test_gt" / "2")
    return tmp_path / "data"


def run(data: Path, checkpoint: Path, out: Path, **options: str | int) -> Path:
    evaluate(EvaluateConfig(data=data, checkpoint=checkpoint, out=out, device="cpu", **options))  # type: ignore[arg-type]
    return out


def results_of(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def submitted(folder: Path) -> list[list[str]]:
    with (folder / "submission.csv").open(newline="") as file:
        return list(csv.reader(file))


def test_results_hold_every_sequence_and_their_mean(
    data: Path, tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = results_of(run(data, tiny_checkpoint, tmp_path / "out"))
    for kind in ("psnr", "ssim", "copying", "competition"):
        assert list(results[kind]["sequences"]) == ["0", "10"]
        assert results[kind]["mean"] == pytest.approx(np.mean(list(results[kind]["sequences"].values())))
    assert results["grade"] == {
        "psnr": results["psnr"]["mean"],
        "full_marks_from": 25,
        "full_marks": results["psnr"]["mean"] >= 25,
    }
    table = capsys.readouterr().out
    assert f"{results['psnr']['mean']:.2f}" in table
    assert [line.split()[0] for line in table.splitlines()[:5]] == ["sequence", "0", "2", "10", "mean"]


def test_scores_are_those_of_scikit_image_on_the_frames_of_a_rollout(
    data: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRAMES_AT_ONCE", 4)  # several pieces, the last one shorter
    results = results_of(run(data, tiny_checkpoint, tmp_path / "out"))
    frames, poses = (to_clip(pictures)[0] for pictures in moving_square(COUNT))
    model = load_checkpoint(tiny_checkpoint).at_full_speed("cpu").model
    predicted = torch.cat(list(rollout(model, frames[None, :1], poses[None])))
    pairs = list(zip(frames[1:].numpy(), predicted.numpy(), strict=True))
    expected = [peak_signal_noise_ratio(t, p, data_range=1) for t, p in pairs]
    rounded = [peak_signal_noise_ratio(t, np.rint(p * 255) / 255, data_range=1) for t, p in pairs]
    assert results["frames"]["0"]["psnr"] == pytest.approx(expected, abs=1e-3)
    assert results["competition"]["sequences"]["0"] == pytest.approx(np.mean(rounded), abs=1e-3)


def test_of_a_long_sequence_only_a_few_frames_are_in_memory(tiny_model: PoseCVAE) -> None:
    frames, poses = moving_square(100)
    asked: list[int] = []

    class Watched:
        def __len__(self) -> int:
            return len(poses)

        def __getitem__(self, now: slice, /) -> np.ndarray:
            asked.append(len(poses[now]))
            return poses[now]

    sequence = Sequence("0", frames[:1], Watched(), Watched())
    scores = measure_one(sequence, predict(tiny_model, sequence), None, lambda done: None)
    assert len(scores.psnr) == len(scores.ssim) == 99
    assert max(asked) <= CHUNK < len(poses) / 2


def test_the_submission_has_a_row_for_every_frame_channel_after_channel(
    data: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    header, *rows = submitted(run(data, tiny_checkpoint, tmp_path / "out"))
    assert header == ["id", *map(str, range(3 * 16 * 32))]
    assert [int(row[0]) for row in rows] == list(range(COUNT + 5 + COUNT))
    given = np.array(rows[COUNT + 5][1:], np.uint8).reshape(3, 16, 32).transpose(1, 2, 0)
    assert np.array_equal(given, moving_square(COUNT)[0][-1])


def test_a_sequence_without_truth_is_predicted_all_the_same(data: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    out = run(data, tiny_checkpoint, tmp_path / "out")
    with Image.open(out / "2.gif") as alone, Image.open(out / "10.gif") as compared:
        assert (alone.n_frames, compared.n_frames) == (5, COUNT)
        assert alone.width < compared.width
    shutil.rmtree(data / "test" / "test_gt")
    blind = run(data, tiny_checkpoint, tmp_path / "blind")
    assert submitted(blind) == submitted(out)
    assert results_of(blind)["psnr"] == {"mean": None, "sequences": {}}
    assert not (blind / "psnr.png").exists()


def test_the_truth_is_never_seen_a_poisoned_one_changes_nothing_but_the_score(
    data: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    honest = run(data, tiny_checkpoint, tmp_path / "honest")
    noise = np.random.default_rng(0).integers(0, 256, (COUNT, 16, 32, 3), np.uint8)
    write_pictures(data / "test" / "test_gt" / "0", noise)
    poisoned = run(data, tiny_checkpoint, tmp_path / "poisoned")
    assert submitted(poisoned) == submitted(honest)
    assert results_of(poisoned)["psnr"]["sequences"]["0"] != results_of(honest)["psnr"]["sequences"]["0"]


def test_validation_predicts_the_same_whatever_the_truth(tiny_model: PoseCVAE, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, poses = moving_square(COUNT)
    predictions = []

    def spy(*given: Any, **options: Any) -> Iterator[torch.Tensor]:
        predictions.append(torch.stack(list(rollout(*given, **options))))
        return iter(predictions[-1])

    monkeypatch.setattr(module, "rollout", spy)
    poisoned = frames.copy()
    poisoned[1:] = 7
    scores = [
        validation_psnr(tiny_model, Recordings(truth, poses, [(0, COUNT)]), [(0, COUNT)])
        for truth in (frames, poisoned)
    ]
    assert torch.equal(*predictions)
    assert scores[0] != scores[1]


def test_a_seed_repeats_the_draws_of_a_network_that_samples(data: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    first, again, other = (
        submitted(run(data, tiny_checkpoint, tmp_path / str(i), sample="prior", seed=seed))
        for i, seed in enumerate((1, 1, 2))
    )
    mean = submitted(run(data, tiny_checkpoint, tmp_path / "mean"))
    assert first == again
    assert other != first != mean


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_torch_does_not_take_is_refused(data: Path, seed: int) -> None:
    with pytest.raises(InputError, match=f"--seed is 0 to {2**63 - 1}; got {seed}"):
        EvaluateConfig(data=data, seed=seed)


def test_prediction_in_chunks_is_the_rollout_of_the_whole(tiny_model: PoseCVAE) -> None:
    frames, poses = moving_square(21)
    together = rollout(tiny_model, to_clip(frames[:1]), to_clip(poses))
    alone = list(predict(tiny_model, Sequence("", frames[:1], poses, None)))
    assert all(np.array_equal(to_picture(a[0]), to_picture(b[0])) for a, b in zip(together, alone, strict=True))


def to_clip(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)[None] / 255


def test_a_network_that_gives_no_numbers_is_told(
    data: Path, tiny_config: Config, tiny_model: PoseCVAE, tmp_path: Path
) -> None:
    with torch.no_grad():
        next(tiny_model.parameters()).fill_(float("nan"))
    save_checkpoint(tmp_path / "broken", tiny_config, tiny_model, {})
    with pytest.raises(InputError, match="Sequence 0: the network's prediction is not finite from frame 1 on"):
        run(data, tmp_path / "broken", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_frames_too_small_for_ssim_are_refused(
    data: Path, tiny_config: Config, tiny_model: PoseCVAE, tmp_path: Path
) -> None:
    small = dataclasses.replace(tiny_config, data=DataConfig(height=8, width=32))
    save_checkpoint(tmp_path / "small", small, tiny_model, {})
    with pytest.raises(InputError, match="32x8 are too small to measure: SSIM has a window of 11x11 pixels"):
        run(data, tmp_path / "small", tmp_path / "out")


def test_results_never_go_where_something_is(data: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="already exists and is not an empty folder"):
        run(data, tiny_checkpoint, data)
