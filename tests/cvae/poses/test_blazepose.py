from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.generate import to_tensor
from cvae.metrics import psnr
from cvae.poses import blazepose
from cvae.poses.blazepose import PoseTracker, _refine
from cvae.poses.skeleton import JOINTS, draw_skeletons
from cvae.poses.weights import find_weights
from cvae.video import read_clip
from tests.conftest import joint_error
from training.puppets.clip import PuppetClip


def track(frames: np.ndarray) -> tuple[np.ndarray, PoseTracker]:
    tracker = PoseTracker(find_weights(), threads=1)
    return np.stack([tracker.find(frame) for frame in frames]), tracker


def test_the_joints_of_a_generated_dancer_are_found(dancer: PuppetClip) -> None:
    found, tracker = track(dancer.frames)
    assert (found[..., 2] > 0).any(axis=1).all() and tracker.detections == 1
    assert joint_error(found, dancer.keypoints) < 0.025


def test_joints_move_with_the_picture(dancer: PuppetClip) -> None:
    turn = cv2.getRotationMatrix2D((128, 64), 20, 0.8)
    frame, truth = dancer.frames[0], dancer.keypoints[0].copy()
    truth[:, :2] = truth[:, :2] @ turn[:, :2].T + turn[:, 2]
    found, _ = track(cv2.warpAffine(frame, turn, (256, 128), borderMode=cv2.BORDER_REPLICATE)[None])
    assert joint_error(found, truth[None]) < 0.04


def test_a_larger_picture_gives_the_same_joints_in_its_own_pixels(dancer: PuppetClip) -> None:
    small, _ = track(dancer.frames[:1])
    large, _ = track(cv2.resize(dancer.frames[0], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)[None])
    assert joint_error(large, small * [3, 3, 1]) < 0.01


def test_the_person_is_lost_and_found_again(dancer: PuppetClip) -> None:
    empty = np.full_like(dancer.frames[:2], 128)
    moved = np.roll(dancer.frames[2:4], 60, axis=2)
    found, tracker = track(np.concatenate([dancer.frames[:2], empty, moved]))
    assert (found[..., 2] > 0).any(axis=1).tolist() == [True, True, False, False, True, True]
    assert not found[2:4].any()
    assert tracker.detections == 2
    assert joint_error(found[4:], dancer.keypoints[2:4] + np.array([60, 0, 0])) < 0.04


def test_of_two_people_the_larger_is_followed(dancer: PuppetClip) -> None:
    small = cv2.resize(dancer.frames[0], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    frame = np.concatenate([dancer.frames[0], np.pad(small, ((51, 0), (0, 0), (0, 0)), mode="edge")[:128]], axis=1)
    found, _ = track(frame[None])
    assert joint_error(found, dancer.keypoints[:1]) < 0.04


def beside(dancer: PuppetClip, frame: int, *, with_large: bool) -> np.ndarray:
    """A picture, 300 pixels wide, of the dancer: small on the left and perhaps large on the right."""
    large = dancer.frames[frame, :, 97:216]
    small = cv2.resize(large, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    picture = np.full((128, 300, 3), dancer.frames[0, :, :20].mean(axis=(0, 1)), np.uint8)
    if with_large:
        picture[:, 95:214] = large
    picture[128 - len(small) :, : small.shape[1]] = small
    return picture


def test_who_was_followed_is_found_again_beside_someone_larger(dancer: PuppetClip) -> None:
    lost = np.full((128, 300, 3), 128, np.uint8)
    shown = [beside(dancer, 0, with_large=False), beside(dancer, 2, with_large=True)]
    found, tracker = track(np.stack([*shown, lost, beside(dancer, 3, with_large=True)]))
    truth = (dancer.keypoints[[0, 2, 3]] - [97, 0, 0]) * [0.8, 0.8, 1] + [0, 26, 0]
    assert joint_error(found[[0, 1, 3]], truth) < 0.04
    assert tracker.detections == 2 and not found[2].any()
    alone, _ = track(beside(dancer, 3, with_large=True)[None])
    assert joint_error(alone, dancer.keypoints[[3]] - [2, 0, 0]) < 0.04  # who would be taken as the first


def test_who_was_lost_is_looked_for_where_it_was(dancer: PuppetClip) -> None:
    wide = np.full((900, 900, 3), 128, np.uint8)
    wide[:128, :256] = dancer.frames[2]
    tracker = PoseTracker(find_weights(), threads=1)
    found = [tracker.find(frame) for frame in (dancer.frames[0], np.full((128, 256, 3), 128, np.uint8), wide)]
    assert not found[1].any() and joint_error(found[2][None], dancer.keypoints[[2]]) < 0.04
    assert not track(np.stack([np.full_like(wide, 128), wide]))[0].any()  # too small to be found in the whole picture


def test_someone_far_away_is_found_at_once_or_within_ten_frames(dancer: PuppetClip) -> None:
    wide = np.full((900, 900, 3), 128, np.uint8)
    wide[600:728, 300:556] = dancer.frames[2]
    truth = dancer.keypoints[[2]] + np.array([300, 600, 0])
    assert joint_error(track(wide[None])[0], truth) < 0.04
    found, _ = track(np.stack([np.full_like(wide, 128)] * 3 + [wide] * 10))
    assert found.any(axis=(1, 2)).tolist() == [False] * 10 + [True] * 3


def test_someone_small_at_the_edge_of_a_wide_picture_is_found(
    dancer: PuppetClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = np.full((1, 128, 800, 3), 128, np.uint8)
    wide[0, :, -119:] = dancer.frames[0, :, 97:216]
    truth = dancer.keypoints[:1] + np.array([800 - 119 - 97, 0, 0])
    assert joint_error(track(wide)[0], truth) < 0.04
    monkeypatch.setattr(blazepose, "_OBLONG", 9)
    assert not track(np.concatenate([np.full_like(wide, 128), wide]))[0].any()  # looked at whole alone


def test_an_empty_scene_after_a_person_shows_nobody(dancer: PuppetClip) -> None:
    wall = dancer.frames[:2, :, :64]
    empty = np.concatenate([wall, wall[:, :, ::-1]] * 2, axis=2)
    found, tracker = track(np.concatenate([dancer.frames[:2], empty]))
    assert found[:2].any(axis=(1, 2)).all() and not found[2:].any() and tracker.detections == 1


@pytest.mark.parametrize(("confidence", "is_believed"), [(0.75, False), (0.85, True)])
def test_landmarks_are_believed_where_the_network_is_sure(
    dancer: PuppetClip, monkeypatch: pytest.MonkeyPatch, confidence: float, is_believed: bool
) -> None:
    look = blazepose._Network.__call__

    def less_sure(network: blazepose._Network, picture: np.ndarray) -> list[np.ndarray]:
        first, second, *others = look(network, picture)
        return [first, np.full(1, confidence) if others else second, *others]

    monkeypatch.setattr(blazepose._Network, "__call__", less_sure)
    assert track(dancer.frames[:1])[0].any() == is_believed


def test_joints_outside_of_the_picture_are_missing(dancer: PuppetClip) -> None:
    knees = dancer.keypoints[0, [JOINTS.index("RKnee"), JOINTS.index("LKnee")], 1]
    found, _ = track(dancer.frames[:1, : int(knees.min()) - 8])
    assert found[0, JOINTS.index("neck"), 2] > 0
    assert not found[0, [JOINTS.index("RAnk"), JOINTS.index("LAnk")]].any()


def test_nobody_is_found_in_an_empty_picture() -> None:
    found, tracker = track(np.full((1, 90, 160, 3), 200, np.uint8))
    assert found.shape == (1, 23, 3) and not found.any() and tracker.detections == 0


def test_a_landmark_moves_to_the_centre_of_mass_of_its_heatmap() -> None:
    heatmaps = np.full((64, 64, 39), -20.0, np.float32)
    heatmaps[30, 20:22, 0] = 20  # cells of 4 pixels: the mass is at x 20.5, y 30
    heatmaps[30, 20, 1] = -1  # too weak
    points = np.full((39, 2), (84.0, 124.0))
    refined = _refine(points, heatmaps)
    np.testing.assert_allclose(refined[0], (82, 120), atol=1e-3)
    np.testing.assert_array_equal(refined[1:], points[1:])


def test_a_landmark_beside_the_picture_is_left_alone() -> None:
    points = np.full((39, 2), (-500.0, 9000.0))
    np.testing.assert_array_equal(_refine(points, np.full((64, 64, 39), 20.0, np.float32)), points)


@pytest.mark.slow
def test_a_real_person_is_drawn_as_the_published_labels_are(evaluation_data: Path) -> None:
    frames = read_clip(evaluation_data / "person_clip" / "clip.mp4").frames
    labels = np.load(evaluation_data / "person_clip" / "pose.npz")["pose"]
    found, _ = track(frames)
    assert (found[..., 2] > 0).any(axis=1).mean() >= 0.98
    drawn = draw_skeletons(found * [64 / 512, 32 / 256, 1], (32, 64))
    assert psnr(to_tensor(drawn), to_tensor(labels)).mean() > 37
    blank = np.full_like(labels, 255)
    assert psnr(to_tensor(blank), to_tensor(labels)).mean() < 33.5
