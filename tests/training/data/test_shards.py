import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cvae.errors import InputError
from tests.conftest import moving_square
from training.data.shards import ShardConfig, are_shards, open_shards, shard
from training.data.splits import open_split


@pytest.fixture
def shards(lab_folder: Path, tmp_path: Path) -> Path:
    shard(ShardConfig(data=lab_folder, out=tmp_path / "shards", shard_frames=15))
    return tmp_path / "shards"


def change_index(folder: Path, changes: dict[str, Any]) -> None:
    path = folder / "train" / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_every_frame_is_in_one_shard_as_it_was(shards: Path) -> None:
    pictures: dict[str, np.ndarray] = {}
    index = open_shards(shards / "train").index
    for name, lengths in index.shards.items():
        with tarfile.open(shards / "train" / name) as tar:
            members = {member.name: tar.extractfile(member) for member in tar}
            assert len(members) == 2 * len(lengths)
            assert sum(lengths) <= 15
            pictures |= {
                key: cv2.imdecode(np.frombuffer(file.read(), np.uint8), 1) for key, file in members.items() if file
            }
    frames, poses = moving_square(20)
    for kind, expected in (("frames", frames), ("poses", poses)):
        strips = [pictures[key] for key in sorted(pictures) if key.endswith(f".{kind}.png")]
        assert np.array_equal(np.concatenate(strips)[..., ::-1].reshape(40, 16, 32, 3), np.tile(expected, (2, 1, 1, 1)))


def test_the_index_tells_what_there_is(lab_folder: Path, shards: Path) -> None:
    found = open_shards(shards / "train")
    assert len(found) == 40
    assert found.size == (16, 32)
    assert sorted(length for lengths in found.index.shards.values() for length in lengths) == [10, 10, 10, 10]
    ink = open_split(lab_folder, "train").ink
    assert ink is not None
    assert found.index.mean_ink == pytest.approx(float(ink.mean()))


def test_frames_may_be_made_smaller_on_the_way(lab_folder: Path, tmp_path: Path) -> None:
    shard(ShardConfig(data=lab_folder, out=tmp_path / "small", size=(8, 16)))
    assert open_shards(tmp_path / "small" / "train").size == (8, 16)


def test_validation_pictures_are_copied(lab_folder: Path, shards: Path) -> None:
    assert np.array_equal(open_split(shards, "val").frames, open_split(lab_folder, "val").frames)


def test_what_is_there_already_is_kept(lab_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(InputError, match="out already exists and is not an empty folder"):
        shard(ShardConfig(data=lab_folder, out=tmp_path / "out"))


def test_a_folder_of_pictures_is_no_shards(lab_folder: Path, shards: Path) -> None:
    assert are_shards(shards / "train")
    assert not are_shards(lab_folder / "train")


def test_missing_shards_are_named(shards: Path) -> None:
    (shards / "train" / "000001.tar").unlink()
    with pytest.raises(InputError, match=r"train lacks 1 of 4 shards: 000001.tar\."):
        open_shards(shards / "train")


def test_shards_without_an_index_are_refused(shards: Path) -> None:
    (shards / "train" / "index.json").unlink()
    assert are_shards(shards / "train")
    with pytest.raises(InputError, match=r"shards without index\.json"):
        open_shards(shards / "train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, r"index\.json is no index of shards: format: Input should be 1\."),
        ({"height": "16"}, "shards: height: Input should be a valid integer"),
        ({"height": 0}, "shards: height: Input should be greater than or equal to 1"),
        ({"width": 10**6}, "shards: width: Input should be less than"),
        ({"more": 1}, "shards: more: "),
        ({"shards": {}}, "shards: shards: Dictionary should have at least 1 item"),
        ({"shards": {"a.tar": [-5]}}, "shards: shards.a.tar.0: Input should be greater"),
        ({"shards": {"../000000.tar": [10]}}, "shards: shards.*String should match pattern"),
        ({"shards": {"pipe:id": [10]}, "place": "https://host/"}, "shards: shards.*String should match pattern"),
        ({"place": "pipe:touch hacked; cat "}, "shards: place: String should match pattern"),
        ({"place": "file:///etc/"}, "shards: place: String should match pattern"),
    ],
)
def test_an_index_that_cannot_be_used_is_refused(shards: Path, changes: dict[str, Any], message: str) -> None:
    change_index(shards, changes)
    with pytest.raises(InputError, match=message):
        open_shards(shards / "train")


@pytest.mark.parametrize("size", [(0, 0), (-4, 8), (9000, 9000)])
def test_frames_have_a_size_that_a_network_takes(lab_folder: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="height is 8 to 1024 pixels; got"):
        ShardConfig(data=lab_folder, out=tmp_path / "x", size=size)


def test_shards_are_not_written_into_what_is_copied_beside_them(lab_folder: Path) -> None:
    with pytest.raises(InputError, match=r"val/shards lies in .*data/val, which is copied into it"):
        ShardConfig(data=lab_folder, out=lab_folder / "val" / "shards")


def test_a_disk_too_full_for_a_copy_is_told_with_one_file_and_leaves_nothing(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        raise shutil.Error([(f"{n}.png", "copy", "[Errno 28] No space left on device") for n in range(9)])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(InputError, match=r"data/val cannot be copied, beginning with 0\.png: .*left on device\.$"):
        shard(ShardConfig(data=lab_folder, out=tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_a_shard_has_at_least_a_frame(lab_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--shard-frames is 1 or more; got 0"):
        ShardConfig(data=lab_folder, out=tmp_path / "x", shard_frames=0)


def replace_pictures(path: Path, content: bytes) -> None:
    """A shard with the same names and other pictures."""
    with tarfile.open(path) as old:
        names = old.getnames()
    with tarfile.open(path, "w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
