from itertools import pairwise

import numpy as np
import pytest

from training.robot.hand import FINGER_RADIUS, Hand
from training.robot.table import TRAY, Table
from training.robot.things import Thing, sample_things

LOW, HIGH = 0.01, 0.15


def disc(x=0.0, y=0.0, kind="disc"):
    return Thing(kind=kind, radius=0.04, height=0.05, color=np.ones(3), place=np.array([x, y]), angle=0.0)


def table(*things, seed=0):
    return Table(things, np.random.default_rng(seed))


def sweep(on, start, end, height, opening=0.0, frames=8):
    """Moves the hand in a straight line, and waits until what slides has come to rest."""
    ways = np.linspace(start, end, frames + 1)
    hands = [Hand(np.append(way, height), opening) for way in ways]
    for before, after in pairwise(hands):
        on.advance(before, after)
    away = Hand(np.append(end, HIGH), opening)
    for _ in range(10):
        on.advance(away, away)
    return on.centers


def test_hand_high_above_an_object_does_not_push_it():
    assert (sweep(table(disc()), (-0.15, 0), (0.15, 0), HIGH) == 0).all()


@pytest.mark.parametrize("way", [(0.1, 0.0), (-0.1, 0.0), (0.0, 0.1), (0.0, -0.1)])
def test_pushed_object_moves_the_way_it_is_pushed(way):
    way = np.array(way)
    for seed in range(8):
        (end,) = sweep(table(disc(), seed=seed), -way, 0.5 * way, LOW)
        assert end @ way / 0.1 > 0.05  # at least as far as the fingers came


def test_open_fingers_pass_beside_a_ball_between_them():
    small = Thing(kind="disc", radius=0.02, height=0.05, color=np.ones(3), place=np.zeros(2), angle=0.0)
    assert (sweep(table(small), (0, -0.1), (0, 0.1), LOW, opening=1.0) == 0).all()
    assert sweep(table(small), (0, -0.1), (0, 0.1), LOW, opening=0.0)[0, 1] > 0.05


def test_finger_and_object_do_not_overlap_after_a_push():
    on = table(disc())
    before, after = (Hand(np.array([x, 0.0, LOW]), 0.5) for x in (-0.1, -0.04))
    on.advance(before, after)
    gaps = np.linalg.norm(on.centers - after.fingers, axis=1) - 0.04 - FINGER_RADIUS
    assert gaps.min() > -0.002


def test_pushed_object_slides_on_and_comes_to_rest():
    on = table(disc())
    for before, after in ((-0.1, -0.04), (-0.04, 0.02)):
        on.advance(*(Hand(np.array([x, 0.0, LOW]), 0.0) for x in (before, after)))
    left = on.centers[0, 0]
    away = Hand(np.array([0.0, 0.0, HIGH]), 0.0)
    places = []
    for _ in range(12):
        on.advance(away, away)
        places.append(on.centers[0, 0])
    assert places[0] > left + 0.01
    assert places[-1] == places[-2]


def test_hidden_friction_and_deflection_decide_where_an_object_ends():
    ends = np.concatenate([sweep(table(disc(), seed=seed), (-0.1, 0), (0.02, 0), LOW) for seed in range(40)])
    spread = np.linalg.norm(ends - ends.mean(axis=0), axis=1).mean()
    assert 0.25 * 0.08 < spread < 0.08  # a quarter to one diameter


def test_object_that_is_not_pushed_stays_whatever_is_hidden():
    assert (sweep(table(disc(), disc(0.2), seed=5), (-0.2, -0.2), (-0.2, 0.2), LOW) == [[0, 0], [0.2, 0]]).all()


def test_objects_push_each_other():
    on = table(disc(), disc(0.1))
    assert sweep(on, (-0.1, 0), (0.05, 0), LOW)[1, 0] > 0.11


def test_heavy_object_gives_way_less():
    on = table(disc(), disc(0.06))
    on.weight = np.array([1.0, 9.0])
    still = Hand(np.array([0.0, 0.2, HIGH]), 0.0)
    on.advance(still, still)
    assert on.centers[:, 0] == pytest.approx([-0.018, 0.062], abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_objects_neither_leave_the_table_nor_overlap(seed):
    generator = np.random.default_rng(seed)
    things = sample_things(generator)
    on, radii = Table(things, generator), np.array([thing.radius for thing in things])
    hand = Hand(np.array([0.0, 0.0, LOW]), 0.5)
    for _ in range(60):
        goal = generator.uniform((-0.22, -0.16), (0.22, 0.14))
        after = Hand(np.append(hand.position[:2] + 0.3 * (goal - hand.position[:2]), LOW), float(generator.uniform()))
        on.advance(hand, after)
        hand = after
        assert (on.centers - radii[:, None] >= TRAY[0] - np.full(2, 1e-9)).all()
        assert (on.centers + radii[:, None] <= TRAY[1] + np.full(2, 1e-9)).all()
        apart = np.linalg.norm(on.centers[:, None] - on.centers, axis=2) + np.eye(len(radii))
        assert (radii[:, None] + radii - apart).max() < 0.01


def test_ball_rolls_by_itself_and_turns():
    on = table(disc(kind="ball"))
    away, places = Hand(np.array([0.0, 0.0, HIGH]), 0.0), []
    for _ in range(6):
        places.append(on.centers[0])
        on.advance(away, away)
    steps = np.diff(places, axis=0)
    assert (np.linalg.norm(steps, axis=1) > 0.015).all()
    assert np.ptp(np.arctan2(steps[:, 1], steps[:, 0])) > 0.1
