from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.poses.skeleton import JOINTS, draw_skeleton
from training.puppets.clip import make_clip

GOLDEN = Path(__file__).with_name("clip_seed3.png")
SIZE = (64, 128)


def golden_frame():
    return make_clip(3, 2, SIZE).frames[1]


@pytest.fixture(scope="module")
def clip():
    return make_clip(3, 4, SIZE)


def test_arrays_have_the_promised_shapes(clip):
    assert clip.frames.shape == clip.poses.shape == (4, *SIZE, 3)
    assert clip.frames.dtype == clip.poses.dtype == np.uint8
    assert clip.keypoints.shape == (4, 23, 3)
    assert set(np.unique(clip.keypoints[..., 2])) <= {0.0, 1.0}


def test_picture_stays_as_it_was():
    golden = cv2.cvtColor(cv2.imread(str(GOLDEN)), cv2.COLOR_BGR2RGB)
    assert np.abs(golden_frame().astype(int) - golden).mean() < 1


def test_same_seed_gives_the_same_clip(clip):
    again = make_clip(np.random.SeedSequence(3), 4, SIZE)
    assert (again.frames == clip.frames).all()
    assert (again.keypoints == clip.keypoints).all()


def test_a_seed_sequence_may_be_used_twice():
    seeds = np.random.SeedSequence(5, spawn_key=(1, 2))
    assert (make_clip(seeds, 1, (16, 32)).frames == make_clip(seeds, 1, (16, 32)).frames).all()


def test_other_seeds_give_other_clips():
    firsts = [make_clip(seed, 1, (16, 32)).frames[0].astype(int) for seed in range(6)]
    gaps = [np.abs(a - b).mean() for k, a in enumerate(firsts) for b in firsts[:k]]
    assert min(gaps) > 5


def test_pose_is_the_skeleton_of_the_key_points(clip):
    assert (clip.poses[2] == draw_skeleton(clip.keypoints[2], SIZE)).all()


def test_size_changes_the_resolution_and_nothing_else():
    small, large = make_clip(3, 1, SIZE), make_clip(3, 1, (128, 256))
    assert large.keypoints == pytest.approx(small.keypoints * [2, 2, 1])
    shrunk = cv2.resize(large.frames[0], SIZE[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small.frames[0]).mean() < 3


@pytest.mark.parametrize("seed", [0, 3, 4, 8])
def test_key_points_lie_on_the_person(seed, monkeypatch):
    """The person is where the picture differs from the same scene with nobody in it."""
    clip = make_clip(seed, 6, SIZE)
    monkeypatch.setattr("training.puppets.render._draw_person", lambda *_: None)
    empty = make_clip(seed, 6, SIZE)
    inner = [JOINTS.index(name) for name in ("neck", "MidHip", "RKnee", "LKnee", "RElb", "LElb")]
    checked = 0
    for frame, background, keypoints in zip(clip.frames, empty.frames, clip.keypoints[:, inner], strict=True):
        person = cv2.dilate((frame != background).any(axis=-1).astype(np.uint8), np.ones((3, 3)))
        x, y = keypoints[keypoints[:, 2] > 0, :2].astype(int).T
        assert person.mean() < 0.5
        assert person[y, x].all()
        checked += len(x)
    assert checked > 20


def test_people_fill_the_picture_as_promised():
    heights = []
    for seed in range(24):
        keypoints = make_clip(seed, 1, (16, 32)).keypoints[0]
        seen = keypoints[keypoints[:, 2] > 0]
        heights.append(np.ptp(seen[:, 1]) / 16 if len(seen) > 3 else 0.0)
    assert 0.5 < np.median(heights) < 0.9


if __name__ == "__main__":  # makes the golden picture anew
    cv2.imwrite(str(GOLDEN), cv2.cvtColor(golden_frame(), cv2.COLOR_RGB2BGR))
