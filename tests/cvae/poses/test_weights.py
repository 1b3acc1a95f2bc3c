import hashlib
import os
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from cvae.errors import InputError
from cvae.poses import weights
from cvae.poses.weights import FetchConfig, find_weights, main


def test_the_networks_are_those_of_the_reference() -> None:
    found = find_weights()
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (found.detector, found.landmarks)]
    assert [(digest[:8], digest[-5:]) for digest in digests] == [("9ba9dd3d", "f866c"), ("e9a5c5cb", "64b9f")]


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_without_network_and_cache_the_ways_out_and_the_reason_are_told(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with pytest.raises(
        InputError,
        match=r"run `python -m cvae fetch-pose-weights` .* with --wheel .* or give pictures of skeletons .* "
        r"pip says: No matching distribution found for mediapipe==0\.10\.21",
    ):
        find_weights()
    assert not empty_cache.exists()


def test_a_wheel_at_hand_will_do(empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {member: f"network {index}".encode() for index, member in enumerate(weights._MEMBERS)}
    wheel = tmp_path / "mediapipe.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for member, content in contents.items():
            archive.writestr(member, content)
    with pytest.raises(InputError, match=r'"mediapipe.whl" holds other pose networks'):
        main(FetchConfig(wheel=wheel))
    assert not empty_cache.exists()
    digests = {member: hashlib.sha256(content).hexdigest() for member, content in contents.items()}
    monkeypatch.setattr(weights, "_MEMBERS", digests)
    for name, digest in zip(("_DETECTOR", "_LANDMARKS"), digests.values(), strict=True):
        monkeypatch.setattr(weights, name, digest)
    empty_cache.touch()
    with pytest.raises(InputError, match=r"The pose networks cannot be kept in .*: (Not a directory|File exists)\."):
        main(FetchConfig(wheel=wheel))
    empty_cache.unlink()
    main(FetchConfig(wheel=wheel))
    assert [file.read_bytes() for file in (find_weights().detector, find_weights().landmarks)] == list(
        contents.values()
    )


def test_damaged_networks_are_fetched_again(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"the networks"
    digest = hashlib.sha256(content).hexdigest()
    fetched: list[Path] = []

    def download(cache: Path) -> None:
        fetched.append(cache)
        (cache / f"{digest}.tflite").write_bytes(content)

    for name in ("_DETECTOR", "_LANDMARKS"):
        monkeypatch.setattr(weights, name, digest)
    monkeypatch.setattr(weights, "_download", download)
    folder = empty_cache / "marionette" / "blazepose"
    folder.mkdir(parents=True)
    (folder / f"{digest}.tflite").write_bytes(content[:-1])
    assert find_weights().detector.read_bytes() == content
    assert find_weights().landmarks.read_bytes() == content and fetched == [folder]


def _locked_zip() -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member in weights._MEMBERS:
            archive.writestr(member, b"network")
    content = bytearray(file.getvalue())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # encrypted, says the list of contents
    return bytes(content)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18), _locked_zip(), None])
def test_another_file_is_no_wheel(empty_cache: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        os.mkfifo(tmp_path / "a.whl")
    else:
        (tmp_path / "a.whl").write_bytes(content)
    with pytest.raises(InputError, match=r'"a.whl" is not the package mediapipe'):
        main(FetchConfig(wheel=tmp_path / "a.whl"))


def test_the_page_starts_without_the_pose_engine() -> None:
    code = "import app, sys; sys.exit('ai_edge_litert' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_bundled_networks_come_before_the_cache(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert weights.present_weights() is None
    for name in ("_DETECTOR", "_LANDMARKS"):
        monkeypatch.setattr(weights, name, hashlib.sha256(name.encode()).hexdigest())
        (tmp_path / f"{getattr(weights, name)}.tflite").write_text(name)
    monkeypatch.setattr(weights, "BUNDLED", tmp_path)
    assert find_weights().detector == tmp_path / f"{weights._DETECTOR}.tflite"
    find_weights().landmarks.write_text("damaged")
    assert weights.present_weights() is None
