import numpy as np
import pytest

from cvae.steering import MAX_ACTION, WORKSPACE, move

MIDDLE = np.array([0.0, 0.0, 0.1])


def test_hand_goes_by_what_is_commanded():
    assert move(MIDDLE, np.array([0.03, -0.02, 0.01, 0.7])) == pytest.approx([0.03, -0.02, 0.11])


def test_gripper_moves_no_hand():
    assert (move(MIDDLE, np.array([0, 0, 0, 1.0])) == MIDDLE).all()


@pytest.mark.parametrize(("sign", "bound"), [(-1, WORKSPACE[0]), (1, WORKSPACE[1])])
def test_hand_stops_where_the_workspace_ends(sign, bound):
    position = MIDDLE
    for _ in range(10):
        position = move(position, sign * np.array(MAX_ACTION))
    assert position == pytest.approx(bound)


def test_another_workspace_ends_elsewhere():
    low, high = (-0.1, -0.1, 0.1), (0.01, 0.1, 0.12)
    assert move(MIDDLE, np.array([0.05, 0.05, -0.05, 0]), (low, high)) == pytest.approx([0.01, 0.05, 0.1])


def test_many_hands_move_at_once():
    positions, actions = np.zeros((5, 2, 3)) + MIDDLE, np.random.default_rng(0).uniform(-0.08, 0.08, (5, 2, 4))
    alone = [[move(positions[i, k], actions[i, k]) for k in range(2)] for i in range(5)]
    assert move(positions, actions) == pytest.approx(np.array(alone))
