import pytest

from cvae.errors import InputError
from training.schedules import Clock, Epochs, KLAnnealing, TeacherForcing, average_decay, learning_rate


def test_the_learning_rate_climbs_then_falls_to_zero() -> None:
    assert learning_rate(1.0, step=0, progress=0.0) == pytest.approx(0.01)
    assert learning_rate(1.0, step=500, progress=0.0) == 1.0
    assert learning_rate(1.0, step=500, progress=0.5) == pytest.approx(0.5)
    assert learning_rate(1.0, step=500, progress=1.0) == 0.0


def test_a_constant_rate_is_the_peak() -> None:
    assert [learning_rate(0.3, step, progress, "constant") for step, progress in ((0, 0.0), (7, 1.0))] == [0.3, 0.3]


def test_a_monotonic_weight_climbs_once_and_stays() -> None:
    kl = KLAnnealing(annealing="monotonic", start=0.5, stop=2.5, ratio=0.1, cycles=4)
    assert [kl.weight(p) for p in (0.0, 0.05, 0.1, 0.6, 1.0)] == pytest.approx([0.5, 1.5, 2.5, 2.5, 2.5])


def test_a_cyclical_weight_climbs_in_every_cycle_and_ends_high() -> None:
    kl = KLAnnealing(annealing="cyclical", start=0.0, stop=1.0, ratio=0.5, cycles=4)
    one_cycle = [0.0, 0.5, 1.0, 1.0]  # at eighths of a cycle: 0, 2, 4, 6
    weights = [kl.weight((cycle + part / 4) / 4) for cycle in range(4) for part in range(4)]
    assert weights == pytest.approx(one_cycle * 4)
    assert kl.weight(1.0) == 1.0


def test_without_annealing_the_weight_is_always_the_same() -> None:
    assert [KLAnnealing(annealing="none", stop=3.0).weight(p) for p in (0.0, 0.5, 1.0)] == [3.0] * 3


def test_the_forcing_ratio_falls_from_an_epoch_on_down_to_its_floor() -> None:
    forcing = TeacherForcing(initial=1.0, decay_from=2, decay=0.3, floor=0.25)
    assert [forcing.ratio(epoch) for epoch in range(6)] == pytest.approx([1, 1, 1, 0.7, 0.4, 0.25])
    assert TeacherForcing(initial=0.0, floor=0.5).ratio(0) == 0.0


def test_truth_is_drawn_for_each_batch_or_epoch_with_the_ratio() -> None:
    batch, epoch = (TeacherForcing(initial=0.7, decay=0.0, mode=mode) for mode in ("batch", "epoch"))
    drawn = [batch.share_of_truth(0, step, seed=1) for step in range(2000)]
    assert set(drawn) == {0.0, 1.0} and sum(drawn) / 2000 == pytest.approx(0.7, abs=0.03)
    assert len({epoch.share_of_truth(3, step, seed=1) for step in range(50)}) == 1
    drawn = [epoch.share_of_truth(number, 0, seed=1) for number in range(2000)]
    assert sum(drawn) / 2000 == pytest.approx(0.7, abs=0.03)


def test_a_blend_has_the_ratio_itself() -> None:
    assert TeacherForcing(initial=0.7, decay=0.0, mode="blend").share_of_truth(0, 5, seed=0) == 0.7


def test_epochs_of_a_fast_train_are_shorter() -> None:
    epochs = Epochs(steps=10, fast_steps=4, fast=2)
    assert [epochs.at(step) for step in (0, 3, 4, 7, 8, 17, 18)] == [0, 0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize(("steps", "minutes"), [(None, None), (3, 1.0), (-3, None), (None, float("nan"))])
def test_a_length_is_given_once_and_above_zero(steps: int | None, minutes: float | None) -> None:
    with pytest.raises(InputError, match=r"either --steps N or --max-minutes M|is above zero; got"):
        Clock(steps, minutes)


def test_a_resumed_clock_goes_on_from_the_minutes_before() -> None:
    clock = Clock(None, 2.0, minutes_before=1.0)
    assert clock.progress(0) == pytest.approx(0.5, abs=0.01)


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
