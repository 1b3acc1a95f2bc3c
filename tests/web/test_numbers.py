from dataclasses import replace

import pytest

from cvae.config import SVGConfig, SVGOptions
from tests.web.robots import own_robot
from web.numbers import Number, has_own_units, is_told_actions, robot_numbers, workspace_of


def own() -> SVGConfig:
    model = own_robot().model
    assert isinstance(model, SVGConfig)
    return model


def test_numbers_of_our_robot_are_centimetres_and_an_opening() -> None:
    numbers = robot_numbers(own())
    assert [number.label for number in numbers[2:5]] == ["Down − / up + (cm)", "Gripper open (%)", "x (cm)"]
    assert [number.limits for number in numbers[:4]] == [(-7.5, 7.5), (-7.5, 7.5), (-6.5, 7.5), (0, 100)]
    assert [number.rest for number in numbers[:4]] == [0, 0, 0, 50]


def test_numbers_of_another_robot_are_shown_as_they_are() -> None:
    model = replace(own(), low=(-1.0,) * 7, high=(1.0,) * 7)
    assert not has_own_units(model)
    numbers = robot_numbers(model)
    assert [number.label for number in numbers] == ["dx", "dy", "dz", "gripper", "x", "y", "z"]
    assert numbers[0].limits == (-1, 1) and numbers[0].step == pytest.approx(0.05)
    assert workspace_of(model) == ((-1.0,) * 3, (1.0,) * 3)


@pytest.mark.parametrize(
    ("low", "high", "step"), [(-7.86, 7.94, 0.5), (0, 99.98, 5), (-1, 1, 0.05), (-3e5, 1e5, 10_000), (0.2, 0.24, 0.001)]
)
def test_sliders_have_round_steps_and_stay_within_the_training(low: float, high: float, step: float) -> None:
    number = Number(name="a", low=low, high=high)
    assert number.step == pytest.approx(step)
    first, last = number.limits
    assert first == pytest.approx(round(first / step) * step) and last == pytest.approx(round(last / step) * step)
    assert low - step / 10 <= first < number.rest < last <= high + step / 10


def test_a_number_that_never_changed_stays_as_it_is() -> None:
    number = Number(name="a", low=0.5, high=0.5)
    assert number.limits == pytest.approx((0.5, 0.5)) and number.rest == pytest.approx(0.5)


def test_only_a_network_of_actions_is_steered() -> None:
    assert is_told_actions(own())
    assert not is_told_actions(SVGConfig(options=SVGOptions(condition="none"), low=(), high=()))
    assert not is_told_actions(SVGConfig(options=SVGOptions(condition="keypoints"), low=(0.0,) * 69, high=(1.0,) * 69))


def test_values_are_said_with_a_real_minus() -> None:
    assert Number(name="x", low=-1, high=1, factor=100, unit="cm").said(-0.0412) == "−4.1"
