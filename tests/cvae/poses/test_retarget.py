import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses.retarget import fit
from training.puppets.clip import PuppetClip


def test_the_same_pose_of_another_size_and_place_is_met_exactly(dancer: PuppetClip) -> None:
    driver = dancer.keypoints[0]
    target = driver * [0.4, 0.4, 1] + [30, -7, 0]
    target = np.where(driver[:, 2:] > 0, target, 0)
    found = fit(driver, target)
    assert (found.scale, *found.shift) == pytest.approx((0.4, 30, -7))
    np.testing.assert_allclose(found.apply(driver), target, atol=1e-9)


def test_raised_arms_do_not_change_scale_or_shift(dancer: PuppetClip) -> None:
    driver, target = dancer.keypoints[0].copy(), dancer.keypoints[0].copy()
    for shoulder, elbow, wrist in ((1, 2, 3), (4, 5, 6)):
        driver[[shoulder, elbow, wrist], 2] = target[[shoulder, elbow, wrist], 2] = 1
        for joint in (elbow, wrist):  # the arm turned over about its shoulder
            target[joint, 1] = 2 * target[shoulder, 1] - driver[joint, 1]
    found = fit(driver, target)
    assert (found.scale, *found.shift) == pytest.approx((1, 0, 0), abs=1e-9)


def test_one_fit_moves_a_whole_sequence_and_missing_joints_stay_missing(dancer: PuppetClip) -> None:
    points = dancer.keypoints.copy()
    points[3, 5] = 0
    moved = fit(points[0], points[0] * [2, 2, 1]).apply(points)
    np.testing.assert_allclose(moved, points * [2, 2, 1], atol=1e-6)
    assert not moved[3, 5].any()


def test_joints_all_in_one_place_are_no_body(dancer: PuppetClip) -> None:
    body = dancer.keypoints[0]
    point = np.where(body[:, 2:] > 0, [10, 10, 1], 0)
    for driver, target, whose in ((point, body, "first pose"), (body, point, "person of the first frame")):
        with pytest.raises(InputError, match=f"The joints of the {whose} all lie in one place; expected a body"):
            fit(driver, target)


def test_too_few_common_joints_are_refused(dancer: PuppetClip) -> None:
    arm = np.zeros((23, 3))
    arm[1:3] = dancer.keypoints[0, 1:3]
    with pytest.raises(InputError, match=r"have only \d joints in common, too few to fit"):
        fit(dancer.keypoints[0], arm)
