import numpy as np

from cvae.poses.follow import follow


def _person(x: float, y: float, size: float = 10) -> np.ndarray:
    """Joints on a diagonal around a place."""
    steps = np.linspace(-size / 2, size / 2, 23)
    return np.stack([x + steps, y + steps, np.ones(23)], axis=1)


def test_the_largest_person_is_followed_at_first() -> None:
    small, large = _person(20, 20, size=5), _person(80, 80, size=30)
    assert np.array_equal(follow([None, np.stack([small, large])]), [np.zeros((23, 3)), large])


def test_the_nearest_person_is_followed_afterwards() -> None:
    """Two people walk past each other's places in the list, and one grows."""
    ours = [_person(10 + step, 50) for step in range(6)]
    theirs = [_person(60 - step, 50, size=9 + step) for step in range(6)]
    frames = [np.stack([a, b] if step % 2 else [b, a]) for step, (a, b) in enumerate(zip(ours, theirs, strict=True))]
    assert np.array_equal(follow([*frames]), ours)


def test_somebody_lost_is_found_again_where_they_were() -> None:
    ours, theirs = _person(10, 10, size=12), _person(60, 60)
    followed = follow([np.stack([ours, theirs]), None, np.stack([theirs, ours])])
    assert np.array_equal(followed, [ours, np.zeros((23, 3)), ours])


def test_people_that_share_no_joint_are_compared_by_their_middles() -> None:
    ours, near, far = _person(10, 10, size=12), _person(12, 10), _person(60, 60)
    upper, near[:12], far[:12] = ours.copy(), 0, 0
    upper[12:] = 0
    assert np.array_equal(follow([upper[None], np.stack([far, near])])[1], near)


def test_a_person_without_any_joint_is_nobody() -> None:
    there = _person(10, 10, size=3)
    assert np.array_equal(follow([np.stack([np.zeros((23, 3)), there])]), there[None])
