from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from cvae.errors import InputError
from tests.conftest import moving_square, write_pictures
from training.data import Clips, ClipSampler, Recordings, collate, open_split, to_batch


def test_the_labs_folders_are_read_pixel_by_pixel_in_the_order_of_numbers(lab_folder: Path) -> None:
    frames, poses = moving_square(20)
    recordings = open_split(lab_folder, "train")
    assert np.array_equal(recordings.frames[:20], frames)
    assert np.array_equal(recordings.poses[20:], poses)


def test_a_gap_in_the_numbering_is_a_cut(lab_folder: Path) -> None:
    assert open_split(lab_folder, "train").spans == [(0, 20), (20, 40)]


def test_frames_are_decoded_once(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_split(lab_folder, "train")
    monkeypatch.setattr("training.folders.read_picture", None)
    again = open_split(lab_folder, "train", first.size)
    assert np.array_equal(first.frames, again.frames)


def test_a_changed_picture_is_decoded_again(lab_folder: Path) -> None:
    open_split(lab_folder, "train")
    white = np.full((1, 16, 32, 3), 255, np.uint8)
    write_pictures(lab_folder / "train" / "train_img", white, first_number=3)
    assert (open_split(lab_folder, "train").frames[3] == 255).all()


def test_frames_are_resized_to_the_size_asked_for(lab_folder: Path) -> None:
    assert open_split(lab_folder, "val", (8, 16)).frames.shape == (20, 8, 16, 3)


def test_a_frame_without_a_pose_is_named(lab_folder: Path) -> None:
    (lab_folder / "train" / "train_label" / "7.png").unlink()
    with pytest.raises(InputError, match=r"1 frames without a pose or poses without a frame: 7.png"):
        open_split(lab_folder, "train")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train_img is not there"):
        open_split(tmp_path, "train")


def recordings_of(*lengths: int) -> Recordings:
    frames = np.arange(sum(lengths), dtype=np.uint8)[:, None, None, None] + np.zeros((1, 2, 2, 3), np.uint8)
    ends = np.cumsum(lengths).tolist()
    return Recordings(frames, frames, list(zip([0, *ends[:-1]], ends, strict=True)))


def test_clips_never_cross_a_cut_and_every_start_is_drawn() -> None:
    recordings = recordings_of(5, 2, 4)
    drawn = list(islice(ClipSampler(recordings, length=3, person_weight=0, seed=0), 500))
    assert {start for start, _ in drawn} == {0, 1, 2, 7, 8}
    for start, reference in drawn:
        a, b = next(span for span in recordings.spans if span[0] <= start < span[1])
        assert start + 3 <= b
        assert a <= reference < b


def test_clips_with_more_of_the_person_are_drawn_more_often() -> None:
    recordings = recordings_of(100)
    recordings.poses[:] = 255
    recordings.poses[:50] = 128
    drawn = [start for start, _ in islice(ClipSampler(recordings, 2, person_weight=3.0, seed=0), 4000)]
    share = np.mean(np.array(drawn) < 50)
    assert 0.8 < share < 0.92  # weights 1 + 3 * 2 against 1


def test_too_short_recordings_are_refused_with_both_lengths() -> None:
    with pytest.raises(InputError, match="longest recording has 4 frames; a clip needs 9"):
        ClipSampler(recordings_of(4, 2), length=9, person_weight=0, seed=0)


def test_a_batch_holds_the_reference_then_consecutive_frames_as_floats() -> None:
    clips = Clips(recordings_of(10), length=3)
    batch = to_batch(*collate([clips[(4, 9)], clips[(0, 2)]]))
    assert batch.frames.shape == (2, 3, 3, 2, 2)
    assert (batch.frames[0, :, 0, 0, 0] * 255).tolist() == pytest.approx([4, 5, 6])
    assert (batch.reference[:, 0, 0, 0] * 255).tolist() == pytest.approx([9, 2])
    assert torch.equal(batch.poses, batch.frames)
