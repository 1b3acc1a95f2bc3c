"""Why a robot's trajectories are not where they are expected, and how to mend it: a sentence for each usual fault."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cvae.errors import InputError

TABLES = ("actions.csv", "endeffector_positions.csv")
_DEPTH = 3
"""Folders from the data set down to a trajectory."""
_LOOKED_AT = 8
"""Files of a folder that are looked at."""
_LAYOUT = f"DIR/{{train,validate,test}}/*/N/ with 0.png, 1.png, ..., {TABLES[0]} and {TABLES[1]}"


def no_split(data: Path, name: str) -> InputError:
    """Why the data set has no folder of that name."""
    whole = data.absolute()
    glued = whole.parent / f"{whole.name}{name}"
    if glued.is_dir():
        return InputError(
            f"{data / name} is not there, but {glued} is: a slash was lost between the two names. Rename it to "
            f"{data / name}."
        )
    depth = _depth(whole, _DEPTH + 1)
    if depth is not None and depth < _DEPTH:
        return InputError(
            f"{data} lies within the data set; give the folder above, {whole.parents[_DEPTH - depth - 1]}."
        )
    if depth == _DEPTH + 1:
        below = next(path for path in _some_folders(whole) if _depth(path, _DEPTH) == _DEPTH)
        return InputError(f"{data} has no folder {name}; give the folder within that has one, {data / below.name}.")
    return InputError(f"{data / name} is not there; expected a robot's trajectories, {_LAYOUT}.")


def no_trajectories(folder: Path) -> InputError:
    """Why the folder of a split holds no folders of folders."""
    if _depth(folder, 1) is not None:
        trajectory = next((path for path in _some_folders(folder) if _is_trajectory(path)), folder)
        return InputError(
            f"{trajectory} is a trajectory, too high in the data set; expected it two folders below {folder}, "
            f"such as {folder / 'traj_0' / '0'}."
        )
    for group in _some_folders(folder):
        for glued in _some_files(group):
            if any(glued.endswith(table) for table in TABLES):
                return _lost_slash(group, glued, next(table for table in TABLES if glued.endswith(table)))
    return InputError(f"{folder} holds no trajectories; expected {_LAYOUT}.")


def nothing_in_trajectory(folder: Path, name: str) -> InputError:
    """Why the folder of a trajectory has no file of that name."""
    if (folder.parent / f"{folder.name}{name}").is_file():
        return _lost_slash(folder.parent, f"{folder.name}{name}", name)
    if not _is_trajectory(folder) and _depth(folder, 1) is not None:
        return InputError(f"{folder} holds trajectories one level too deep; expected {_LAYOUT}.")
    return InputError(f"{folder} has no {name}; expected {_LAYOUT}.")


def _lost_slash(folder: Path, glued: str, name: str) -> InputError:
    trajectory = glued.removesuffix(name)
    return InputError(
        f"{folder} holds {glued}: a slash was lost between {trajectory} and {name}. Move such files into their "
        f"trajectories, here to {folder / trajectory / name}."
    )


def _depth(folder: Path, most: int) -> int | None:
    """How many folders below this one the first trajectory lies, at most so many; None where there is none."""
    if _is_trajectory(folder):
        return 0
    if most:
        for below in _some_folders(folder):
            if (depth := _depth(below, most - 1)) is not None:
                return depth + 1
    return None


def _is_trajectory(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (*TABLES, "0.png"))


def _some_folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for entry in islice(entries, _LOOKED_AT):
                if entry.is_dir() and not entry.name.startswith("."):
                    yield folder / entry.name


def _some_files(folder: Path) -> Iterator[str]:
    """Names of files; all are looked at, since pictures come before tables."""
    with os.scandir(folder) as entries:
        yield from (entry.name for entry in entries if entry.is_file())
