import json
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from cvae.checkpoint import load_checkpoint
from cvae.errors import InputError
from tests.conftest import moving_square, write_pictures
from training.data import open_test
from training.evaluate import EvaluateConfig, evaluate, rollout_scores

COUNT = 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two test sequences with their truth."""
    frames, poses = moving_square(COUNT)
    for name, step in (("0", 1), ("10", -1)):
        write_pictures(tmp_path / "data" / "test" / "test_img" / name, frames[::step][:1])
        write_pictures(tmp_path / "data" / "test" / "test_label" / name, poses[::step])
        write_pictures(tmp_path / "data" / "test" / "test_gt" / name, frames[::step])
    return tmp_path / "data"


def test_test_sequences_are_read_with_their_truth(data: Path) -> None:
    sequences = open_test(data, (16, 32))
    assert list(sequences) == ["0", "10"]
    assert np.array_equal(sequences["10"].frames, moving_square(COUNT)[0][::-1])
    assert np.array_equal(sequences["0"].poses, moving_square(COUNT)[1])


def test_a_missing_frame_of_the_truth_is_named(data: Path) -> None:
    (data / "test" / "test_gt" / "10" / "5.png").unlink()
    with pytest.raises(InputError, match=r"test_gt/10 lacks 1 frames, the first is 5\.png"):
        open_test(data, (16, 32))


def test_copying_scores_what_scikit_image_says(data: Path, tiny_checkpoint: Path) -> None:
    model = load_checkpoint(tiny_checkpoint).model
    sequence = open_test(data, (16, 32))["0"]
    scores, copying = rollout_scores(model, sequence, (0, COUNT), torch.device("cpu"))
    expected = [
        peak_signal_noise_ratio(frame, sequence.frames[0], data_range=255)
        for frame in sequence.frames[1:]
        if not np.array_equal(frame, sequence.frames[0])
    ]
    assert scores.shape == copying.shape == (COUNT - 1,)
    assert copying[copying < 100].tolist() == pytest.approx(expected, abs=1e-3)


def test_results_hold_every_sequence_and_their_mean(
    data: Path, tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    evaluate(EvaluateConfig(data=data, checkpoint=tiny_checkpoint, out=out, device="cpu"))
    results = json.loads(out.read_text())
    assert sorted(results["sequences"]) == ["0", "10"]
    for key in ("psnr", "copying", "drift"):
        assert results["mean"][key] == pytest.approx(np.mean([s[key] for s in results["sequences"].values()]))
    assert f"{results['mean']['psnr']:.2f}" in capsys.readouterr().out


def test_a_folder_without_sequences_is_named(tmp_path: Path, tiny_checkpoint: Path) -> None:
    with pytest.raises(InputError, match="holds no sequences"):
        evaluate(EvaluateConfig(data=tmp_path, checkpoint=tiny_checkpoint, device="cpu"))
