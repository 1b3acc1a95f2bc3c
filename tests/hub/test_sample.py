"""What the GIF of a card shows, in which order it is looked for, and what its caption says."""

from pathlib import Path

import numpy as np
import pytest

from cvae.borders import BORDER, GIVEN, PREDICTED, TRUE
from cvae.checkpoint import load_checkpoint
from cvae.export import write_gif
from cvae.reader import ClipReader
from hub import sample
from hub.sample import write_sample
from tests.hub.robot import save_robot
from tests.training.robot_data import robot_rows, write_trajectory

SIDE, BESIDE = 16, 2 * (16 + 2 * BORDER)


def shown(path: Path) -> np.ndarray:
    with ClipReader(path) as reader:
        return np.stack(list(reader))


def left_by(folder: Path, name: str) -> Path:
    write_gif(folder / name, np.zeros((12, 20, 40, 3), np.uint8), 5)
    return folder / name


@pytest.fixture
def robots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bundled examples: one of too few frames, one that is longer than the sample."""
    monkeypatch.setattr(sample, "_ROBOTS", tmp_path / "robots")
    write_trajectory(tmp_path / "robots" / "1-short", robot_rows(2))
    return write_trajectory(tmp_path / "robots" / "2-long", robot_rows(20)).parent


@pytest.mark.parametrize("condition", ["actions", "none"])
def test_a_robot_that_nobody_measured_is_shown_on_an_example_beside_the_truth(
    robots: Path, tmp_path: Path, condition: str
) -> None:
    folder = save_robot(tmp_path / "robot", condition=condition)
    told = write_sample(tmp_path / "sample.gif", load_checkpoint(folder), folder, None)
    assert told == (
        "A robot, one of the examples that come with Marionette: left what is predicted from its first 2 frames, right "
        "the truth. Given frames have a green border, predicted ones a red one, true ones a grey one."
    )
    frames = shown(tmp_path / "sample.gif")
    scale = frames.shape[2] // BESIDE
    assert frames.shape == (15, scale * BESIDE // 2, scale * BESIDE, 3)
    for t, row in enumerate(frames[:, 0].astype(int)):
        for pixel, colour in ((row[0], GIVEN if t < 2 else PREDICTED), (row[-1], TRUE)):
            assert abs(pixel - colour).max() < 8


def test_there_is_no_sample_where_no_example_fits(robots: Path, tmp_path: Path) -> None:
    for changes in ({"past_frames": 20}, {"condition": "keypoints"}):
        folder = save_robot(tmp_path / "robot", **changes)
        assert write_sample(tmp_path / "sample.gif", load_checkpoint(folder), folder, None) is None
    assert not (tmp_path / "sample.gif").exists()


def test_a_robot_whose_training_left_a_sample_is_shown_by_it_and_its_columns_told(tmp_path: Path) -> None:
    folder = save_robot(tmp_path / "robot")
    left = left_by(folder, "sample.gif")
    told = write_sample(tmp_path / "sample.gif", load_checkpoint(folder), folder, None)
    assert (tmp_path / "sample.gif").read_bytes() == left.read_bytes()
    assert told is not None and "two columns of each: what is predicted from its first 2 frames" in told


def test_a_robot_that_was_measured_is_shown_by_a_gif_of_it(tmp_path: Path) -> None:
    folder = save_robot(tmp_path / "robot")
    left_by(folder, "sample.gif")
    for samples, columns in ((1, "left what is predicted"), (100, "samples of what is predicted")):
        measured = left_by(tmp_path, "0.gif")
        told = write_sample(tmp_path / "sample.gif", load_checkpoint(folder), folder, measured, samples)
        assert told is not None and told.startswith(f"The beginning of a sequence that it was measured on: {columns}")
        assert len(shown(tmp_path / "sample.gif")) == 12
