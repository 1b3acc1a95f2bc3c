from pathlib import Path

import numpy as np
import pytest

from cvae.config import Condition
from cvae.errors import InputError
from tests.training.robot_data import write_robot
from training.data.layout import write_keypoints
from training.data.splits import open_split


@pytest.fixture
def robot(tmp_path: Path) -> Path:
    return write_robot(tmp_path / "robot")


def test_poses_are_pictures(lab_folder: Path) -> None:
    assert open_split(lab_folder, "train").conditions.shape == (40, 16, 32, 3)


def test_keypoints_are_numbers_beside_the_labs_frames(lab_folder: Path) -> None:
    write_keypoints(lab_folder / "val", [(0, np.ones((20, 23, 3)))])
    recordings = open_split(lab_folder, "val", condition="keypoints")
    assert recordings.conditions.shape == (20, 69) and recordings.frames.shape == (20, 16, 32, 3)


def test_actions_are_numbers_beside_a_robots_frames(robot: Path) -> None:
    assert open_split(robot, "val", condition="actions").conditions.shape == (9, 7)


def test_without_conditions_either_layout_is_read(robot: Path, lab_folder: Path) -> None:
    assert len(open_split(robot, "train", condition="none")) == 9
    assert len(open_split(lab_folder, "train", condition="none")) == 40


def test_the_size_asked_for_is_that_of_the_frames(robot: Path, lab_folder: Path) -> None:
    assert open_split(robot, "val", (8, 8), "actions").size == (8, 8)
    assert open_split(lab_folder, "val", (8, 8)).size == (8, 8)


@pytest.mark.parametrize("condition", ["poses", "keypoints"])
def test_a_robots_trajectories_have_no_poses_and_the_preset_for_them_is_named(
    robot: Path, condition: Condition
) -> None:
    with pytest.raises(InputError, match=r"robot holds a robot's trajectories.*; expected --preset svg-lp for them"):
        open_split(robot, "train", condition=condition)


def test_a_persons_frames_have_no_actions_and_the_preset_for_them_is_named(lab_folder: Path) -> None:
    message = r"data/val holds a person's frames and poses, no robot's trajectories; expected the default preset"
    with pytest.raises(InputError, match=message):
        open_split(lab_folder, "val", condition="actions")
