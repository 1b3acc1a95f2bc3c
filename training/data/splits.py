"""The split of a data set, in whichever layout it lies on disk, with the conditions that a network needs."""

from pathlib import Path

from cvae.config import Condition
from cvae.errors import InputError
from training.data.cache import Size
from training.data.folders import open_keypoints, open_poses
from training.data.recordings import Recordings, Split
from training.data.trajectories import are_trajectories, open_trajectories


def open_split(data: Path, split: Split, size: Size | None = None, condition: Condition = "poses") -> Recordings:
    """Read one split of a data set.

    Args:
        data: The folder that holds `train` and `val` (of trajectories `validate`).
        split: Which of them.
        size: Height and width to resize to; that of the first frame by default.
        condition: What is read beside the frames: `poses` pictures and `keypoints` of the lab's layout, `actions` of a
            robot's trajectories; with `none` what lies there.

    Raises:
        InputError: If the data are of another kind, or something is missing.
    """
    robot = are_trajectories(data, split)
    if condition == "actions" or (condition == "none" and robot):
        if (pictures := data / split / f"{split}_img").is_dir():
            raise InputError(
                f"{pictures.parent} holds a person's frames and poses, no robot's trajectories; expected the default "
                "preset for them."
            )
        return open_trajectories(data, split, size)
    if robot:
        raise InputError(
            f"{data} holds a robot's trajectories, no frames with poses; expected --preset svg-lp for them."
        )
    return (open_keypoints if condition == "keypoints" else open_poses)(data, split, size)
