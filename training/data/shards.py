"""Shards, tar files that are read from first to last, for data beyond one disk: `python -m training shard`.

`DIR/train` holds tar files in the format of WebDataset and `index.json`. A sample is a piece of a recording:
`KEY.frames.png` and `KEY.poses.png`, its pictures one below the other.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import webdataset
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from tqdm import tqdm

from cvae.config import STRICT, DataConfig
from cvae.errors import InputError
from cvae.files import filling
from cvae.inputs import LIMITS
from training.data.cache import Size
from training.data.recordings import Recordings, measure_ink
from training.data.splits import open_split
from training.data.trajectories import are_trajectories

PIECE_FRAMES = 256
"""Frames of a piece at most; a clip never reaches into the next one."""
MEASURED_FRAMES = 16_384
"""Poses, evenly spaced, whose mean ink stands in the index."""
_Lengths = Annotated[tuple[Annotated[int, Field(ge=1, le=LIMITS.max_side)], ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class ShardIndex:
    """What `index.json` says."""

    __pydantic_config__ = STRICT

    format: Literal[1] = 1
    """Raised when the meaning of the others changes."""
    height: Annotated[int, Field(ge=1, le=LIMITS.max_side)]
    """Of a frame, in pixels."""
    width: Annotated[int, Field(ge=1, le=LIMITS.max_side)]
    """Of a frame, in pixels."""
    mean_ink: Annotated[float, Field(ge=0, le=255)]
    """How far the poses are from white, 0 to 255."""
    # Other schemes than these are commands to the library that opens them.
    place: Annotated[str, Field(pattern=r"^(\.|(https?|gs|hf)://\S+/)$")] = "."
    """Where the tar files are: `.` beside the index, or an address such as `https://host/folder/`."""
    shards: Annotated[dict[Annotated[str, Field(pattern=r"^[\w-]+\.tar$")], _Lengths], Field(min_length=1)]
    """Of each tar file, the frames of each of its pieces."""


@dataclass(frozen=True)
class Shards:
    """Shards to read.

    Attributes:
        place: What stands before the name of a shard.
        index: What there is.
        size: Height and width that the frames are resized to.
    """

    place: str
    index: ShardIndex
    size: Size

    def __len__(self) -> int:
        return sum(map(sum, self.index.shards.values()))


@dataclass(frozen=True, kw_only=True)
class ShardConfig:
    """Write the training frames of a data set as shards, for disks and networks that are slow at many small files.

    Validation and test pictures are few and are copied as they are; `train --data OUT` then works as with folders.
    To keep the shards elsewhere, move the tar files to a server and write its address as `place` into
    OUT/train/index.json.
    """

    data: Path
    """Folder in the lab's layout."""
    out: Path
    """Folder to write; it must not exist or be empty."""
    size: tuple[int, int] | None = None
    """Height and width of the frames; those of the data by default."""
    shard_frames: int = 10_000
    """Frames of a tar file. There must be as many files as processes that load, better several times as many."""

    def __post_init__(self) -> None:
        if self.shard_frames < 1:
            raise InputError(f"--shard-frames is 1 or more; got {self.shard_frames}.")
        if self.size is not None:
            DataConfig(height=self.size[0], width=self.size[1])
        for split in ("val", "test"):
            if (copied := self.data / split).resolve() in self.out.resolve().parents:
                raise InputError(
                    f"--out {self.out} lies in {copied}, which is copied into it; give a folder elsewhere."
                )


def shard(config: ShardConfig) -> None:
    """`python -m training shard`."""
    if are_trajectories(config.data, "train"):
        raise InputError(f"{config.data} holds a robot's trajectories; expected frames with poses, which shards hold.")
    recordings = open_split(config.data, "train", config.size)
    height, width = recordings.size
    pieces = _cut(recordings, min(PIECE_FRAMES, config.shard_frames, max(1, LIMITS.max_side // height)))
    np.random.default_rng(0).shuffle(pieces)  # so that each shard has something of every recording
    every = -(-len(recordings) // MEASURED_FRAMES)
    with filling(config.out) as out:
        (out / "train").mkdir()
        shards = _write(recordings, pieces, out / "train", config.shard_frames)
        ink = float(measure_ink(recordings.conditions[::every]).mean())
        index = ShardIndex(height=height, width=width, mean_ink=ink, shards=shards)
        (out / "train" / "index.json").write_text(json.dumps(asdict(index)) + "\n")
        for split in ("val", "test"):
            if (config.data / split).is_dir():
                _copy(config.data / split, out / split)
    print(f"{len(recordings)} frames in {len(pieces)} pieces in {len(shards)} shards: {config.out}")


def _copy(folder: Path, target: Path) -> None:
    try:
        shutil.copytree(folder, target)
    except shutil.Error as error:  # a list of all files, which are many
        source, _, why = error.args[0][0]
        raise InputError(f"{folder} cannot be copied, beginning with {source}: {why}.") from error


def _cut(recordings: Recordings, longest: int) -> list[tuple[int, int]]:
    """Pieces of about equal length of each recording, none above `longest`."""
    pieces: list[tuple[int, int]] = []
    for a, b in recordings.spans:
        edges = np.linspace(a, b, -(-(b - a) // longest) + 1).astype(int).tolist()
        pieces += pairwise(edges)
    return pieces


def _write(
    recordings: Recordings, pieces: list[tuple[int, int]], folder: Path, shard_frames: int
) -> dict[str, tuple[int, ...]]:
    groups: list[list[tuple[int, int]]] = [[]]
    for a, b in pieces:
        if groups[-1] and sum(d - c for c, d in groups[-1]) + b - a > shard_frames:
            groups.append([])
        groups[-1].append((a, b))
    shards = {}
    with tqdm(total=len(recordings), desc="writing shards", unit=" frames", leave=False) as bar:
        for number, group in enumerate(groups):
            name = f"{number:06d}.tar"
            with webdataset.TarWriter(str(folder / name)) as tar:
                for a, b in group:
                    pictures = {
                        f"{kind}.png": _strip(array[a:b])
                        for kind, array in (("frames", recordings.frames), ("poses", recordings.conditions))
                    }
                    tar.write({"__key__": f"{a:012d}", **pictures})
                    bar.update(b - a)
            shards[name] = tuple(b - a for a, b in group)
    return shards


def _strip(pictures: NDArray[np.uint8]) -> bytes:
    """A PNG of the pictures one below the other."""
    return cv2.imencode(".png", pictures.reshape(-1, *pictures.shape[2:])[..., ::-1])[1].tobytes()


def are_shards(folder: Path) -> bool:
    """Whether a folder holds shards instead of folders of pictures."""
    return (folder / "index.json").is_file() or any(folder.glob("*.tar"))


def open_shards(folder: Path, size: Size | None = None) -> Shards:
    """Read the index of a folder of shards.

    Args:
        folder: `DIR/train` of what `shard` wrote.
        size: Height and width to resize to; those of the shards by default.

    Raises:
        InputError: If the index is missing or damaged, or a shard is.
    """
    path = folder / "index.json"
    try:
        index = TypeAdapter(ShardIndex).validate_json(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{folder} holds shards without index.json; `python -m training shard` writes both.") from None
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(map(str, wrong["loc"])) or "it"
        raise InputError(f"{path} is no index of shards: {where}: {wrong['msg']}.") from None
    if index.place == "." and (missing := [name for name in index.shards if not (folder / name).is_file()]):
        raise InputError(f"{folder} lacks {len(missing)} of {len(index.shards)} shards: {', '.join(missing[:5])}.")
    place = f"{folder}/" if index.place == "." else index.place
    return Shards(place, index, size or (index.height, index.width))
