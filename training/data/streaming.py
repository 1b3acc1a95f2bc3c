"""Clips from shards, which are read from first to last: `training.data.shards` tells what they are."""

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info
from webdataset.gopen import gopen
from webdataset.tariterators import group_by_keys, tar_file_expander

from cvae.errors import InputError
from cvae.inputs import LIMITS
from cvae.pictures import decode_still, resize
from training.data.recordings import measure_ink
from training.data.shards import Shards

BUFFER_BYTES = 2**28
"""Of the decoded pieces among which a loading process shuffles."""


@dataclass
class _Piece:
    """A piece in memory, with the starts of the clips that are still to come from it."""

    frames: NDArray[np.uint8]
    poses: NDArray[np.uint8]
    starts: list[int]


@dataclass(frozen=True)
class _Clip:
    """Where a clip is; it is copied only when it is not skipped."""

    piece: _Piece
    rows: list[int]

    def cut(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        return self.piece.frames[self.rows], self.piece.poses[self.rows]


@dataclass(frozen=True)
class ShardClips(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches of clips from shards, frames and poses, each uint8 `(B, 1 + T, H, W, 3)`, reference frame first.

    In an epoch each clip comes once (times its weight, where the person weighs), and each shard is read by one loading
    process alone. Clips are shuffled among as many pieces as fit into `BUFFER_BYTES`.

    Args:
        shards: What to read.
        length: T, frames of a clip.
        batch_size: B.
        person_weight: How much more often clips with much of the person in the picture are drawn; 0 draws all alike.
        seed: Of the order.
        process: Number of this process.
        processes: How many train together.
        skip: Batches to leave out at the beginning; they are read to get there.
    """

    shards: Shards
    length: int
    batch_size: int
    person_weight: float
    seed: int
    process: int = 0
    processes: int = 1
    skip: int = 0

    def check(self, workers: int) -> None:
        """Make sure that with so many workers every loading process has a shard.

        Raises:
            InputError: If there are too few shards, or no piece is as long as a clip.
        """
        readers, count = self.processes * max(1, workers), len(self.shards.index.shards)
        if count < readers:
            raise InputError(
                f"{count} shards cannot be shared among {readers} loading processes; "
                "take fewer --workers, or write smaller shards with `shard --shard-frames`."
            )
        longest = max(map(max, self.shards.index.shards.values()))
        if longest < self.length:
            raise InputError(f"The longest piece of the shards has {longest} frames; a clip needs {self.length}.")

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        info = get_worker_info()
        workers = info.num_workers if info else 1
        # Worker 0 is asked first: of batches skip, skip + 1, ... it makes the first.
        role = ((info.id if info else 0) + self.skip) % workers
        before = len(range(role, self.skip, workers)) * self.batch_size
        clips = self.clips(self.process * workers + role, self.processes * workers)
        for _ in range(before):
            next(clips)
        while True:
            frames, poses = zip(*(next(clips).cut() for _ in range(self.batch_size)), strict=True)
            yield torch.from_numpy(np.stack(frames)), torch.from_numpy(np.stack(poses))

    def clips(self, reader: int, readers: int) -> Iterator[_Clip]:
        """What one of many loading processes reads, epoch after epoch.

        Raises:
            InputError: If a shard is damaged, or none of the reader's pieces is as long as a clip.
        """
        rng = np.random.default_rng((self.seed, reader))
        epoch = 0
        while True:
            came = False
            for clip in self._epoch(self.split(epoch, reader, readers), rng):
                came = True
                yield clip
            if not came and epoch > len(self.shards.index.shards):
                raise InputError(f"No piece of the shards of a loading process has the {self.length} frames of a clip.")
            epoch += 1

    def split(self, epoch: int, reader: int, readers: int) -> list[str]:
        """The shards that one of many readers reads in an epoch, in this order; all readers together read each once."""
        names = sorted(self.shards.index.shards)
        order = np.random.default_rng((self.seed, epoch)).permutation(len(names))
        return [names[i] for i in order[reader::readers]]

    def _epoch(self, names: list[str], rng: np.random.Generator) -> Iterator[_Clip]:
        coming = (piece for name in names for piece in self._read(name, rng) if piece.starts)
        held: list[_Piece] = []
        used = 0
        while True:
            while used < BUFFER_BYTES and (piece := next(coming, None)):
                held.append(piece)
                used += piece.frames.nbytes + piece.poses.nbytes
            if not held:
                return
            place = int(rng.integers(len(held)))
            piece = held[place]
            rows = [int(rng.integers(len(piece.frames))), *range(start := piece.starts.pop(), start + self.length)]
            if not piece.starts:
                held[place] = held[-1]
                held.pop()
                used -= piece.frames.nbytes + piece.poses.nbytes
            yield _Clip(piece, rows)

    def _read(self, name: str, rng: np.random.Generator) -> Iterator[_Piece]:
        url, lengths = self.shards.place + name, self.shards.index.shards[name]
        try:
            with gopen(url) as stream:  # a file, or what curl reads from an address
                samples = group_by_keys(tar_file_expander([{"url": url, "stream": stream}]))
                for length, sample in zip(lengths, samples, strict=True):
                    frames, poses = (self._unroll(sample[f"{kind}.png"], name, length) for kind in ("frames", "poses"))
                    yield _Piece(frames, poses, self._starts(poses, rng))
        except (OSError, KeyError, ValueError, EOFError, tarfile.TarError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{name} cannot be read to its end as its index tells: {error}.") from error

    def _unroll(self, png: bytes, name: str, length: int) -> NDArray[np.uint8]:
        strip = decode_still(io.BytesIO(png), name, LIMITS)
        height, width = self.shards.index.height, self.shards.index.width
        if strip.shape != (length * height, width, 3):
            expected = f"{width}x{length * height}"
            raise InputError(f"{name} holds a strip of {strip.shape[1]}x{strip.shape[0]} pixels; expected {expected}.")
        return resize(strip.reshape(length, height, width, 3), self.shards.size)

    def _starts(self, poses: NDArray[np.uint8], rng: np.random.Generator) -> list[int]:
        """Each start of a clip as often as it weighs, in random order: what is left of a whole number is drawn."""
        count = max(0, len(poses) - self.length + 1)
        ink = measure_ink(poses[:count]) / max(self.shards.index.mean_ink, 1e-6)
        weights = (1 + self.person_weight * ink) / (1 + self.person_weight)
        times = np.floor(weights + rng.random(count)).astype(int)
        return rng.permutation(np.repeat(np.arange(count), times)).tolist()
