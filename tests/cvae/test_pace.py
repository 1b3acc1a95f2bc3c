import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvae.pace import ticks_of_each, usual_rate


def milliseconds(count: int, rate: float) -> np.ndarray:
    """Starts of frames as mkv and webm store them, and the end of the last."""
    return np.round(np.arange(count + 1) / rate, 3)


@pytest.mark.parametrize("rate", [5, 12.5, 24000 / 1001, 25, 30000 / 1001, 30, 60, 120])
def test_rounded_stamps_are_even(rate: float) -> None:
    shown = milliseconds(2000, rate)
    assert usual_rate(shown, rate) == rate
    assert (ticks_of_each(shown, usual_rate(shown)) == 1).all()


def test_a_phone_that_left_out_frames_is_brought_to_its_ticks() -> None:
    kept = np.delete(np.arange(901), [10, 400, 401, 700])
    jitter = np.random.default_rng(0).uniform(-0.004, 0.004, len(kept))
    shown = kept / 30 + jitter
    assert usual_rate(shown, 29.87) == usual_rate(shown) == 30
    ticks = ticks_of_each(shown, 30)
    np.testing.assert_array_equal(np.repeat(kept[:-1], ticks), np.maximum.accumulate(np.repeat(kept[:-1], ticks)))
    assert ticks.sum() == 900 and ticks[9] == 2 and ticks[398] == 3


def test_two_rates_in_one_video_become_the_commoner() -> None:
    shown = np.concatenate([np.arange(200) / 30, 200 / 30 + np.arange(101) / 24])
    rate = usual_rate(shown, 27.6)
    ticks = ticks_of_each(shown, rate)
    assert rate == 30 and ticks.sum() == round(30 * shown[-1])
    nearest = np.abs(shown[:-1] - np.arange(ticks.sum())[:, None] / 30).min(axis=1)
    assert nearest.max() < 1 / 24
    assert set(ticks[:199]) == {1} and ticks.max() == 2


def test_a_rate_near_to_a_usual_one_stays() -> None:
    assert usual_rate(np.arange(31) * 0.033) == pytest.approx(1 / 0.033)


def test_stamps_at_random_become_at_most_60_a_second() -> None:
    shown = np.cumsum(np.random.default_rng(0).exponential(0.001, 1000))
    assert usual_rate(shown) == 60
    assert usual_rate(np.arange(100) / 1000) == 60


def test_pictures_shown_for_minutes_are_repeated() -> None:
    shown = np.arange(4) * 200.0
    assert usual_rate(shown) == 0.1 and ticks_of_each(shown, 0.1).tolist() == [20, 20, 20]


def test_a_rate_that_no_stamp_bears_out_is_not_believed() -> None:
    assert usual_rate(np.arange(11) / 10, 1000) == pytest.approx(10)
    assert usual_rate(np.zeros(5), 25) == 25 and usual_rate(np.zeros(5)) == 30


def test_frames_are_left_out_or_repeated_at_another_rate() -> None:
    shown = milliseconds(10, 25)
    assert np.repeat(np.arange(10), ticks_of_each(shown, 12.5)).tolist() == [0, 2, 4, 6, 8]
    assert np.repeat(np.arange(10), ticks_of_each(shown, 10)).tolist() == [0, 2, 5, 7]
    assert np.repeat(np.arange(10), ticks_of_each(shown, 50)).tolist() == [i // 2 for i in range(20)]


@pytest.mark.parametrize("rate", [7, 10, 24, 30, 50])
def test_each_tick_shows_what_a_player_would_show(rate: float) -> None:
    shown = np.append(np.sort(np.random.default_rng(1).uniform(0, 4, 100)), 4.05)
    index = np.repeat(np.arange(100), ticks_of_each(shown, rate))
    for tick, frame in enumerate(index):
        time = shown[0] + tick / rate
        assert shown[frame] <= time + 0.5 / rate and time - 0.5 / rate < shown[frame + 1]


def test_one_frame_is_shown_once() -> None:
    assert ticks_of_each(np.array([3.0, 3.04]), 25).tolist() == [1]
    assert ticks_of_each(np.array([3.0, 3.0]), 25).tolist() == [1]


@given(st.lists(st.integers(0, 10**15), min_size=2, max_size=20), st.sampled_from([None, 25, 240]))
def test_any_stamps_give_a_rate_and_a_frame(microseconds: list[int], claimed: float | None) -> None:
    shown = np.sort(microseconds) / 1e6
    rate = usual_rate(shown, claimed)
    assert rate > 0 and ticks_of_each(shown, rate).min() >= 0 and ticks_of_each(shown, rate).sum() >= 1
