from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.errors import InputError
from cvae.inputs import Limits
from cvae.poses.blazepose import PoseTracker
from cvae.poses.person import find_person, read_person
from cvae.poses.smoothing import smooth
from cvae.poses.weights import find_weights
from cvae.reader import Span
from tests.conftest import joint_error, moving_square, write_pictures
from tests.cvae.media import encode_mp4
from training.puppets.clip import PuppetClip


def test_frames_and_key_points_of_a_video_belong_together(video: Path, dancer: PuppetClip) -> None:
    seen: list[tuple[int, int | None]] = []
    person = read_person(video, watch=lambda done, promised: seen.append((done, promised)))
    assert person.frames.shape == dancer.frames.shape and person.fps == 25 and person.notes == ()
    assert np.abs(person.frames.astype(int) - dancer.frames).mean() < 4
    assert joint_error(person.points, dancer.keypoints) < 0.025
    assert seen == [(done, 12) for done in range(1, 13)]
    assert not np.diff(person.pieces).any()


def test_found_joints_are_smoothed_over_time(video: Path) -> None:
    person = read_person(video)
    tracker = PoseTracker(find_weights())
    raw = np.stack([tracker.find(frame) for frame in person.frames])
    np.testing.assert_allclose(person.points, smooth(raw, np.arange(12) / 25, np.ones(12)), atol=1e-6)
    assert np.abs(person.points - raw).max() > 0.2


def test_what_cannot_be_kept_is_refused_at_its_first_frame(video: Path) -> None:
    seen: list[int] = []
    with pytest.raises(InputError, match=r"more than the 300000 pixels .* fewer frames or a smaller size"):
        read_person(
            video, size=(128, 256), limits=Limits(max_kept_pixels=300_000), watch=lambda done, _: seen.append(done)
        )
    assert seen == []


def test_frames_that_are_repeated_count_as_kept_too(video: Path) -> None:
    limits = Limits(max_kept_pixels=500_000)  # all frames have 393,216
    with pytest.raises(InputError, match=r"more than the 500000 pixels .* --size, --fps, --start and --end"):
        read_person(video, fps=50, size=(128, 256), limits=limits)


@pytest.mark.parametrize(("fps", "size"), [(None, (128, 128)), (12.5, (128, 256)), (10, (120, 240))])
def test_where_both_do_not_fit_frames_are_cut_in_their_own_place(
    video: Path, fps: float | None, size: tuple[int, int]
) -> None:
    copied = read_person(video, fps=fps, size=size)
    in_place = read_person(video, fps=fps, size=size, limits=Limits(max_kept_pixels=400_000))
    np.testing.assert_array_equal(in_place.frames, copied.frames)


def test_of_a_long_video_smaller_pictures_are_kept_where_no_size_is_asked_for(video: Path) -> None:
    person = read_person(video, limits=Limits(max_kept_pixels=100_000))
    height, width = person.frames.shape[1:3]
    assert 80_000 < 12 * height * width <= 100_000 and width == pytest.approx(2 * height, abs=2)
    assert f'"{video.name}" is so long that its frames are kept at {width}x{height} pixels.' in person.notes


def test_another_size_takes_the_part_around_the_person(video: Path, dancer: PuppetClip) -> None:
    person = read_person(video, size=(64, 64))
    assert person.frames.shape == (12, 64, 64, 3)
    middle = dancer.keypoints[dancer.keypoints[..., 2] > 0][:, 0]
    left = min(max(0, round((middle.min() + middle.max()) / 2) - 64), 128)
    assert joint_error(person.points, (dancer.keypoints - [left, 0, 0]) * [0.5, 0.5, 1]) < 0.025
    assert any("the part around the person is used: 50% of its width" in note for note in person.frame_notes)


def test_rate_and_part_can_be_chosen(video: Path) -> None:
    whole, part = read_person(video), read_person(video, fps=12.5, span=Span(start=0.16, end=0.4))
    assert len(part.frames) == 3 and part.fps == 12.5
    np.testing.assert_array_equal(part.frames, whole.frames[[4, 6, 8]])


def test_what_is_told_of_a_part_says_so(dancer: PuppetClip, tmp_path: Path) -> None:
    frames = np.concatenate([np.full_like(dancer.frames[:6], 128), dancer.frames[:2]])
    person = read_person(encode_mp4(tmp_path / "a.mp4", frames), span=Span(start=0.08, end=0.32))
    assert person.notes == (
        'The first 4 frames of "a.mp4" (from 0.08 to 0.32 seconds) show no person and are left out.',
    )


def test_it_begins_with_the_first_frame_that_shows_a_person(dancer: PuppetClip, tmp_path: Path) -> None:
    empty = np.full_like(dancer.frames[:3], 128)
    folder = write_pictures(tmp_path / "a", np.concatenate([empty, dancer.frames[:2], empty[:1], dancer.frames[2:3]]))
    person = read_person(folder)
    np.testing.assert_array_equal(person.frames[0], dancer.frames[0])
    assert len(person.frames) == 4 and person.fps is None
    assert (person.points[..., 2] > 0).any(axis=1).tolist() == [True, True, False, True]
    assert person.pieces[3] > person.pieces[1]
    assert person.notes == (
        'The first 3 frames of "a" show no person and are left out.',
        'In 1 of 4 frames of "a" no person was found.',
    )


def test_large_pictures_are_kept_smaller(dancer: PuppetClip, tmp_path: Path) -> None:
    large = cv2.resize(dancer.frames[0], (1200, 600))[None]
    assert read_person(write_pictures(tmp_path / "a", large)).frames.shape == (1, 256, 512, 3)


def test_a_tall_video_is_filled_up_with_black(dancer: PuppetClip, tmp_path: Path) -> None:
    seen = dancer.keypoints[0][dancer.keypoints[0, :, 2] > 0][:, 0]
    tall = dancer.frames[:1, :, int(seen.min()) - 8 : int(seen.max()) + 8]
    person = read_person(write_pictures(tmp_path / "a", tall), size=(64, 128))
    assert person.frames.shape == (1, 64, 128, 3)
    assert not person.frames[:, :, [0, -1]].any()
    assert any("Black is added at the edges" in note for note in person.frame_notes)


def test_a_strip_is_refused_before_it_grows(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "a", np.full((1, 1, 4000, 3), 90, np.uint8))
    with pytest.raises(InputError, match=r'"a" is 4000x1 pixels; .* one side at most 8 times the other'):
        read_person(folder, size=(64, 128))
    with pytest.raises(InputError, match="The first frame is 4000x1 pixels"):
        find_person(np.full((1, 4000, 3), 90, np.uint8))


def test_pictures_that_differ_in_size_are_named_with_the_size_they_have(dancer: PuppetClip, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "a", cv2.resize(dancer.frames[0], (1200, 600))[None])
    write_pictures(folder, cv2.resize(dancer.frames[0], (1200, 604))[None], first_number=1)
    with pytest.raises(InputError, match=r'"0\.png" is 1200x600 and "1\.png" is 1200x604'):
        read_person(folder)


def test_a_video_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'No person was found in the 3 frames of "a"; expected a video of a person'):
        read_person(write_pictures(tmp_path / "a", moving_square(3)[0]))


def test_nobody_in_a_first_frame_is_said() -> None:
    with pytest.raises(InputError, match="No person was found in the first frame"):
        find_person(moving_square(1)[0][0])
