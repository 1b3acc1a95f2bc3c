import numpy as np
import pytest

from training.robot.camera import project
from training.robot.hand import Hand
from training.robot.render import SUPERSAMPLING, render
from training.robot.things import Thing

TABLE = np.full((64 * SUPERSAMPLING, 64 * SUPERSAMPLING, 3), 160, np.uint8)
RED, BLUE = np.array([230.0, 20, 20]), np.array([20, 20, 230.0])
AWAY = Hand(np.array([0.2, 0.12, 0.2]), 0.5)


def thing(color=RED, kind="disc", y=0.0):
    return Thing(kind=kind, radius=0.04, height=0.05, color=color, place=np.array([-0.15, y]), angle=0.3)


def picture(*things, hand=AWAY):
    places = np.array([thing.place for thing in things]).reshape(-1, 2)
    return render(TABLE, hand, things, places, np.array([thing.angle for thing in things])).astype(int)


def pixel(frame, x, y, z):
    column, row = project(np.array([x, y, z]), (64, 64)).astype(int)
    return frame[row, column]


def darkened(frame):
    """Where the table, which is grey, lost light; rows and columns."""
    grey = np.ptp(frame, axis=-1) == 0
    return np.argwhere(grey & (frame[..., 0] < 130) & (frame[..., 0] > 80))


@pytest.mark.parametrize("kind", ["disc", "box", "ball"])
def test_object_shows_its_colour_where_it_stands(kind):
    red, green, blue = pixel(picture(thing(kind=kind)), -0.15, 0.0, 0.05)
    assert red > 150 > 90 > max(green, blue)


def test_nearer_object_hides_the_farther_in_any_order():
    near, far = thing(RED, y=-0.05), thing(BLUE, y=0.05)
    assert (picture(near, far) == picture(far, near)).all()
    assert pixel(picture(near, far), -0.15, -0.05, 0.045)[0] > 150


def test_moved_hand_changes_the_arm_and_nothing_far_from_it():
    other = Hand(AWAY.position - [0.1, 0, 0], 0.5)
    changed = np.abs(picture(thing()) - picture(thing(), hand=other)).max(axis=-1) > 16
    assert changed[:30, 20:].mean() > 0.1
    assert not changed[40:, :16].any()


def test_fingers_stand_apart_as_far_as_the_hand_is_open():
    closed, opened = (picture(hand=Hand(np.array([0.0, 0.0, 0.1]), opening)) for opening in (0.0, 1.0))
    assert pixel(closed, 0.0, 0.0, 0.13).max() < 100
    assert pixel(opened, 0.0, 0.0, 0.13).min() > 100
    assert pixel(opened, 0.042, -0.012, 0.13).max() < 100


def test_hand_that_is_higher_throws_its_shadow_farther():
    """The light comes from the left in front, so that a shadow that goes farther is farther to the right."""
    place = np.array([0.1, -0.05, 0.02])
    low, high = (darkened(picture(hand=Hand(place + np.array([0, 0, up]), 0.0))) for up in (0.0, 0.12))
    assert high[:, 1].max() > low[:, 1].max() + 2
