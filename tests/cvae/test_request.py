from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses.keypoints import Keypoints
from cvae.poses.openpose import write_openpose
from cvae.poses.person import find_person
from cvae.poses.skeleton import draw_skeletons
from cvae.poses.source import Poses
from cvae.request import make_request, read_request
from cvae.video import Clip
from tests.conftest import write_pictures
from training.puppets.clip import PuppetClip

SIZE = (64, 128)


def from_points(points: np.ndarray, canvas: tuple[float, float] | None) -> Poses:
    keypoints = Keypoints(points=points, canvas=canvas)
    return Poses(title="key points", content=keypoints)


def test_a_video_of_a_person_brings_first_frame_and_truth(video: Path, dancer: PuppetClip) -> None:
    request = read_request(None, video, size=SIZE)
    assert request.truth is not None and request.truth.shape == request.poses.shape == (12, *SIZE, 3)
    np.testing.assert_array_equal(request.given[0], request.truth[0])
    assert request.fps == 25
    expected = draw_skeletons(dancer.keypoints * [0.5, 0.5, 1], SIZE).astype(float)
    blank = np.full_like(expected, 255)
    assert np.square(request.poses - expected).mean() < 0.6 * np.square(blank - expected).mean()


def test_another_first_frame_is_driven_by_fitted_poses_without_truth(
    video: Path, dancer: PuppetClip, tmp_path: Path
) -> None:
    other = cv2.resize(np.roll(dancer.frames[0], -20, axis=1), (512, 256), interpolation=cv2.INTER_CUBIC)
    first_frame = write_pictures(tmp_path, other[None]) / "0.png"
    own = read_request(None, video, size=SIZE)
    request = read_request(first_frame, video, size=SIZE)
    assert request.truth is None
    shifted = np.roll(own.poses, -10, axis=2).astype(int)  # the same person, ten pixels further to the left
    assert np.abs(request.poses - shifted).mean() < 0.5 * np.abs(own.poses - shifted).mean()
    target = find_person(other) * [0.25, 0.25, 1]
    np.testing.assert_array_equal(request.poses[0], draw_skeletons(target[None], SIZE)[0])  # the first frame's own
    kept = read_request(first_frame, video, size=SIZE, retarget=False)
    np.testing.assert_array_equal(kept.poses, own.poses)


def test_where_a_photo_is_fitted_its_own_window_is_told_and_not_that_of_the_driver(
    video: Path, dancer: PuppetClip, tmp_path: Path
) -> None:
    size = (64, 64)
    first_frame = write_pictures(tmp_path, cv2.resize(dancer.frames[:1][0], (300, 128))[None]) / "0.png"
    driver = 'Of "dance.mp4" the part around the person is used: 50% of its width, 100% of its height.'
    photo = "Of the first frame the part around the person is used: 43% of its width, 100% of its height."
    assert driver in read_request(None, video, size=size).notes
    fitted = read_request(first_frame, video, size=size).notes
    assert photo in fitted and driver not in fitted
    kept = read_request(first_frame, video, size=size, retarget=False).notes
    assert driver in kept and photo not in kept


def test_it_is_told_when_fitted_poses_leave_the_picture(dancer: PuppetClip) -> None:
    still, jump = dancer.keypoints[:1], dancer.keypoints[:1] + [0, 60, 0] * (dancer.keypoints[:1, :, 2:] > 0)
    came = from_points(np.concatenate([still, still, jump, still, jump]), None)
    assert make_request(dancer.frames[0], came, size=SIZE, retarget=True).notes == (
        "In 2 of 5 frames the person is partly or all outside of the picture.",
    )


def test_key_points_are_fitted_when_asked_to(dancer: PuppetClip) -> None:
    picture = dancer.frames[0]
    driver = dancer.keypoints * [0.5, 0.5, 1] + [100, 30, 0]
    driver = np.where(dancer.keypoints[..., 2:] > 0, driver, 0)
    request = make_request(picture, from_points(driver, None), size=SIZE, retarget=True)
    straight = make_request(picture, from_points(dancer.keypoints, (128, 256)), size=SIZE)
    far = make_request(picture, from_points(driver, (128, 256)), size=SIZE)
    assert (
        np.abs(request.poses.astype(int) - straight.poses).mean()
        < 0.5 * np.abs(far.poses.astype(int) - straight.poses).mean()
    )


def test_to_their_own_first_frame_poses_are_not_fitted(video: Path) -> None:
    own, asked = read_request(None, video, size=SIZE), read_request(None, video, size=SIZE, retarget=True)
    np.testing.assert_array_equal(asked.poses, own.poses)
    np.testing.assert_array_equal(asked.given, own.given)


@pytest.mark.parametrize(
    ("canvas", "notes"),
    [
        ((64, 64), ("The poses are resized from 64x64 to 128x64 (width x height), which changes the proportions.",)),
        ((640, 1280), ()),
        ((1, 1), ()),
    ],
)
def test_poses_of_another_shape_are_told(
    dancer: PuppetClip, canvas: tuple[float, float], notes: tuple[str, ...]
) -> None:
    points = dancer.keypoints * [canvas[1] / 256, canvas[0] / 128, 1]
    first_frame = dancer.frames[0, ::2, ::2]
    assert make_request(first_frame, from_points(points, canvas), size=SIZE).notes == notes


def test_a_first_frame_of_another_shape_is_told(dancer: PuppetClip) -> None:
    request = make_request(dancer.frames[0, :, 64:192], from_points(dancer.keypoints, (128, 256)), size=SIZE)
    expected = "The first frame is resized from 128x128 to 128x64 (width x height), which changes the proportions."
    assert request.notes == (expected,)


def test_reading_of_the_truth_can_be_watched(dancer: PuppetClip, tmp_path: Path) -> None:
    truth, seen = write_pictures(tmp_path / "truth", dancer.frames), []
    make_request(
        dancer.frames[0],
        from_points(dancer.keypoints, (128, 256)),
        truth,
        size=SIZE,
        watch=lambda done, promised: seen.append((done, promised)),
    )
    assert seen == [(done, 12) for done in range(1, 13)]


def test_key_points_without_a_canvas_belong_to_the_first_frame(dancer: PuppetClip) -> None:
    request = make_request(dancer.frames[0], from_points(dancer.keypoints, None), size=SIZE)
    np.testing.assert_array_equal(request.poses, draw_skeletons(dancer.keypoints * [0.5, 0.5, 1], SIZE))


def test_key_points_of_a_larger_picture_are_refused(dancer: PuppetClip) -> None:
    small = cv2.resize(dancer.frames[0], (64, 32), interpolation=cv2.INTER_AREA)
    with pytest.raises(InputError, match=r"reach .* to x [\d.]+ and y [\d.]+, outside of the first frame of 64x32"):
        make_request(small, from_points(dancer.keypoints, None), size=SIZE)


@pytest.mark.parametrize(("outside", "is_refused"), [(1, False), (3, True)])
def test_a_tenth_of_the_joints_may_lie_outside_of_the_first_frame_but_not_a_third(
    dancer: PuppetClip, outside: int, is_refused: bool
) -> None:
    points = np.zeros((2, 23, 3))
    points[:, :10] = (30, 30, 1)
    points[:, :outside, 0] = 140
    came, first_frame = from_points(points, None), dancer.frames[0, ::2, ::2]
    if is_refused:
        with pytest.raises(InputError, match=r"reach .* to x 140 and y 30, outside of the first frame of 128x64"):
            make_request(first_frame, came, size=SIZE)
    else:
        assert len(make_request(first_frame, came, size=SIZE).poses) == 2


@pytest.mark.parametrize("shift", [400, -400])
def test_key_points_outside_of_the_canvas_they_name_are_refused(dancer: PuppetClip, shift: float) -> None:
    moved = np.where(dancer.keypoints[..., 2:] > 0, np.add(dancer.keypoints, [shift, 0, 0]), 0)
    with pytest.raises(InputError, match=r"reach from x -?[\d.]+ and .*, outside of the canvas of 256x128 pixels that"):
        make_request(dancer.frames[0], from_points(moved, (128, 256)), size=SIZE)


def test_skeleton_pictures_cannot_be_fitted(dancer: PuppetClip) -> None:
    drawn = Poses(title="skeletons on white", content=Clip(frames=dancer.poses, fps=None))
    with pytest.raises(InputError, match="cannot be fitted to another person; give key points"):
        make_request(dancer.frames[0], drawn, size=(128, 256), retarget=True)


def test_only_a_video_of_a_person_can_do_without_a_first_frame(dancer: PuppetClip, tmp_path: Path) -> None:
    write_openpose(tmp_path / "a", dancer.keypoints, (128, 256))
    with pytest.raises(InputError, match="There is no first frame, and the poses are key points"):
        read_request(None, tmp_path / "a", size=SIZE)


def filmed(dancer: PuppetClip) -> Poses:
    """What is found in the dancer's video."""
    return Poses(
        title="a video of a person",
        content=Keypoints(points=dancer.keypoints, canvas=dancer.frames.shape[1:3]),
        video=dancer.frames,
    )


def test_a_network_of_several_past_frames_takes_them_from_the_video_of_the_person(dancer: PuppetClip) -> None:
    request = make_request(None, filmed(dancer), size=dancer.frames.shape[1:3], as_numbers=True, past_frames=3)
    np.testing.assert_array_equal(request.given, dancer.frames[:3])
    assert request.future == len(dancer.frames) - 3


def test_a_picture_does_not_do_for_several_past_frames(dancer: PuppetClip) -> None:
    with pytest.raises(InputError, match="begins with 2 frames of the person, and one was given; expected a video"):
        make_request(dancer.frames[0], filmed(dancer), size=SIZE, as_numbers=True, past_frames=2)


def test_there_must_be_more_poses_than_past_frames(dancer: PuppetClip) -> None:
    size = dancer.frames.shape[1:3]
    with pytest.raises(InputError, match="There are 12 poses; expected more than the 12 frames that are given"):
        make_request(None, filmed(dancer), size=size, as_numbers=True, past_frames=len(dancer.frames))
