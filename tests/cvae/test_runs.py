import json
from pathlib import Path

from cvae.runs import best_checkpoint, checkpoints_in, step_folder


def save(run: Path, step: int, score: object) -> Path:
    folder = step_folder(run, step)
    folder.mkdir(parents=True)
    (folder / "training.json").write_text(json.dumps({"validation_psnr": score}))
    return folder


def test_checkpoints_come_in_the_order_of_their_steps(tmp_path: Path) -> None:
    folders = {step: save(tmp_path, step, 1.0) for step in (1000000, 20, 300)}
    (tmp_path / ".step_000400.partial").mkdir()
    (tmp_path / "step_x").mkdir()
    (tmp_path / "step_000500").write_text("a file")
    assert checkpoints_in(tmp_path) == {step: folders[step] for step in (20, 300, 1000000)}
    assert list(checkpoints_in(tmp_path)) == [20, 300, 1000000]


def test_the_best_is_that_of_the_highest_psnr_and_of_equal_ones_the_later(tmp_path: Path) -> None:
    save(tmp_path, 10, 30.0)
    best = save(tmp_path, 20, 30.0)
    save(tmp_path, 30, 29.0)
    assert best_checkpoint(tmp_path) == best


def test_a_checkpoint_that_says_nothing_is_the_worst(tmp_path: Path) -> None:
    best = save(tmp_path, 10, 1.0)
    save(tmp_path, 20, None)
    save(tmp_path, 30, "high")
    (save(tmp_path, 40, 1.0) / "training.json").write_text("{")
    (save(tmp_path, 50, 1.0) / "training.json").unlink()
    (save(tmp_path, 60, 1.0) / "training.json").write_text("[]")
    save(tmp_path, 70, 10**400)  # more than a float holds
    save(tmp_path, 80, float("nan"))
    assert best_checkpoint(tmp_path) == best


def test_what_is_no_run_has_none(tmp_path: Path) -> None:
    assert checkpoints_in(tmp_path / "nowhere") == {} and best_checkpoint(tmp_path) is None
