from pathlib import Path

import cv2
import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses.person import find_person, read_person
from cvae.reader import Span
from tests.conftest import moving_square, write_pictures
from tests.cvae.media import encode_mp4
from training.puppets.clip import PuppetClip


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of joints seen in both, pixels."""
    both = (found[..., 2] > 0) & (truth[..., 2] > 0)
    assert both.sum() > 0.7 * (truth[..., 2] > 0).sum()
    return float(np.linalg.norm(found[..., :2] - truth[..., :2], axis=-1)[both].mean())


@pytest.fixture(scope="module")
def video(dancer: PuppetClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encode_mp4(tmp_path_factory.mktemp("video") / "dance.mp4", dancer.frames, "-crf", "10")


def test_frames_and_key_points_of_a_video_belong_together(video: Path, dancer: PuppetClip) -> None:
    seen: list[tuple[int, int | None]] = []
    person = read_person(video, watch=lambda done, promised: seen.append((done, promised)))
    assert person.frames.shape == dancer.frames.shape and person.fps == 25 and person.notes == ()
    assert np.abs(person.frames.astype(int) - dancer.frames).mean() < 4
    assert error(person.points, dancer.keypoints) < 3
    assert seen == [(done, 12) for done in range(1, 13)]
    assert not np.diff(person.pieces).any()


def test_another_size_takes_the_part_around_the_person(video: Path, dancer: PuppetClip) -> None:
    person = read_person(video, size=(64, 64))
    assert person.frames.shape == (12, 64, 64, 3)
    middle = dancer.keypoints[dancer.keypoints[..., 2] > 0][:, 0]
    left = min(max(0, round((middle.min() + middle.max()) / 2) - 64), 128)
    assert error(person.points, (dancer.keypoints - [left, 0, 0]) * [0.5, 0.5, 1]) < 3
    assert any("the part around the person is used: 50% of its width" in note for note in person.notes)


def test_rate_and_part_can_be_chosen(video: Path) -> None:
    whole, part = read_person(video), read_person(video, fps=12.5, span=Span(start=0.16, end=0.4))
    assert len(part.frames) == 3 and part.fps == 12.5
    np.testing.assert_array_equal(part.frames, whole.frames[[4, 6, 8]])


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
    assert any("filled up with black" in note for note in person.notes)


def test_a_video_of_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'No person was found in the 3 frames of "a"; expected a video of a person'):
        read_person(write_pictures(tmp_path / "a", moving_square(3)[0]))


def test_nobody_in_a_first_frame_is_said() -> None:
    with pytest.raises(InputError, match="No person was found in the first frame"):
        find_person(moving_square(1)[0][0])
