import numpy as np
import pytest

from cvae.actions import to_conditions
from cvae.config import SVGConfig
from tests.web.robots import own_robot, own_rows
from web.hand import hand_path


def model() -> SVGConfig:
    config = own_robot().model
    assert isinstance(config, SVGConfig)
    return config


def test_path_has_the_place_of_every_frame_in_centimetres() -> None:
    path = hand_path(model(), to_conditions(own_rows(4)))
    assert np.array(path["places"]) == pytest.approx(np.array([[0, 0, 10], [1, 0, 10], [2, 0, 10], [3, 0, 10]]))
    assert path["low"] == pytest.approx([-22, -16, 1])
    assert path["words"][-1] == ["x 3.0, y 0.0, z 10.0 cm", "50 % open"]


def test_last_place_stays_within_the_workspace() -> None:
    rows = own_rows(2) + np.array([0, 0, 0, 0, 0.215, 0, 0], np.float32)
    assert hand_path(model(), to_conditions(rows))["places"][-1][0] == pytest.approx(22)
