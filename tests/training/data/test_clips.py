import time
import tracemalloc
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from cvae.errors import InputError
from training.data.clips import Clips, ClipSampler, Recordings, collate, load_clips, open_source, to_batch
from training.data.shards import ShardConfig, shard
from training.data.splits import open_split

MANY_WORKERS = pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:.*multi-threaded.*fork")


def recordings_of(*lengths: int) -> Recordings:
    frames = np.arange(sum(lengths), dtype=np.uint8)[:, None, None, None] + np.zeros((1, 2, 2, 3), np.uint8)
    ends = np.cumsum(lengths).tolist()
    return Recordings(frames, frames, list(zip([0, *ends[:-1]], ends, strict=True)))


def test_clips_never_cross_a_cut_and_every_start_is_drawn() -> None:
    recordings = recordings_of(5, 2, 4)
    drawn = ClipSampler(recordings, length=3, person_weight=0, seed=0).draw(0, 2000)
    assert {start for start, _ in drawn} == {0, 1, 2, 7, 8}
    for start, reference in drawn:
        a, b = next(span for span in recordings.spans if span[0] <= start < span[1])
        assert start + 3 <= b
        assert a <= reference < b
    starts, times = np.unique([start for start, _ in drawn], return_counts=True)
    np.testing.assert_allclose(times / 2000, 1 / len(starts), atol=0.04)
    assert {reference for start, reference in drawn if start < 5} == {0, 1, 2, 3, 4}


def test_clips_with_more_of_the_person_are_drawn_more_often() -> None:
    recordings = recordings_of(100)
    recordings.conditions[:] = 255
    recordings.conditions[:50] = 128
    drawn = [start for start, _ in ClipSampler(recordings, 2, person_weight=3.0, seed=0).draw(0, 4000)]
    share = np.mean(np.array(drawn) < 50)
    assert 0.84 < share < 0.90  # weights 1 + 3 * 2 against 1, that is 7/8


def test_a_clip_depends_on_the_seed_and_its_number_alone() -> None:
    sampler = ClipSampler(recordings_of(50), 3, person_weight=0, seed=1)
    first = sampler.draw(0, 3000)
    assert sampler.draw(2040, 20) == first[2040:2060]
    assert ClipSampler(recordings_of(50), 3, person_weight=0, seed=2).draw(0, 20) != first[:20]


def test_a_share_of_the_data_is_its_beginning() -> None:
    sampler = ClipSampler(recordings_of(40, 60), 3, person_weight=0, seed=0)
    assert {start for start, _ in sampler.draw(0, 2000, share=0.5)} == {*range(38), *range(40, 50)}
    assert {start for start, _ in sampler.draw(0, 20, share=1e-9)} == {0}


def test_too_short_recordings_are_refused_with_both_lengths() -> None:
    with pytest.raises(InputError, match="longest recording has 4 frames; a clip needs 9"):
        ClipSampler(recordings_of(4, 2), length=9, person_weight=0, seed=0)


def test_a_million_frames_need_little_time_and_memory(tmp_path: Path) -> None:
    arrays = [
        np.lib.format.open_memmap(tmp_path / name, "w+", np.uint8, (1_000_000, 8, 16, 3)) for name in ("x.npy", "p.npy")
    ]
    arrays[0][765_432:765_435] = np.arange(1, 4)[:, None, None, None]
    spans = [(i, i + 1000) for i in range(0, 1_000_000, 1000)]
    tracemalloc.start()
    began = time.monotonic()
    recordings = Recordings(*(np.load(tmp_path / name, mmap_mode="r") for name in ("x.npy", "p.npy")), spans)
    clips, sampler = Clips(recordings, 3), ClipSampler(recordings, 3, person_weight=0.5, seed=0)
    drawn = sampler.draw(10**9, 10_000)
    collate([clips[index] for index in drawn[:64]])
    assert time.monotonic() - began < 30  # 1.5 s; it holds on a busy machine
    assert tracemalloc.get_traced_memory()[1] < 64 * 2**20  # 750 MiB lie on the disk
    tracemalloc.stop()
    assert len({start for start, _ in drawn}) > 9900
    assert max(start for start, _ in drawn) > 999_000
    assert clips[765_432, 0][0][:, 0, 0, 0].tolist() == [0, 1, 2, 3]


def test_more_clips_than_multinomial_can_count_are_drawn_from_all_over() -> None:
    frames = np.broadcast_to(np.zeros(3, np.uint8), (2**24 + 2**22, 1, 1, 3))
    starts = [start for start, _ in ClipSampler(Recordings(frames, frames, [(0, len(frames))]), 2, 0.0, 0).draw(0, 999)]
    assert np.mean(np.array(starts) >= 2**24) == pytest.approx(0.2, abs=0.05)


def test_a_batch_holds_the_reference_then_consecutive_frames_as_floats() -> None:
    clips = Clips(recordings_of(10), length=3)
    batch = to_batch(*collate([clips[(4, 9)], clips[(0, 2)]]))
    assert batch.frames.shape == (2, 3, 3, 2, 2)
    assert (batch.frames[0, :, 0, 0, 0] * 255).tolist() == pytest.approx([4, 5, 6])
    assert (batch.reference[:, 0, 0, 0] * 255).tolist() == pytest.approx([9, 2])
    assert torch.equal(batch.conditions, batch.frames)


def test_processes_share_the_batches_of_one() -> None:
    def frames(batch_size: int, process: int = 0, processes: int = 1) -> list[torch.Tensor]:
        loader = load_clips(
            recordings_of(90), clip_frames=3, batch_size=batch_size, process=process, processes=processes
        )
        return [batch for batch, _ in islice(loader, 5)]

    halves = zip(frames(2, 0, 2), frames(2, 1, 2), strict=True)
    assert all(torch.equal(one, torch.cat(two)) for one, two in zip(frames(4), halves, strict=True))


@MANY_WORKERS
@pytest.mark.parametrize("kind", ["folder", "shards"])
@pytest.mark.parametrize("workers", [0, 2])
def test_skipped_batches_are_the_first_ones(lab_folder: Path, tmp_path: Path, kind: str, workers: int) -> None:
    shard(ShardConfig(data=lab_folder, out=tmp_path / "shards", shard_frames=8))
    source = open_source(tmp_path / "shards" if kind == "shards" else lab_folder)

    def batches(skip: int, count: int) -> list[torch.Tensor]:
        loader = load_clips(source, clip_frames=3, batch_size=2, person_weight=0.5, workers=workers, skip=skip)
        return [torch.stack(both) for both in islice(loader, count)]

    all_of_them = batches(0, 40)
    for skip in (1, 35):
        assert all(torch.equal(a, b) for a, b in zip(batches(skip, 5), all_of_them[skip:], strict=False))


def test_the_share_of_a_batch_is_asked_with_its_number(lab_folder: Path) -> None:
    asked: list[int] = []
    loader = load_clips(
        open_split(lab_folder, "train"), clip_frames=3, batch_size=2, skip=7, share=lambda k: asked.append(k) or 0.5
    )
    next(iter(loader))
    assert asked[0] == 7
