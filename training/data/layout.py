"""How the pictures of a data set are named: as the lab's, numbers that follow each other being one recording."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cvae.export import write_png

_THOUSAND = 1000


def numbers_taken(frames: int) -> int:
    """How many numbers a recording takes: whole thousands, and more than it has frames, so that the next is apart."""
    return _THOUSAND * (frames // _THOUSAND + 1)


def write_recording(folder: Path, number: int, frames: Iterable[np.ndarray], poses: Iterable[np.ndarray]) -> None:
    """Writes frames `F/F_img/N.png` and poses `F/F_label/N.png`, N counting from `number`; F is the folder's name.

    Args:
        folder: Of the split; both folders in it are there.
        number: Of the first.
        frames: uint8 RGB, `(H, W, 3)` each.
        poses: As many.
    """
    for index, (frame, pose) in enumerate(zip(frames, poses, strict=True), start=number):
        write_png(folder / f"{folder.name}_img" / f"{index}.png", frame)
        write_png(folder / f"{folder.name}_label" / f"{index}.png", pose)
