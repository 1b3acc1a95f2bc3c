import pytest

from training.schedules import Clock, average_decay, kl_weight, learning_rate


def test_the_learning_rate_climbs_then_falls_to_zero() -> None:
    assert learning_rate(1.0, step=0, progress=0.0) == pytest.approx(0.01)
    assert learning_rate(1.0, step=500, progress=0.0) == 1.0
    assert learning_rate(1.0, step=500, progress=0.5) == pytest.approx(0.5)
    assert learning_rate(1.0, step=500, progress=1.0) == 0.0


def test_the_kl_weight_climbs_to_its_peak_and_stays() -> None:
    assert [kl_weight(2.0, p) for p in (0.0, 0.05, 0.1, 1.0)] == pytest.approx([0.0, 1.0, 2.0, 2.0])


def test_progress_in_steps_is_their_share() -> None:
    assert [Clock(200, None).progress(step) for step in (0, 50, 200, 300)] == [0.0, 0.25, 1.0, 1.0]


def test_progress_in_minutes_is_the_share_of_the_time() -> None:
    clock = Clock(None, 1.0)
    clock.started -= 30
    assert clock.progress(step=7) == pytest.approx(0.5, abs=0.02)
    clock.started -= 60
    assert clock.progress(step=7) == 1.0


def test_the_average_spans_the_same_share_of_short_and_long_trainings() -> None:
    def mean_age(steps: int) -> float:
        weights, kept = [], 1.0
        for step in reversed(range(steps)):
            decay = average_decay(step)
            weights.append(kept * (1 - decay))
            kept *= decay
        return sum(age * w for age, w in enumerate(weights)) / steps

    assert average_decay(0) == 0.0
    assert mean_age(200) == pytest.approx(mean_age(2000), rel=0.05)
    assert mean_age(2000) == pytest.approx(1 / 18, rel=0.05)
