import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cvae.errors import InputError
from cvae.poses.keypoints import to_numbers
from tests.conftest import moving_square, write_pictures
from training.data.folders import open_keypoints, open_poses
from training.data.layout import write_keypoints
from training.data.recordings import Recordings

ROOT = Path(__file__).parents[3]


def test_the_labs_folders_are_read_pixel_by_pixel_in_the_order_of_numbers(lab_folder: Path) -> None:
    frames, poses = moving_square(20)
    recordings = open_poses(lab_folder, "train")
    assert np.array_equal(recordings.frames[:20], frames)
    assert np.array_equal(recordings.conditions[20:], poses)


def test_a_gap_in_the_numbering_is_a_cut_and_is_told(lab_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert open_poses(lab_folder, "train").spans == [(0, 20), (20, 40)]
    assert "train: 1 gap in the numbering is taken as a cut: no 20 to 99." in caplog.messages


def test_ink_is_how_far_a_pose_is_from_white(lab_folder: Path) -> None:
    recordings = open_poses(lab_folder, "train")
    expected = [255 - np.mean(pose.astype(float)) for pose in recordings.conditions]
    assert recordings.ink is not None
    np.testing.assert_allclose(recordings.ink, expected, rtol=1e-5)


def test_frames_are_decoded_once(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_poses(lab_folder, "train")
    monkeypatch.setattr("training.data.cache.read_picture", None)
    again = open_poses(lab_folder, "train", first.size)
    assert np.array_equal(first.frames, again.frames)
    assert isinstance(again.frames, np.memmap)


def test_a_changed_picture_is_decoded_again(lab_folder: Path) -> None:
    open_poses(lab_folder, "train")
    white = np.full((1, 16, 32, 3), 255, np.uint8)
    write_pictures(lab_folder / "train" / "train_img", white, first_number=3)
    assert (open_poses(lab_folder, "train").frames[3] == 255).all()
    assert len(list((lab_folder / ".cache").glob("train_img*.npy"))) == 1


def test_frames_are_resized_to_the_size_asked_for(lab_folder: Path) -> None:
    assert open_poses(lab_folder, "val", (8, 16)).frames.shape == (20, 8, 16, 3)


def test_processes_that_start_at_once_share_one_cache(lab_folder: Path) -> None:
    code = "import sys, pathlib, training.data.folders as f; r = f.open_poses(pathlib.Path(sys.argv[1]), 'train'); "
    command = [sys.executable, "-c", code + "print(r.frames.tobytes().hex())", str(lab_folder)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    frames, _ = moving_square(20)
    assert {process.communicate(timeout=60)[0].strip() for process in processes} == {2 * frames.tobytes().hex()}
    kept = sorted(path.name.split("_16x32")[0] for path in (lab_folder / ".cache").glob("*.npy"))
    assert kept == ["train_img", "train_ink", "train_label"]


def test_what_a_killed_process_left_behind_is_no_frame_and_goes(lab_folder: Path) -> None:
    (lab_folder / ".cache").mkdir()
    (lab_folder / ".cache" / "train_img_16x32_0123456789ab.partial").write_bytes(b"half")
    assert len(open_poses(lab_folder, "train")) == 40
    assert not list((lab_folder / ".cache").glob("*.partial"))


def test_a_damaged_picture_leaves_no_half_of_a_cache(lab_folder: Path) -> None:
    (lab_folder / "train" / "train_img" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with pytest.raises(InputError, match=r'train_img: "7\.png" is damaged'):
        open_poses(lab_folder, "train", (16, 32))
    assert not list((lab_folder / ".cache").glob("train_img*.[np]*"))


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_a_cache_that_was_cut_off_is_made_again(lab_folder: Path, kept: int) -> None:
    whole = open_poses(lab_folder, "train").frames.copy()
    for path in (lab_folder / ".cache").glob("train_[il]*.npy"):
        path.write_bytes(path.read_bytes()[:kept])
    assert np.array_equal(open_poses(lab_folder, "train").frames, whole)


def test_a_full_disk_is_told_with_the_folder_of_the_cache(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"cannot be kept in .*data/\.cache: No space left on device\."):
        open_poses(lab_folder, "train")
    assert not list((lab_folder / ".cache").glob("*.[np]*"))


def test_pictures_too_large_for_any_network_are_refused_before_they_are_decoded(lab_folder: Path) -> None:
    write_pictures(lab_folder / "train" / "train_img", np.zeros((1, 1200, 1600, 3), np.uint8))
    with pytest.raises(InputError, match=r"pictures of 1600x1200 pixels: height is 8 to 1024 .* Give --size\."):
        open_poses(lab_folder, "train")
    assert not (lab_folder / ".cache").exists()


def test_frames_of_a_folder_that_cannot_be_written_are_kept_in_the_users_cache(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lab_folder.chmod(0o555)
    if os.access(lab_folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with caplog.at_level(logging.INFO):
        open_poses(lab_folder, "train")
    lab_folder.chmod(0o755)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 3
    assert "cannot be written; its decoded frames are kept in" in caplog.text


def test_mapped_recordings_are_sent_to_another_process_by_name(lab_folder: Path) -> None:
    recordings = open_poses(lab_folder, "train")
    sent = pickle.dumps(recordings)
    assert len(sent) < 2000 < recordings.frames.nbytes
    assert np.array_equal(pickle.loads(sent).conditions, recordings.conditions)


def test_a_slice_is_sent_as_that_slice(lab_folder: Path) -> None:
    recordings = open_poses(lab_folder, "train")
    some = Recordings(recordings.frames[5:9], recordings.conditions[5:9], [(0, 4)])
    assert np.array_equal(pickle.loads(pickle.dumps(some)).frames, recordings.frames[5:9])


def test_frames_without_a_pose_are_named(lab_folder: Path) -> None:
    for number in (7, 103):
        (lab_folder / "train" / "train_label" / f"{number}.png").unlink()
    with pytest.raises(InputError, match=r"2 frames without a pose or poses without a frame: 7.png, 103.png\."):
        open_poses(lab_folder, "train")


def test_two_pictures_of_one_number_are_refused(lab_folder: Path) -> None:
    frames, _ = moving_square(1)
    write_pictures(lab_folder / "train" / "train_img", frames, first_number=7)
    (lab_folder / "train" / "train_img" / "7.png").rename(lab_folder / "train" / "train_img" / "007.png")
    write_pictures(lab_folder / "train" / "train_img", frames, first_number=7)
    with pytest.raises(InputError, match=r"two pictures of number 7; expected one, 7.png"):
        open_poses(lab_folder, "train")


def test_other_files_are_no_pictures(lab_folder: Path) -> None:
    for name in (".7.png", "7.png.bak", "a7.png", "Thumbs.db"):
        (lab_folder / "train" / "train_img" / name).touch()
    assert len(open_poses(lab_folder, "train")) == 40


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train_img is not there"):
        open_poses(tmp_path, "train")


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "train" / "train_img").mkdir(parents=True)
    with pytest.raises(InputError, match=r"train_img holds no pictures named 0.png"):
        open_poses(tmp_path, "train")


# Key points


def standing(count: int) -> NDArray[np.float64]:
    """Key points in a picture of 16x32, the last joint missing."""
    points = np.random.default_rng(0).uniform(0, 16, (count, 23, 3))
    points[..., 2] = 1
    points[:, -1] = 0
    return points


def test_key_points_are_matched_to_frames_by_number(lab_folder: Path) -> None:
    points = standing(40)
    write_keypoints(lab_folder / "train", [(100, points[20:]), (0, points[:20]), (500, points[:3])])
    recordings = open_keypoints(lab_folder, "train")
    assert recordings.spans == [(0, 20), (20, 40)]
    assert np.array_equal(recordings.conditions, to_numbers(points, (16, 32)))


def test_key_points_are_shares_of_the_picture_on_disk_whatever_size_is_asked_for(lab_folder: Path) -> None:
    write_keypoints(lab_folder / "val", [(0, standing(20))])
    recordings = open_keypoints(lab_folder, "val", (8, 8))
    assert recordings.size == (8, 8)
    assert np.array_equal(recordings.conditions, to_numbers(standing(20), (16, 32)))


def test_changed_key_points_are_read_again(lab_folder: Path) -> None:
    for points in (standing(20), standing(20)[::-1]):
        write_keypoints(lab_folder / "val", [(0, points)])
        assert np.array_equal(open_keypoints(lab_folder, "val").conditions, to_numbers(points, (16, 32)))


def test_frames_without_key_points_are_named(lab_folder: Path) -> None:
    write_keypoints(lab_folder / "val", [(2, standing(17))])
    with pytest.raises(InputError, match=r"data/val has 3 frames without key points: 0\.png, 1\.png, 19\.png\."):
        open_keypoints(lab_folder, "val")
