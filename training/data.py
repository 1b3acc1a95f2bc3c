"""Clips from the lab's folders: decoded once into memory-mapped arrays, then cut at random."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler
from tqdm import tqdm

from cvae.errors import InputError
from cvae.files import replacing
from cvae.pictures import read_picture, resize

Size = tuple[int, int]


@dataclass(frozen=True)
class Recordings:
    """Consecutive frames with their poses; a gap in the numbering of the files is a cut.

    Attributes:
        frames: uint8 `(N, H, W, 3)`, all recordings one after the other, mapped from disk.
        poses: The same shape.
        spans: First and one past the last index of each recording.
    """

    frames: NDArray[np.uint8]
    poses: NDArray[np.uint8]
    spans: list[tuple[int, int]]

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.frames.shape[1], self.frames.shape[2]


def open_split(data: Path, split: str, size: Size | None = None) -> Recordings:
    """Read `data/SPLIT/SPLIT_img/N.png` and `data/SPLIT/SPLIT_label/N.png`.

    Args:
        data: The folder that holds `train`, `val` and `test`.
        split: `train` or `val`.
        size: Height and width to resize to; that of the first frame by default.

    Raises:
        InputError: If there are no frames, or a frame has no pose or a pose no frame.
    """
    images = _numbered(data / split / f"{split}_img")
    labels = _numbered(data / split / f"{split}_label")
    if unpaired := sorted(images.keys() ^ labels.keys()):
        named = ", ".join(f"{n}.png" for n in unpaired[:5])
        raise InputError(f"{data / split} has {len(unpaired)} frames without a pose or poses without a frame: {named}.")
    numbers = sorted(images)
    size = size or read_picture(images[numbers[0]]).shape[:2]
    frames = _decoded(data, f"{split}_img", [images[n] for n in numbers], size)
    poses = _decoded(data, f"{split}_label", [labels[n] for n in numbers], size)
    cuts = [i for i in range(1, len(numbers)) if numbers[i] != numbers[i - 1] + 1]
    return Recordings(frames, poses, list(zip([0, *cuts], [*cuts, len(numbers)], strict=True)))


def open_test(data: Path, size: Size) -> dict[str, Recordings]:
    """Read `data/test/test_label/S/N.png` and the truth, `data/test/test_gt/S/N.png`, of every sequence S.

    Raises:
        InputError: If there is no sequence, or one lacks a frame of its truth.
    """
    folders = sorted((data / "test" / "test_label").glob("*/"), key=lambda folder: (len(folder.name), folder.name))
    if not folders:
        raise InputError(f"{data / 'test' / 'test_label'} holds no sequences; expected folders 0, 1, ... of pictures.")
    sequences = {}
    for labels in folders:
        poses, truth = _numbered(labels), _numbered(data / "test" / "test_gt" / labels.name)
        if lacking := sorted(poses.keys() - truth.keys()):
            raise InputError(f"test_gt/{labels.name} lacks {len(lacking)} frames, the first is {lacking[0]}.png.")
        numbers = sorted(poses)
        frames, pictures = (np.stack([_read(files[n], size) for n in numbers]) for files in (truth, poses))
        sequences[labels.name] = Recordings(frames, pictures, [(0, len(numbers))])
    return sequences


def _numbered(folder: Path) -> dict[int, Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not there; expected a folder of pictures 0.png, 1.png, ... (the lab's layout).")
    found = {int(path.stem): path for path in folder.glob("*.png") if path.stem.isdecimal()}
    if not found:
        raise InputError(f"{folder} holds no pictures named 0.png, 1.png, ...")
    return found


def _decoded(data: Path, name: str, paths: list[Path], size: Size) -> NDArray[np.uint8]:
    """The pictures as one array, mapped from `data/.cache`; decoded when missing there or changed since."""
    stamps = [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in paths]
    digest = hashlib.sha256(repr(stamps).encode()).hexdigest()[:12]
    cache = data / ".cache" / f"{name}_{size[0]}x{size[1]}_{digest}.npy"
    if not cache.exists():
        cache.parent.mkdir(exist_ok=True)
        for outdated in cache.parent.glob(f"{name}_{size[0]}x{size[1]}_*.npy"):
            outdated.unlink()
        with replacing(cache) as partial:
            array = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(paths), *size, 3))
            for i, picture in enumerate(_decode(paths, size, f"decoding {name}")):
                array[i] = picture
            array.flush()
    return np.load(cache, mmap_mode="r")


def _read(path: Path, size: Size) -> NDArray[np.uint8]:
    return resize(read_picture(path)[None], size)[0]


def _decode(paths: list[Path], size: Size, title: str) -> Iterator[NDArray[np.uint8]]:
    with ThreadPoolExecutor() as pool:
        try:
            yield from tqdm(pool.map(lambda path: _read(path, size), paths), title, len(paths), leave=False)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@dataclass(frozen=True)
class Batch:
    """B clips of T frames, each with a reference frame from the same recording. All in [0, 1].

    Attributes:
        reference: `(B, C, H, W)`.
        reference_pose: `(B, C, H, W)`.
        frames: `(B, T, C, H, W)`.
        poses: `(B, T, C, H, W)`.
    """

    reference: Tensor
    reference_pose: Tensor
    frames: Tensor
    poses: Tensor


class Clips(Dataset[tuple[NDArray[np.uint8], NDArray[np.uint8]]]):
    """Pictures of the clip that starts at `start`, led by the reference frame; index it with `(start, reference)`."""

    def __init__(self, recordings: Recordings, length: int) -> None:
        self.recordings, self.length = recordings, length

    def __getitem__(self, index: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        start, reference = index
        rows = [reference, *range(start, start + self.length)]
        return self.recordings.frames[rows], self.recordings.poses[rows]


class ClipSampler(Sampler[tuple[int, int]]):
    """Endless `(start, reference)`: overlapping clips that never cross a cut; any frame of the recording is reference.

    Args:
        recordings: What to cut from.
        length: T, frames of a clip.
        person_weight: How much more often clips with much of the person in the picture are drawn; 0 draws all alike.
        seed: Of the draws.

    Raises:
        InputError: If no recording is as long as a clip.
    """

    def __init__(self, recordings: Recordings, length: int, person_weight: float, seed: int) -> None:
        self.spans = [(a, b) for a, b in recordings.spans if b - a >= length]
        if not self.spans:
            longest = max(b - a for a, b in recordings.spans)
            raise InputError(f"The longest recording has {longest} frames; a clip needs {length}.")
        self.starts = torch.cat([torch.arange(a, b - length + 1) for a, b in self.spans])
        self.span_of = torch.cat([torch.full((b - a - length + 1,), i) for i, (a, b) in enumerate(self.spans)])
        ink = torch.tensor([255 - float(pose.mean()) for pose in recordings.poses])[self.starts]
        self.weights = 1 + person_weight * ink / ink.mean().clamp(min=1e-6)
        self.generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        while True:
            drawn = torch.multinomial(self.weights, 1024, replacement=True, generator=self.generator)
            place = torch.rand(1024, generator=self.generator)
            for i, u in zip(drawn.tolist(), place.tolist(), strict=True):
                a, b = self.spans[int(self.span_of[i])]
                yield int(self.starts[i]), a + int(u * (b - a))


def collate(items: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> tuple[Tensor, Tensor]:
    """Frames and poses of a batch, uint8 `(B, 1 + T, H, W, 3)`: small to move, made floats on the device."""
    frames, poses = zip(*items, strict=True)
    return torch.from_numpy(np.stack(frames)), torch.from_numpy(np.stack(poses))


def to_batch(frames: Tensor, poses: Tensor) -> Batch:
    """The batch in floats on the device the tensors are on."""
    frames = rearrange(frames, "b t h w c -> b t c h w").float() / 255
    poses = rearrange(poses, "b t h w c -> b t c h w").float() / 255
    return Batch(frames[:, 0], poses[:, 0], frames[:, 1:], poses[:, 1:])
