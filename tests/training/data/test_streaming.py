import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from itertools import islice
from pathlib import Path
from socketserver import ThreadingTCPServer

import cv2
import numpy as np
import pytest

from cvae.errors import InputError
from cvae.runs import checkpoints_in
from tests.conftest import write_pictures
from tests.training.data.test_clips import MANY_WORKERS
from tests.training.data.test_shards import change_index, replace_pictures
from training.config import TrainConfig
from training.data.clips import load_clips
from training.data.shards import ShardConfig, Shards, open_shards, shard
from training.data.streaming import ShardClips
from training.recipe import NetworkConfig, Recipe
from training.train import train

PIECES = 8
CLIPS = 6  # of a piece: 8 frames, clips of 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight shards of one piece of eight frames; each frame is as bright as its number."""
    frames = np.arange(8 * PIECES, dtype=np.uint8)[:, None, None, None] + np.zeros((1, 8, 16, 3), np.uint8)
    write_pictures(tmp_path / "data" / "train" / "train_img", frames)
    write_pictures(tmp_path / "data" / "train" / "train_label", 255 - frames)
    shard(ShardConfig(data=tmp_path / "data", out=tmp_path / "shards", shard_frames=8))
    return tmp_path / "shards" / "train"


@pytest.fixture
def shards(folder: Path) -> Shards:
    return open_shards(folder)


def starts_of(shards: Shards, batches: int, process: int = 0, processes: int = 1, workers: int = 0) -> list[int]:
    loader = load_clips(shards, clip_frames=3, batch_size=3, workers=workers, process=process, processes=processes)
    return [int(clip[1, 0, 0, 0]) for frames, _ in islice(loader, batches) for clip in frames]


EVERY_START = {8 * piece + start: 1 for piece in range(PIECES) for start in range(CLIPS)}


def test_a_clip_is_consecutive_frames_with_their_poses_after_a_frame_of_the_same_piece(shards: Shards) -> None:
    loader = load_clips(shards, clip_frames=3, batch_size=4)
    for frames, poses in islice(loader, 20):
        assert frames.shape == poses.shape == (4, 4, 8, 16, 3)
        assert ((255 - poses) == frames).all()
        for reference, *clip in frames[:, :, 0, 0, 0].tolist():
            assert clip == [clip[0], clip[0] + 1, clip[0] + 2]
            assert reference // 8 == clip[0] // 8 == clip[2] // 8


def test_an_epoch_has_every_clip_once_in_an_order_that_is_not_that_of_the_last(shards: Shards) -> None:
    clips = PIECES * CLIPS
    starts = starts_of(shards, 2 * clips // 3)
    assert Counter(starts[:clips]) == Counter(starts[clips:]) == EVERY_START
    assert starts[:clips] != starts[clips:]
    assert np.mean(np.diff(starts[:clips]) == 1) < 0.2


@MANY_WORKERS
def test_two_processes_with_two_workers_each_share_an_epoch_without_overlap(shards: Shards) -> None:
    batches = PIECES * CLIPS // 3 // 2
    seen = [starts_of(shards, batches, process, processes=2, workers=2) for process in range(2)]
    assert not set(seen[0]) & set(seen[1])
    assert Counter(seen[0]) + Counter(seen[1]) == EVERY_START


def test_the_next_epoch_gives_a_process_other_shards(shards: Shards) -> None:
    stream = ShardClips(shards, 3, 3, 0.0, 0)
    epochs = [[set(stream.split(epoch, reader, 2)) for reader in range(2)] for epoch in range(4)]
    assert all(a | b == set(shards.index.shards) and not a & b for a, b in epochs)
    assert len({frozenset(a) for a, _ in epochs}) > 1


def test_memory_holds_no_more_pieces_than_fit(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.data.streaming.BUFFER_BYTES", 1)
    starts = starts_of(shards, PIECES * CLIPS // 3)
    assert Counter(starts) == EVERY_START
    assert [len({start // 8 for start in starts[i : i + CLIPS]}) for i in range(0, len(starts), CLIPS)] == [1] * PIECES


def test_clips_with_more_of_the_person_come_more_often(shards: Shards) -> None:
    clips = ShardClips(shards, 3, 3, person_weight=10.0, seed=0).clips(0, 1)
    starts = Counter(int(next(clips).cut()[0][1, 0, 0, 0]) for _ in range(5_000))
    weight = [1 + 10 * start / 31.5 for start in EVERY_START]
    expected = 5_000 * np.array(weight) / np.sum(weight)
    np.testing.assert_allclose([starts[start] for start in EVERY_START], expected, rtol=0.2, atol=10)


def test_shards_are_resized_to_the_size_asked_for(folder: Path) -> None:
    frames, _ = next(iter(load_clips(open_shards(folder, (4, 8)), clip_frames=3, batch_size=2)))
    assert frames.shape == (2, 4, 4, 8, 3)


def test_too_few_shards_are_refused_with_both_numbers(shards: Shards) -> None:
    with pytest.raises(InputError, match="8 shards cannot be shared among 9 loading processes; take fewer --workers"):
        load_clips(shards, clip_frames=3, batch_size=2, workers=3, processes=3)


def test_clips_longer_than_every_piece_are_refused(shards: Shards) -> None:
    with pytest.raises(InputError, match="longest piece of the shards has 8 frames; a clip needs 9"):
        load_clips(shards, clip_frames=9, batch_size=2)


def test_a_first_part_of_shards_is_refused(shards: Shards) -> None:
    with pytest.raises(InputError, match="Shards are in random order"):
        load_clips(shards, clip_frames=3, batch_size=2, share=lambda batch: 0.5)


def white(*size: int) -> bytes:
    return cv2.imencode(".png", np.full((*size, 3), 255, np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (white(32, 16), "000000.tar holds a strip of 16x32 pixels; expected 16x64"),
        (b"\x89PNG\r\n\x1a\n and then nothing", "000000.tar.* is damaged and cannot be read as a picture"),
    ],
)
def test_damaged_pictures_are_refused(folder: Path, content: bytes, message: str) -> None:
    replace_pictures(folder / "000000.tar", content)
    with pytest.raises(InputError, match=message):
        starts_of(open_shards(folder), 20)


@pytest.mark.parametrize("kept", [0, 700])
def test_a_shard_that_ends_early_is_refused(folder: Path, kept: int) -> None:
    path = folder / "000003.tar"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"000003\.tar cannot be read to its end as its index tells"):
        starts_of(open_shards(folder), 20)


@MANY_WORKERS
def test_a_worker_says_in_the_same_words_what_is_damaged(folder: Path) -> None:
    replace_pictures(folder / "000000.tar", white(32, 16))
    with pytest.raises(InputError, match=r"^000000\.tar holds a strip of 16x32 pixels; expected 16x64\.$"):
        starts_of(open_shards(folder), 20, workers=2)


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    with ThreadingTCPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.mark.skipif(not shutil.which("curl"), reason="shards at an address are read by curl")
def test_shards_are_read_from_an_address(folder: Path, server: str, tmp_path: Path) -> None:
    (tmp_path / "here" / "train").mkdir(parents=True)
    shutil.copy(folder / "index.json", tmp_path / "here" / "train")
    change_index(tmp_path / "here", {"place": server})
    shards = open_shards(tmp_path / "here" / "train")
    assert Counter(starts_of(shards, PIECES * CLIPS // 3)) == EVERY_START


def test_training_takes_shards_as_it_takes_folders(lab_folder: Path, tmp_path: Path) -> None:
    shard(ShardConfig(data=lab_folder, out=tmp_path / "sharded", shard_frames=8))
    network = NetworkConfig(patch_size=1, widths=(16, 16), attention_levels=(1,))
    config = TrainConfig(
        data=tmp_path / "sharded", out=tmp_path / "run", steps=2, recipe=Recipe(network=network), mixed_precision="no"
    )
    assert list(checkpoints_in(train(config))) == [2]
