import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from cvae.errors import InputError
from hub.scores import read_results
from training.evaluation.scores import Scores, summarise


def write(folder: Path, samples: int, changes: Mapping[str, object] | None = None) -> Path:
    """What evaluate writes of two sequences of ten frames."""
    torch.manual_seed(0)
    scores = {}
    for name in ("0", "1"):
        scores[name] = Scores()
        scores[name].add(torch.rand(10, samples, 3, 16, 16), torch.rand(10, 3, 16, 16), torch.rand(3, 16, 16))
    about = {"checkpoint": "robot", "split": "test", "sample": "prior", "samples": samples}
    (folder / "results.json").write_text(json.dumps(about | summarise(scores, samples) | dict(changes or {})))
    return folder


def test_scores_of_several_samples_are_read_as_evaluate_writes_them(tmp_path: Path) -> None:
    results = read_results(write(tmp_path, 3), "robot")
    assert results.samples == 3
    assert results.best and results.best.mean and results.psnr.mean and results.best.mean > results.psnr.mean
    assert results.best_ssim and results.best_ssim.sequences.keys() == {"0", "1"}
    assert results.steps and len(results.steps.psnr.mean) == 10
    assert results.drift.mean is None


def test_scores_of_one_sample_have_no_best(tmp_path: Path) -> None:
    results = read_results(write(tmp_path, 1), "robot")
    assert (results.samples, results.best, results.best_ssim) == (1, None, None)


def test_scores_of_exchanged_actions_are_not_published(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"exchanged actions or poses; expected those of .* without --shuffle-cond"):
        read_results(write(tmp_path, 1, {"shuffled_conditions": True}), "robot")


@pytest.mark.parametrize("fault", [{"samples": 0}, {"best": 3}, {"steps": {"psnr": {"mean": []}}}])
def test_scores_that_evaluate_did_not_write_are_refused(tmp_path: Path, fault: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"is not what evaluate writes: {next(iter(fault))}"):
        read_results(write(tmp_path, 2, fault), "robot")
