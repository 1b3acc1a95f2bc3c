import pytest
import torch

from training.evaluation.scores import Scores, grade_line, mean, summarise, table_row


def scores(psnr: list[float], rounded: list[float] | None = None) -> Scores:
    return Scores([torch.tensor(psnr)[:, None]], [torch.full((len(psnr), 1), 0.5)], [20.0] * len(psnr), rounded or psnr)


def test_drift_is_what_the_last_hundred_frames_lose_against_the_first() -> None:
    assert scores([40.0] * 100 + [0.0] * 429 + [31.0] * 100).summary()["drift"] == pytest.approx(9)
    assert scores([40.0] * 50 + [30.0] * 100).summary()["drift"] == pytest.approx(35 - 30)


def test_a_sequence_too_short_to_drift_has_none() -> None:
    assert scores([30.0] * 100).summary()["drift"] is None
    assert table_row("0", 100, scores([30.0] * 100).summary()).split()[-2:] == ["-", "30.00"]


def test_the_competition_looks_at_rounded_frames_1_to_600_alone() -> None:
    assert scores([1.0] * 629, [30.0] * 600 + [90.0] * 29).summary()["competition"] == pytest.approx(30)


@pytest.mark.parametrize(("psnr", "said"), [(25.0, "full marks (25.00"), (24.99, "less than full marks (24.99")])
def test_full_marks_begin_at_25_db_over_the_sequences(psnr: float, said: str) -> None:
    results = summarise({"0": scores([psnr - 5] * 3), "1": scores([psnr + 5] * 600)})
    assert results["psnr"]["mean"] == pytest.approx(psnr)
    assert said in grade_line(results)


def test_nothing_known_is_no_grade() -> None:
    results = summarise({})
    assert results["grade"]["full_marks"] is None
    assert grade_line(results) == "No sequence has a truth to compare with."
    assert mean([None, 2.0, 4.0]) == 3.0
