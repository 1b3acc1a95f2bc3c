from pathlib import Path

import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses.formats import to_edn
from cvae.poses.keypoints import Keypoints
from cvae.poses.openpose import write_openpose
from cvae.poses.skeleton import draw_skeletons
from cvae.poses.source import read_poses
from cvae.video import Clip
from tests.conftest import moving_square, write_pictures
from tests.cvae.media import encode_mp4, save_animation
from tests.cvae.poses.coco_drawings import draw_coco, standing
from training.puppets.clip import PuppetClip

SIZE = (64, 128)


def test_skeletons_on_white_are_taken_as_they_are(dancer: PuppetClip, tmp_path: Path) -> None:
    pictures = draw_skeletons(dancer.keypoints * [0.5, 0.5, 1], SIZE)
    poses = read_poses(save_animation(tmp_path / "poses.webp", pictures, lossless=True, duration=40), size=SIZE)
    assert isinstance(poses.content, Clip) and poses.video is None
    np.testing.assert_array_equal(poses.content.frames, pictures)
    assert (poses.title, poses.count, poses.fps) == ("skeletons on white", 12, 25)


def test_key_points_are_taken_without_drawing(dancer: PuppetClip, tmp_path: Path) -> None:
    write_openpose(tmp_path / "a", dancer.keypoints, (128, 256))
    poses = read_poses(tmp_path / "a", size=SIZE)
    assert isinstance(poses.content, Keypoints) and poses.title == "key points" and poses.count == 12
    np.testing.assert_array_equal(poses.content.at((128, 256)), dancer.keypoints)


def test_in_a_video_of_a_person_the_poses_are_found(dancer: PuppetClip, tmp_path: Path) -> None:
    path = encode_mp4(tmp_path / "skeletons on white.png", dancer.frames, "-f", "mp4")
    poses = read_poses(path, size=SIZE)
    assert poses.title == "a video of a person" and poses.fps == 25
    assert poses.video is not None and poses.video.shape == (12, *SIZE, 3)
    assert isinstance(poses.content, Keypoints) and poses.content.canvas == SIZE
    both = (poses.content.points[..., 2] > 0) & (dancer.keypoints[..., 2] > 0)
    distance = np.linalg.norm(poses.content.points[..., :2] - dancer.keypoints[..., :2] / 2, axis=-1)
    assert distance[both].mean() < 1.5


@pytest.mark.parametrize("level", [0, 255])
def test_a_video_that_begins_with_a_long_blank_is_still_one_of_a_person(
    dancer: PuppetClip, tmp_path: Path, level: int
) -> None:
    blank = np.full((50, *dancer.frames.shape[1:]), level, np.uint8)
    poses = read_poses(encode_mp4(tmp_path / "a.mp4", np.concatenate([blank, dancer.frames])), size=SIZE)
    assert poses.title == "a video of a person" and poses.count == 12
    assert poses.notes == ('The first 50 frames of "a.mp4" show no person and are left out.',)


def test_a_long_look_at_nothing_can_be_ended(tmp_path: Path) -> None:
    def end(done: int, _: int | None) -> None:
        if done == 60:
            raise KeyboardInterrupt

    blank = encode_mp4(tmp_path / "a.mp4", np.zeros((100, *SIZE, 3), np.uint8))
    with pytest.raises(KeyboardInterrupt):
        read_poses(blank, size=SIZE, watch=end)


def test_blank_pictures_are_not_taken_for_poses_without_a_word(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'"black" is black all over; expected pictures of skeletons'):
        read_poses(write_pictures(tmp_path / "black", np.zeros((3, *SIZE, 3), np.uint8)), size=SIZE)
    poses = read_poses(write_pictures(tmp_path / "white", np.full((3, *SIZE, 3), 255, np.uint8)), size=SIZE)
    (note,) = poses.notes
    assert note == 'Hardly anything is to be seen in the poses: "white" is white, or nearly so, all over.'


def test_skeletons_on_black_become_key_points(tmp_path: Path) -> None:
    coco = np.stack([standing() + np.array([shift, 0, 0]) for shift in (0, 10, 20)])
    poses = read_poses(encode_mp4(tmp_path / "a.mp4", np.stack([draw_coco(points) for points in coco])), size=SIZE)
    assert (poses.title, poses.fps) == ("skeletons on black", 25)
    assert isinstance(poses.content, Keypoints) and poses.content.canvas == (512, 512)
    expected = to_edn(coco)
    np.testing.assert_array_equal(poses.content.points[..., 2] > 0, expected[..., 2] > 0)
    assert np.linalg.norm(poses.content.points[..., :2] - expected[..., :2], axis=-1).mean() < 3
    assert poses.notes[0] == 'The skeletons of "a.mp4" are drawn on black (COCO-18); they are redrawn on white.'


def test_what_is_drawn_on_black_and_no_skeleton_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected skeletons of 18 joints"):
        read_poses(write_pictures(tmp_path / "a", 255 - moving_square(3)[1]), size=SIZE)


def test_what_holds_no_poses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("poses")
    with pytest.raises(
        InputError, match=r'"a.txt" is text; expected pictures of skeletons, a video of a person .* or key points'
    ):
        read_poses(tmp_path / "a.txt", size=SIZE)
    with pytest.raises(InputError, match="No person was found"):
        read_poses(write_pictures(tmp_path / "a", np.full((3, 64, 64, 3), 128, np.uint8)), size=SIZE)
