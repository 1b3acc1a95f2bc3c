"""The sequences that a checkpoint is measured on: given frames, conditions, and the truth where there is one."""

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cvae.config import ModelConfig
from cvae.errors import InputError
from cvae.stills import natural_order
from training.data.cache import read_sized
from training.data.recordings import Recordings
from training.data.splits import open_split
from training.data.trajectories import are_trajectories, trajectory_names

log = logging.getLogger(__name__)

Size = tuple[int, int]
Split = Literal["test", "val"]
_NUMBER = re.compile(r"[0-9]{1,18}")


class Frames(Protocol):
    """uint8 `(T, H, W, 3)`, of which no more is in memory than what is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, asked: slice, /) -> NDArray[np.uint8]: ...


Conditions = Frames | NDArray[np.float32]


@dataclass(frozen=True)
class PictureFiles:
    """Picture files as `Frames` of one size, each read whenever it is asked for."""

    paths: list[Path]
    size: Size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, asked: slice, /) -> NDArray[np.uint8]:
        return np.stack([read_sized(path, self.size) for path in self.paths[asked]])


@dataclass(frozen=True)
class Sequence:
    """One sequence to predict.

    Attributes:
        name: Of its folder, or its place in the split.
        given: Its first frames, uint8 `(P, H, W, 3)`.
        conditions: One per frame: poses as `Frames`, or numbers `(T, D)`; that of frame 0 belongs to the first frame.
        truth: The true frames, as many as conditions; None where nobody knows them.
    """

    name: str
    given: NDArray[np.uint8]
    conditions: Conditions
    truth: Frames | None

    def __len__(self) -> int:
        return len(self.conditions)

    @property
    def future(self) -> int:
        """How many frames are to be predicted."""
        return len(self) - len(self.given)


def open_sequences(data: Path, split: Split, size: Size, model: ModelConfig) -> list[Sequence]:
    """Every sequence of a split.

    With poses `test` is `test/test_label/S/N.png`, the first frame `test/test_img/S/0.png` and, where there is one, the
    truth `test/test_gt/S/N.png`. Otherwise it is every recording of the split; of a network that is measured over some
    frames only, the beginning of each.

    Args:
        data: The folder that holds them.
        split: `test` or `val`.
        size: Height and width to resize to.
        model: What is measured.

    Raises:
        InputError: If there is no sequence, or one lacks poses, its first frame or a part of its truth.
    """
    if model.condition == "poses" and are_trajectories(data, split):
        raise InputError(
            f"{data} holds a robot's trajectories, and this network is driven by poses; expected the --checkpoint of a "
            "robot, such as weights/robot-64x64."
        )
    labels = data / "test" / "test_label"
    if split == "test" and model.condition != "poses" and labels.is_dir():
        raise InputError(
            f"{labels} holds poses as pictures, and this network is told {model.condition}; expected --split val."
        )
    if split == "val" or model.condition != "poses":
        return _recordings(data, split, size, model)
    folders = [folder for folder in labels.glob("*/") if not folder.name.startswith(".")]
    if not folders:
        raise InputError(f"{labels} holds no sequences; expected folders 0, 1, ... of pictures (the lab's layout).")
    return [_open_folder(data / "test", name, size) for name in sorted((f.name for f in folders), key=natural_order)]


def _recordings(data: Path, split: Split, size: Size, model: ModelConfig) -> list[Sequence]:
    found, past = open_split(data, split, size, model.condition), model.past_frames
    spans = [(a, min(b, a + (model.horizon or b))) for a, b in found.spans if b - a > past]
    if not spans:
        raise InputError(f"No recording of {split} has {past + 1} frames, {past} given and one to predict.")
    if short := len(found.spans) - len(spans):
        log.info("%s: %d recordings of fewer than %d frames are left out.", split, short, past + 1)
    names = trajectory_names(data, split) if are_trajectories(data, split) else map(str, range(len(found.spans)))
    named = [name.replace("/", "-") for name, (a, b) in zip(names, found.spans, strict=True) if b - a > past]
    return [sequence_of(found, span, past, name) for span, name in zip(spans, named, strict=True)]


def sequence_of(recordings: Recordings, span: tuple[int, int], past: int, name: str = "") -> Sequence:
    """A part of a recording, its first and one past its last frame given, as a sequence."""
    frames, conditions = (array[slice(*span)] for array in (recordings.frames, recordings.conditions))
    return Sequence(name, frames[:past], conditions, frames)


def shuffled(sequences: list[Sequence]) -> list[Sequence]:
    """The same, each with the conditions of the next one.

    Raises:
        InputError: If they are not two or more of the same length.
    """
    lengths = sorted({len(sequence) for sequence in sequences})
    if len(sequences) < 2 or len(lengths) > 1:
        raise InputError(
            f"{len(sequences)} sequences of {lengths[0]} to {lengths[-1]} frames cannot exchange their conditions; "
            "expected two or more that are as long."
        )
    others = [*sequences[1:], sequences[0]]
    return [replace(one, conditions=other.conditions) for one, other in zip(sequences, others, strict=True)]


def _open_folder(test: Path, name: str, size: Size) -> Sequence:
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
    return Sequence(name, first_frame[None], posed, true if truth else None)


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
