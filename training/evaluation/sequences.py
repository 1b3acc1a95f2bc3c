"""The sequences that a checkpoint is measured on: a first frame, poses, and the truth where there is one."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cvae.errors import InputError
from cvae.stills import natural_order
from training.data.clips import Recordings, open_split
from training.data.folders import read_sized

log = logging.getLogger(__name__)

Size = tuple[int, int]
Split = Literal["test", "val"]
_NUMBER = re.compile(r"[0-9]{1,18}")


class Frames(Protocol):
    """uint8 `(T, H, W, 3)`, of which no more is in memory than what is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, asked: slice, /) -> NDArray[np.uint8]: ...


@dataclass(frozen=True)
class PictureFiles:
    """Picture files as `Frames` of one size, each read whenever it is asked for."""

    paths: Sequence[Path]
    size: Size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, asked: slice, /) -> NDArray[np.uint8]:
        return np.stack([read_sized(path, self.size) for path in self.paths[asked]])


@dataclass(frozen=True)
class PoseSequence:
    """One sequence to predict.

    Attributes:
        name: Of its folder, or its place in the split.
        first_frame: Frame 0, uint8 `(H, W, 3)`.
        poses: One per frame, at least two; pose 0 belongs to the first frame.
        truth: The true frames, as many; None where nobody knows them.
    """

    name: str
    first_frame: NDArray[np.uint8]
    poses: Frames
    truth: Frames | None


def open_sequences(data: Path, split: Split, size: Size) -> list[PoseSequence]:
    """Every sequence of a split in the lab's layout.

    Of `test`: the poses `test/test_label/S/N.png`, the first frame `test/test_img/S/0.png` and, where there is one, the
    truth `test/test_gt/S/N.png`. Of `val`: every recording of `val/val_img` and `val/val_label`; a gap in the numbers
    is a cut between recordings.

    Args:
        data: The folder that holds them.
        split: `test` or `val`.
        size: Height and width to resize to.

    Raises:
        InputError: If there is no sequence, or one lacks poses, its first frame or a part of its truth.
    """
    if split == "val":
        return _recordings(open_split(data, "val", size))
    labels = data / "test" / "test_label"
    folders = [folder for folder in labels.glob("*/") if not folder.name.startswith(".")]
    if not folders:
        raise InputError(f"{labels} holds no sequences; expected folders 0, 1, ... of pictures (the lab's layout).")
    return [_open_folder(data / "test", name, size) for name in sorted((f.name for f in folders), key=natural_order)]


def _recordings(validation: Recordings) -> list[PoseSequence]:
    spans = [(a, b) for a, b in validation.spans if b - a >= 2]
    if not spans:
        raise InputError("No recording of val has two frames, one that is given and one to predict.")
    if alone := len(validation.spans) - len(spans):
        log.info("val: %d frames that stand alone between gaps are left out, with nothing to predict.", alone)
    frames, poses = validation.frames, validation.poses
    return [PoseSequence(str(i), frames[a], poses[a:b], frames[a:b]) for i, (a, b) in enumerate(spans)]


def _open_folder(test: Path, name: str, size: Size) -> PoseSequence:
    poses = _numbered(test / "test_label" / name)
    numbers = range(min(poses, default=0), max(poses, default=0) + 1)
    if len(numbers) < 2:
        raise InputError(f"test_label/{name} has {len(poses)} poses 0.png, 1.png, ...; expected two or more.")
    _check_whole(f"test_label/{name}", poses, numbers)
    truth, given = (_numbered(test / kind / name) for kind in ("test_gt", "test_img"))
    first = given.get(numbers[0]) or truth.get(numbers[0])
    if first is None:
        raise InputError(f"Sequence {name} has no first frame; expected test_img/{name}/{numbers[0]}.png.")
    if truth:
        truth.setdefault(numbers[0], first)
        _check_whole(f"test_gt/{name}", truth, numbers)
    first_frame = read_sized(first, size)
    posed, true = (PictureFiles([files[n] for n in numbers if files], size) for files in (poses, truth))
    return PoseSequence(name, first_frame, posed, true if truth else None)


def _numbered(folder: Path) -> dict[int, Path]:
    return {int(path.stem): path for path in folder.glob("*.png") if _NUMBER.fullmatch(path.stem)}


def _check_whole(folder: str, files: dict[int, Path], numbers: range) -> None:
    # By counting: a stray file named by date and time makes a range that cannot be gone through.
    if lacking := len(numbers) - sum(n in numbers for n in files):
        first = next(n for n in numbers if n not in files)
        raise InputError(
            f"{folder} lacks {lacking} of {len(numbers)} pictures, the first is {first}.png; the last that is there is "
            f"{numbers[-1]}.png."
        )
