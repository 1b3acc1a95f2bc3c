from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.steering import MAX_ACTION, WORKSPACE, move
from training.robot.clip import make_clip

GOLDEN = Path(__file__).with_name("clip_seed1.png")
LUCKS = range(1, 4)


@pytest.fixture(scope="module")
def clip():
    return make_clip(1, 12)


@pytest.fixture(scope="module")
def others(clip):
    """What else the same actions might have done."""
    return [make_clip(1, 12, actions=clip.actions, luck=luck) for luck in LUCKS]


def differs(one, other):
    """Share of pixels that are clearly different, `(T,)`."""
    return (np.abs(one.frames.astype(int) - other.frames).max(axis=-1) > 16).mean(axis=(1, 2))


def test_arrays_have_the_promised_shapes(clip):
    count = clip.centers.shape[1]
    assert clip.frames.shape == (12, 64, 64, 3)
    assert clip.frames.dtype == np.uint8
    assert clip.actions.shape == (12, 4)
    assert clip.positions.shape == (12, 3)
    assert clip.centers.shape == (12, count, 2)
    assert 3 <= count <= 6


def test_picture_stays_as_it_was(clip):
    golden = cv2.cvtColor(cv2.imread(str(GOLDEN)), cv2.COLOR_BGR2RGB)
    assert np.abs(clip.frames[6].astype(int) - golden).mean() < 1


def test_positions_follow_the_actions(clip):
    assert clip.positions[1:] == pytest.approx(move(clip.positions[:-1], clip.actions[:-1]), abs=1e-9)


@pytest.fixture(scope="module", params=range(4))
def long(request):
    return make_clip(request.param, 80, (8, 8))


def test_numbers_stay_within_their_bounds(long):
    assert (np.abs(long.actions) <= MAX_ACTION).all()
    assert (long.actions[:, 3] >= 0).all()
    assert ((long.positions >= WORKSPACE[0]) & (long.positions <= WORKSPACE[1])).all()


def test_hand_never_rests(long):
    steps = np.diff(long.positions, axis=0)
    assert np.linalg.norm(steps, axis=1).min() > 0.005


def test_same_seed_gives_the_same_clip(clip):
    again = make_clip(np.random.SeedSequence(1), 12)
    assert (again.frames == clip.frames).all()
    assert (again.actions == clip.actions).all()


def test_a_seed_sequence_may_be_used_twice():
    seeds = np.random.SeedSequence(5, spawn_key=(1, 2))
    assert (make_clip(seeds, 1, (16, 16)).frames == make_clip(seeds, 1, (16, 16)).frames).all()


def test_own_actions_repeat_the_clip(clip):
    assert (make_clip(1, 12, actions=clip.actions).frames == clip.frames).all()


def test_other_actions_give_other_frames_from_the_same_start(clip):
    other = make_clip(1, 12, actions=make_clip(2, 12, (8, 8)).actions)
    gap = differs(clip, other)
    assert gap[0] == 0
    assert gap[6:].min() > 0.05


def test_opening_is_seen_one_frame_after_its_command(clip):
    actions = clip.actions.copy()
    actions[2:, 3] = 1 - actions[2:, 3]
    gap = differs(clip, make_clip(1, 12, actions=actions))
    assert (gap[:3] == 0).all()
    assert gap[3] > 0


def test_what_is_hidden_changes_the_end_and_not_the_start(clip, others):
    for other in others:
        assert (other.frames[0] == clip.frames[0]).all()
        assert (other.positions == clip.positions).all()
    ends = np.stack([other.centers[-1] for other in (clip, *others)])
    assert np.linalg.norm(ends - ends.mean(axis=0), axis=2).max() > 0.02


def test_most_clips_push_an_object_soon():
    moved = []
    for seed in range(20):
        centers = make_clip(seed, 12, (8, 8)).centers
        moved.append(np.linalg.norm(centers - centers[0], axis=2).max() > 0.055)
    assert 0.4 < np.mean(moved) < 0.9


def test_size_changes_the_resolution_and_nothing_else(clip):
    large = make_clip(1, 2, (128, 128))
    assert (large.actions == clip.actions[:2]).all()
    shrunk = large.frames.reshape(2, 64, 2, 64, 2, 3).mean(axis=(2, 4))
    assert np.abs(shrunk - clip.frames[:2]).mean() < 3


if __name__ == "__main__":  # makes the golden picture anew
    cv2.imwrite(str(GOLDEN), cv2.cvtColor(make_clip(1, 12).frames[6], cv2.COLOR_RGB2BGR))
