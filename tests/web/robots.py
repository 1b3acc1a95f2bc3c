"""A tiny network that is told the numbers of our own robot, and a trajectory of that robot."""

import dataclasses
from pathlib import Path

import numpy as np

from cvae.checkpoint import save_checkpoint
from cvae.config import Config, SVGConfig
from tests.conftest import moving_square, random_model, write_pictures
from tests.hub.robot import robot_config

LOW = (-0.0786, -0.0767, -0.0688, 0.0001, -0.22, -0.16, 0.01)
HIGH = (0.0794, 0.0769, 0.075, 0.9998, 0.22, 0.14, 0.2)
FRAMES = 6


def own_robot() -> Config:
    """Frames of 16x16 pixels, two of which are given."""
    config = robot_config()
    assert isinstance(config.model, SVGConfig)
    return dataclasses.replace(config, model=dataclasses.replace(config.model, low=LOW, high=HIGH))


def save_own_robot(folder: Path) -> Path:
    config = own_robot()
    save_checkpoint(folder, config, random_model(config), {})
    return folder


def own_rows(count: int = FRAMES) -> np.ndarray:
    """The hand goes 1 cm to the right with every frame, float32 `(T, 7)`."""
    rows = np.tile(np.array([0.01, 0, 0, 0.5, 0, 0, 0.1], np.float32), (count, 1))
    rows[:, 4] = 0.01 * np.arange(count)
    return rows


def write_own_trajectory(folder: Path, count: int = FRAMES) -> Path:
    """Pictures and tables in the lab's layout."""
    write_pictures(folder, moving_square(count, 16, 16)[0])
    rows = own_rows(count)
    np.savetxt(folder / "actions.csv", rows[:, :4], delimiter=",", fmt="%.3f")
    np.savetxt(folder / "endeffector_positions.csv", rows[:, 4:], delimiter=",", fmt="%.3f")
    return folder
