"""A tiny data set of a robot in the layout of BAIR's pushing data."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.conftest import moving_square, write_pictures


def robot_rows(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Actions and positions, `(T, 7)`."""
    return np.random.default_rng(seed).normal(size=(count, 7)).round(3).astype(np.float32)


def write_trajectory(folder: Path, rows: NDArray[np.float32], side: int = 16) -> Path:
    """A picture for every row, and both tables."""
    write_pictures(folder, moving_square(len(rows), side, side)[0])
    np.savetxt(folder / "actions.csv", rows[:, :4], delimiter=",", fmt="%.3f")
    np.savetxt(folder / "endeffector_positions.csv", rows[:, 4:], delimiter=",", fmt="%.3f")
    return folder


def write_robot(data: Path, counts: tuple[int, ...] = (3, 2, 4)) -> Path:
    """In each split trajectories of so many frames, called `traj_0/2`, `traj_0/10`, `traj_10/0`, ..."""
    names = ["traj_0/2", "traj_0/10", "traj_10/0", "traj_10/1"][: len(counts)]
    for split in ("train", "validate", "test"):
        for seed, (name, count) in enumerate(zip(names, counts, strict=True)):
            write_trajectory(data / split / name, robot_rows(count, seed))
    return data
