import numpy as np
import pytest

from cvae.poses.skeleton import JOINTS
from training.puppets.body import Body, pose_body
from training.puppets.camera import Camera, find_keypoints
from training.puppets.choreography import Stage, choreograph, walk_to
from training.puppets.dance import DANCES
from training.puppets.motion import Layout, Motion, chain, mirror
from training.puppets.moves import GESTURES, bend, gesture, idle, jump, rest_pose, squat, still, turn, wave

FPS = 15.0
BONES = [
    *(("pelvis", "waist"), ("waist", "neck"), ("neck", "chin"), ("chin", "head"), ("hip_l", "hip_r")),
    *((f"{a}_{side}", f"{b}_{side}") for side in "lr" for a, b in (
        *(("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("ankle", "toe"), ("ankle", "small_toe")),
        *(("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand")),
    )),
    *(("neck", f"shoulder_{side}") for side in "lr"),
]  # fmt: skip


def random(seed=0):
    return np.random.default_rng(seed)


def dances(seed):
    return choreograph(random(seed), 75, FPS, Stage())


def standing(heading=0.0):
    root = still(1)
    root[:, 2] = heading
    return Motion(root, rest_pose())


@pytest.mark.parametrize("seed", range(12))
def test_bones_keep_their_lengths(seed):
    joints = pose_body(Body(), dances(seed)).joints
    for start, end in BONES:
        lengths = np.linalg.norm(joints[start] - joints[end], axis=1)
        assert np.ptp(lengths) < 1e-6, (start, end)


@pytest.mark.parametrize("seed", range(12))
def test_joints_move_smoothly(seed):
    """A fast hand is at some 15 m/s; the recorded leap alone reaches 120 m/s^2."""
    for name, places in pose_body(Body(), dances(seed)).joints.items():
        assert np.abs(np.diff(places, axis=0)).max() * FPS < 18, name
        assert np.abs(np.diff(places, 2, axis=0)).max() * FPS**2 < 250, name


@pytest.mark.parametrize("seed", range(12))
def test_feet_stay_above_the_floor(seed):
    joints = pose_body(Body(), dances(seed)).joints
    for side in "lr":
        assert min(joints[f"heel_{side}"][:, 1].min(), joints[f"toe_{side}"][:, 1].min()) > 0


@pytest.mark.parametrize("gait", ["walk", "run"])
def test_walker_arrives(gait):
    motion = walk_to(random(), np.array([1.5, -2.0]), FPS, gait)
    assert motion.root[-1, :2] == pytest.approx([1.5, -2.0], abs=0.35)


def test_planted_foot_of_a_walker_stays_in_place():
    motion = walk_to(random(), np.array([0.0, 6.0]), FPS)
    joints = pose_body(Body(), motion).joints
    slips = []
    for side in "lr":
        foot = (joints[f"heel_{side}"] + joints[f"toe_{side}"]) / 2
        low = np.maximum(joints[f"heel_{side}"], joints[f"toe_{side}"])[:, 1] < 0.045
        speed = np.linalg.norm(np.diff(foot[:, [0, 2]], axis=0), axis=1) * FPS
        slips.append(speed[low[1:] & low[:-1]])
    assert np.median(np.concatenate(slips)) < 0.25  # the walker itself makes 1.2 m/s


def test_turning_ends_at_the_angle():
    for angle in (-3.1, 0.8, 6.28):
        motion = turn(random(), angle, FPS)
        assert motion.root[-1, 2] == pytest.approx(angle, abs=0.1)


def test_chain_does_not_jump_between_unlike_moves():
    motions = [squat(random(), 20, FPS), wave(random(), 20, FPS), jump(random(), 25, FPS), bend(random(), 20, FPS)]
    whole = chain(motions, FPS, np.array([1.0, 2.0, 0.7]))
    assert len(whole) == 85
    for places in pose_body(Body(), whole).joints.values():
        assert np.abs(np.diff(places, axis=0)).max() < 1.0


def test_chain_starts_at_the_given_root():
    whole = chain([idle(random(), 5, FPS)], FPS, np.array([1.0, 2.0, 0.7]))
    assert whole.root[0] == pytest.approx([1.0, 2.0, 0.7])


def test_mirror_twice_is_the_same():
    motion = DANCES[3](random(), 20, FPS, 110.0)
    again = mirror(mirror(motion))
    assert again.pose == pytest.approx(motion.pose)
    assert mirror(motion).pose[:, Layout.upper_arm_l] == pytest.approx(motion.pose[:, Layout.upper_arm_r] * [-1, 1, 1])


@pytest.mark.parametrize("name", GESTURES)
def test_gestures_have_unit_directions(name):
    pose = gesture(random(), 90, FPS, name).pose
    assert np.linalg.norm(pose[:, Layout.upper_arm_l], axis=1) == pytest.approx(1, abs=0.2)


def test_standing_height_is_the_bodys():
    joints = pose_body(Body(), standing()).joints
    crown = joints["head"][0, 1] + Body().head / 2
    assert crown == pytest.approx(Body().height, abs=0.06)


def camera(distance=4.0):
    return Camera(place=np.array([0.0, 1.0, distance]), pitch=0.0, focal=1.5)


def seen(heading):
    keypoints = find_keypoints(pose_body(Body(), standing(heading)), Body(), camera(), (100, 200))[0]
    return {name for name, point in zip(JOINTS, keypoints, strict=True) if point[2]}


def test_face_is_missing_from_behind_but_not_the_ears():
    face = {"Nose", "REye", "LEye"}
    assert face | {"REar", "LEar"} <= seen(0.0)
    assert not face & seen(np.pi)
    assert {"REar", "LEar"} <= seen(np.pi)


def test_far_ear_is_missing_in_profile():
    """Looking to the right of the picture, the person shows the right ear."""
    assert "REar" in seen(np.pi / 2)
    assert "LEar" not in seen(np.pi / 2)


def test_far_elbow_is_missing_in_profile_but_not_the_far_leg():
    assert "LElb" not in seen(np.pi / 2)
    assert {"RElb", "RWri", "LKnee", "LAnk"} <= seen(np.pi / 2)
    assert {"LElb", "RElb", "LWri", "RWri"} <= seen(0.0) & seen(np.pi)


def test_own_right_is_on_the_left_of_the_picture_when_facing_it():
    keypoints = find_keypoints(pose_body(Body(), standing()), Body(), camera(), (100, 200))[0]
    right, left = keypoints[1], keypoints[4]
    assert right[0] < 100 < left[0]


def test_joints_out_of_the_picture_are_missing():
    keypoints = find_keypoints(pose_body(Body(), standing()), Body(), camera(1.2), (100, 200))[0]
    assert (keypoints[keypoints[:, 2] == 0] == 0).all()
    assert (keypoints[:, 2] == 0).any()
    inside = keypoints[keypoints[:, 2] > 0]
    assert ((inside[:, :2] >= 0) & (inside[:, :2] < [200, 100])).all()


def test_projection_agrees_with_similar_triangles():
    """A point one metre right and half a metre up, four metres ahead."""
    x, y, ahead = camera().project(np.array([1.0, 1.5, 0.0]), (100, 200))
    assert (x, y, ahead) == pytest.approx((100 + 150 / 4, 50 - 75 / 4, 4.0))
