import logging
from pathlib import Path

import numpy as np
import pytest

from cvae.config import PoseCVAEConfig
from cvae.errors import InputError
from tests.conftest import moving_square, write_pictures
from training.evaluation.sequences import open_sequences

COUNT = 12
SIZE = (16, 32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    frames, poses = moving_square(COUNT)
    for name, step in (("9", 1), ("10", -1)):
        write_pictures(tmp_path / "test" / "test_img" / name, frames[::step][:1])
        write_pictures(tmp_path / "test" / "test_label" / name, poses[::step])
        write_pictures(tmp_path / "test" / "test_gt" / name, frames[::step])
    return tmp_path


def test_test_sequences_are_read_with_their_truth_in_the_order_of_their_numbers(data: Path) -> None:
    sequences = {sequence.name: sequence for sequence in open_sequences(data, "test", SIZE, PoseCVAEConfig())}
    frames, poses = moving_square(COUNT)
    assert list(sequences) == ["9", "10"]
    assert sequences["10"].truth is not None
    assert np.array_equal(sequences["10"].truth[:], frames[::-1])
    assert np.array_equal(sequences["9"].conditions[3:5], poses[3:5])
    assert np.array_equal(sequences["10"].given, frames[-1:])


def test_pictures_are_resized_to_what_the_network_takes(data: Path) -> None:
    sequence = open_sequences(data, "test", (32, 16), PoseCVAEConfig())[0]
    assert sequence.conditions[:2].shape == (2, 32, 16, 3)
    assert sequence.given.shape == (1, 32, 16, 3)


def test_the_first_frame_is_that_of_the_truth_where_it_lies_nowhere_else(data: Path) -> None:
    (data / "test" / "test_img" / "9" / "0.png").unlink()
    assert np.array_equal(open_sequences(data, "test", SIZE, PoseCVAEConfig())[0].given, moving_square(1)[0])


def test_the_truth_may_leave_out_the_given_frame(data: Path) -> None:
    (data / "test" / "test_gt" / "9" / "0.png").unlink()
    truth = open_sequences(data, "test", SIZE, PoseCVAEConfig())[0].truth
    assert truth is not None
    assert np.array_equal(truth[:], moving_square(COUNT)[0])


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (["test_gt/10/5.png"], r"test_gt/10 lacks 1 of 12 pictures, the first is 5\.png"),
        (["test_label/9/7.png", "test_label/9/3.png"], r"test_label/9 lacks 2 of 12 pictures, the first is 3\.png"),
        (["test_img/9/0.png", "test_gt/9/0.png"], r"Sequence 9 has no first frame; expected test_img/9/0\.png"),
        ([f"test_label/9/{n}.png" for n in range(1, COUNT)], "test_label/9 has 1 poses .* expected two or more"),
        ([f"test_label/9/{n}.png" for n in range(COUNT)], "test_label/9 has 0 poses .* expected two or more"),
    ],
)
def test_what_a_sequence_lacks_is_named(data: Path, missing: list[str], message: str) -> None:
    for name in missing:
        (data / "test" / name).unlink()
    with pytest.raises(InputError, match=message):
        open_sequences(data, "test", SIZE, PoseCVAEConfig())


@pytest.mark.parametrize("stray", ["20231115093000", "9" * 40, "٥"])
def test_a_stray_picture_named_by_no_number_of_the_sequence_ends_in_a_sentence_or_nothing(
    data: Path, stray: str
) -> None:
    folder = data / "test" / "test_label" / "9"
    (folder / f"{stray}.png").write_bytes((folder / "5.png").read_bytes())
    if stray.startswith("2"):
        with pytest.raises(InputError, match=r"the first is 12\.png; the last that is there is 20231115093000\.png"):
            open_sequences(data, "test", SIZE, PoseCVAEConfig())
    else:
        assert [len(sequence) for sequence in open_sequences(data, "test", SIZE, PoseCVAEConfig())] == [COUNT, COUNT]


def test_a_damaged_picture_of_a_sequence_is_named_with_its_folder(data: Path) -> None:
    (data / "test" / "test_gt" / "9" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    truth = open_sequences(data, "test", SIZE, PoseCVAEConfig())[0].truth
    assert truth is not None
    with pytest.raises(InputError, match=r'test_gt/9: "7\.png" is damaged'):
        truth[4:8]


def test_a_folder_without_sequences_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"test_label holds no sequences; expected folders 0, 1"):
        open_sequences(tmp_path, "test", SIZE, PoseCVAEConfig())


def test_recordings_of_the_validation_split_are_sequences_and_single_frames_are_left_out_aloud(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frames, poses = moving_square(COUNT)
    for start, count in ((0, COUNT), (50, 1), (100, 4)):
        write_pictures(tmp_path / "val" / "val_img", frames[:count], start)
        write_pictures(tmp_path / "val" / "val_label", poses[:count], start)
    with caplog.at_level(logging.INFO):
        sequences = open_sequences(tmp_path, "val", SIZE, PoseCVAEConfig())
    assert [len(sequence) for sequence in sequences] == [COUNT, 4]
    assert "val: 1 recordings of fewer than 2 frames are left out" in caplog.text
