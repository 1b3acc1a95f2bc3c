import itertools

import numpy as np
import pytest

from cvae.steering import WORKSPACE
from training.robot.arm import SHOULDER, WRIST_ABOVE_TIPS, reach
from training.robot.camera import PLACE, project

CORNERS = [np.array(corner) for corner in itertools.product(*zip(*WORKSPACE, strict=True))]


@pytest.mark.parametrize("tips", CORNERS, ids=str)
def test_links_keep_their_lengths_all_over_the_workspace(tips):
    arm, middle = reach(tips), reach(np.array([0.0, 0.0, 0.1]))
    for one, other in ((SHOULDER, "elbow"), ("elbow", "wrist")):
        ends = [[one if isinstance(one, np.ndarray) else getattr(a, one), getattr(a, other)] for a in (arm, middle)]
        lengths = [np.linalg.norm(end - start) for start, end in ends]
        assert lengths[0] == pytest.approx(lengths[1])


@pytest.mark.parametrize("tips", CORNERS, ids=str)
def test_hand_hangs_below_the_wrist_and_the_elbow_is_up(tips):
    arm = reach(tips)
    assert arm.wrist == pytest.approx(tips + np.array([0, 0, WRIST_ABOVE_TIPS]))
    straight = SHOULDER + 0.5 * (arm.wrist - SHOULDER)
    assert arm.elbow[2] > straight[2]


@pytest.mark.parametrize("tips", CORNERS, ids=str)
def test_hand_is_seen_all_over_the_workspace(tips):
    x, y = project(tips, (64, 64))
    assert 3 < x < 61
    assert 3 < y < 61


def test_picture_shows_x_to_the_right_y_away_and_z_up():
    middle, *ends = project(np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]), (64, 64))
    right, away, up = np.array(ends) - middle
    assert right[0] > 5
    assert away[1] < -3
    assert up[1] < -3
    assert away[0] == pytest.approx(0) == up[0]


def test_point_straight_ahead_of_the_camera_is_in_the_middle():
    ahead = np.array([0.0, 0.06, 0.115]) - PLACE
    assert project(PLACE + 0.7 * ahead, (64, 96)) == pytest.approx(np.array([48, 32]))
