from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.generate import to_tensor
from cvae.metrics import psnr
from cvae.poses.blazepose import PoseTracker, _refine
from cvae.poses.skeleton import JOINTS, draw_skeletons
from cvae.poses.weights import find_weights
from cvae.video import read_clip
from training.puppets.clip import PuppetClip


def track(frames: np.ndarray) -> tuple[np.ndarray, PoseTracker]:
    tracker = PoseTracker(find_weights(), threads=1)
    return np.stack([tracker.find(frame) for frame in frames]), tracker


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of joints seen in both, in heights of the person."""
    both = (found[..., 2] > 0) & (truth[..., 2] > 0)
    assert both.sum() > 0.7 * (truth[..., 2] > 0).sum()
    heights = [np.ptp(points[points[:, 2] > 0, 1]) for points in truth]
    distances = np.linalg.norm(found[..., :2] - truth[..., :2], axis=-1) / np.array(heights)[:, None]
    return float(distances[both].mean())


def test_the_joints_of_a_generated_dancer_are_found(dancer: PuppetClip) -> None:
    found, tracker = track(dancer.frames)
    assert (found[..., 2] > 0).any(axis=1).all() and tracker.detections == 1
    assert error(found, dancer.keypoints) < 0.025


def test_joints_move_with_the_picture(dancer: PuppetClip) -> None:
    turn = cv2.getRotationMatrix2D((128, 64), 20, 0.8)
    frame, truth = dancer.frames[0], dancer.keypoints[0].copy()
    truth[:, :2] = truth[:, :2] @ turn[:, :2].T + turn[:, 2]
    found, _ = track(cv2.warpAffine(frame, turn, (256, 128), borderMode=cv2.BORDER_REPLICATE)[None])
    assert error(found, truth[None]) < 0.04


def test_a_larger_picture_gives_the_same_joints_in_its_own_pixels(dancer: PuppetClip) -> None:
    small, _ = track(dancer.frames[:1])
    large, _ = track(cv2.resize(dancer.frames[0], None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)[None])
    assert error(large, small * [3, 3, 1]) < 0.01


def test_the_person_is_lost_and_found_again(dancer: PuppetClip) -> None:
    empty = np.full_like(dancer.frames[:2], 128)
    moved = np.roll(dancer.frames[2:4], 60, axis=2)
    found, tracker = track(np.concatenate([dancer.frames[:2], empty, moved]))
    assert (found[..., 2] > 0).any(axis=1).tolist() == [True, True, False, False, True, True]
    assert not found[2:4].any()
    assert tracker.detections == 2
    assert error(found[4:], dancer.keypoints[2:4] + np.array([60, 0, 0])) < 0.04


def test_of_two_people_the_larger_is_followed(dancer: PuppetClip) -> None:
    small = cv2.resize(dancer.frames[0], None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    frame = np.concatenate([dancer.frames[0], np.pad(small, ((51, 0), (0, 0), (0, 0)), mode="edge")[:128]], axis=1)
    found, _ = track(frame[None])
    assert error(found, dancer.keypoints[:1]) < 0.04


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
