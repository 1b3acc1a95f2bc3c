"""Clips to train on, from a folder of pictures or from shards: the same batches for the loop, whichever it is."""

import bisect
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from cvae.config import Condition
from cvae.errors import InputError
from training.data.cache import Size
from training.data.recordings import Recordings, measure_ink
from training.data.shards import Shards, are_shards, open_shards
from training.data.splits import open_split
from training.data.streaming import ShardClips

__all__ = [
    "Batch",
    "ClipSampler",
    "Clips",
    "Recordings",
    "Shards",
    "Size",
    "collate",
    "load_clips",
    "open_source",
    "to_batch",
]

_BLOCK = 1024
"""Clips that are drawn with one generator."""


def open_source(data: Path, size: Size | None = None, condition: Condition = "poses") -> Recordings | Shards:
    """What there is to train on: the shards of `data/train` where there are any, else its folders of pictures.

    Both have a `size` (height and width) and a length in frames.

    Args:
        data: The folder that holds `train`.
        size: Height and width to resize to; that of the data by default.
        condition: What is told of each frame; shards hold pictures of poses alone.

    Raises:
        InputError: If there is neither, or what is there does not fit together.
    """
    if not are_shards(data / "train"):
        return open_split(data, "train", size, condition)
    if condition != "poses":
        raise InputError(f"{data / 'train'} holds shards with pictures of poses; expected {condition} of each frame.")
    return open_shards(data / "train", size)


def numbers_of(source: Recordings | Shards) -> NDArray[np.float32] | None:
    """The numbers that come with its frames, `(N, D)`; None where these are pictures of poses."""
    return source.conditions if isinstance(source, Recordings) and source.conditions.ndim == 2 else None


def load_clips(
    source: Recordings | Shards,
    *,
    clip_frames: int,
    batch_size: int,
    person_weight: float = 0.0,
    seed: int = 0,
    workers: int = 0,
    process: int = 0,
    processes: int = 1,
    skip: int = 0,
    share: Callable[[int], float] | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of clips: frames, uint8 `(B, 1 + T, H, W, 3)`, the reference frame first, and their conditions,
    of the same shape or float32 `(B, 1 + T, D)`.

    The batches of all processes together are those of one process with batches as large; do not let accelerate
    divide them again.

    Args:
        source: From `open_source`.
        clip_frames: T, frames of a clip.
        batch_size: B, clips of a batch, of each process.
        person_weight: How much more often clips with much of the person in the picture are drawn; 0 draws all alike.
        seed: Of the draws. Clip i of batch k of process p has the number `(k * processes + p) * batch_size + i`; a clip
            from folders depends on the seed and its number alone.
        workers: Processes that load beside this one; 0 loads in the same.
        process: Number of this process.
        processes: How many train together.
        skip: Batches to leave out at the beginning, those trained on before. From folders that costs nothing; shards
            are read up to there.
        share: Of the data, its first part, that batch k is drawn from, above 0 to 1; all by default. Not for shards,
            which are shuffled.

    Raises:
        InputError: If no recording is as long as a clip, or the shards are too few.
    """
    options: dict[str, Any] = {
        "num_workers": workers,
        "pin_memory": torch.cuda.is_available(),
        "worker_init_fn": _leave_ctrl_c_to_the_parent,
    }
    if isinstance(source, Shards):
        if share is not None:
            raise InputError("Shards are in random order and have no first part; expected a folder of pictures.")
        stream = ShardClips(
            source, clip_frames, batch_size, person_weight, seed, process=process, processes=processes, skip=skip
        )
        stream.check(workers)
        return _raising(DataLoader(_Telling(stream), batch_size=None, **options))
    sampler = ClipSampler(source, clip_frames, person_weight, seed)
    batches = _Batches(sampler, batch_size, process, processes, skip, share or (lambda batch: 1.0))
    return iter(DataLoader(Clips(source, clip_frames), batch_sampler=batches, collate_fn=collate, **options))


class _Telling(IterableDataset[Any]):
    """Hands what is wrong with the data over as an item: raised in a worker it would come out as a traceback."""

    def __init__(self, stream: ShardClips) -> None:
        self.stream = stream

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self.stream
        except InputError as error:
            yield error


def _raising(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, InputError):
            raise item
        yield item


def _leave_ctrl_c_to_the_parent(worker: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass(frozen=True)
class Batch:
    """B clips of T frames, each with a reference frame from the same recording. Pictures are in [0, 1].

    Attributes:
        reference: `(B, C, H, W)`.
        reference_condition: `(B, C, H, W)`, or `(B, D)` where conditions are numbers.
        frames: `(B, T, C, H, W)`.
        conditions: `(B, T, C, H, W)` or `(B, T, D)`.
    """

    reference: Tensor
    reference_condition: Tensor
    frames: Tensor
    conditions: Tensor


class Clips(Dataset[tuple[NDArray[np.uint8], NDArray[Any]]]):
    """Frames and conditions of the clip that starts at `start`, led by the reference; index it with
    `(start, reference)`."""

    def __init__(self, recordings: Recordings, length: int) -> None:
        self.recordings, self.length = recordings, length

    def __getitem__(self, index: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[Any]]:
        start, reference = index
        rows = [reference, *range(start, start + self.length)]
        return self.recordings.frames[rows], self.recordings.conditions[rows]


class ClipSampler:
    """Draws `(start, reference)`: overlapping clips that never cross a cut; any frame of the recording is reference.

    It needs 8 bytes for each frame of the data, and draws by bisection: `torch.multinomial` ends at 2^24 clips.

    Args:
        recordings: What to cut from.
        length: T, frames of a clip.
        person_weight: How much more often clips with much of the person in the picture are drawn; 0 draws all alike.
        seed: Of the draws.

    Raises:
        InputError: If no recording is as long as a clip.
    """

    def __init__(self, recordings: Recordings, length: int, person_weight: float, seed: int) -> None:
        self.spans, self.seed = [(a, b) for a, b in recordings.spans if b - a >= length], seed
        if not self.spans:
            longest = max(b - a for a, b in recordings.spans)
            raise InputError(f"The longest recording has {longest} frames; a clip needs {length}.")
        self.firsts = [a for a, _ in self.spans]
        weights = np.zeros(len(recordings), np.float64)
        for a, b in self.spans:
            weights[a : b - length + 1] = 1
        if person_weight > 0:
            ink = measure_ink(recordings.conditions) if recordings.ink is None else recordings.ink
            weights *= 1 + person_weight * ink / max(float(np.average(ink, weights=weights)), 1e-6)
        self.cumulative = np.cumsum(weights, out=weights)  # constant where no clip begins

    def draw(self, first: int, clips: int, share: float = 1.0) -> list[tuple[int, int]]:
        """The clips with the numbers `first`, `first + 1`, ..., which depend on nothing that was drawn before.

        Args:
            first: Number of a clip, counted over the whole training and over all processes.
            clips: How many.
            share: Part of the frames, from the first on, in which the clips begin.
        """
        last = max(1, round(share * len(self.cumulative))) - 1
        end = max(self.cumulative[last], self.cumulative[self.firsts[0]])
        blocks = range(first // _BLOCK, (first + clips - 1) // _BLOCK + 1)
        drawn = np.concatenate([np.random.default_rng((self.seed, block)).random((_BLOCK, 2)) for block in blocks])
        places, references = drawn[first % _BLOCK :][:clips].T
        below = np.minimum(places * end, np.nextafter(end, 0))  # the product may round up to the end
        starts = np.searchsorted(self.cumulative, below, side="right").tolist()
        spans = [self.spans[bisect.bisect_right(self.firsts, start) - 1] for start in starts]
        return [(start, a + int(u * (b - a))) for start, u, (a, b) in zip(starts, references, spans, strict=True)]


@dataclass(frozen=True)
class _Batches:
    """Batch after batch of `(start, reference)`, this process's part of the batch that all processes share."""

    sampler: ClipSampler
    batch_size: int
    process: int
    processes: int
    skip: int
    share: Callable[[int], float]

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for batch in count(self.skip):
            first = (batch * self.processes + self.process) * self.batch_size
            yield self.sampler.draw(first, self.batch_size, self.share(batch))


def collate(items: list[tuple[NDArray[np.uint8], NDArray[Any]]]) -> tuple[Tensor, Tensor]:
    """Frames and conditions of a batch: pictures stay uint8, small to move, and are made floats on the device."""
    frames, conditions = zip(*items, strict=True)
    return torch.from_numpy(np.stack(frames)), torch.from_numpy(np.stack(conditions))


def to_batch(frames: Tensor, conditions: Tensor) -> Batch:
    """The batch of what `load_clips` gives, in floats on the device the tensors are on."""
    frames, conditions = _to_floats(frames), _to_floats(conditions)
    return Batch(frames[:, 0], conditions[:, 0], frames[:, 1:], conditions[:, 1:])


def _to_floats(values: Tensor) -> Tensor:
    """Pictures, uint8 `(B, T, H, W, C)`, to `(B, T, C, H, W)` in [0, 1]; numbers as they are."""
    return rearrange(values, "b t h w c -> b t c h w").float() / 255 if values.dtype == torch.uint8 else values
