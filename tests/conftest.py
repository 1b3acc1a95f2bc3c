"""What many tests need: a tiny network, and pictures that look like frames and poses."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cvae.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from cvae.config import Config, DataConfig, PoseCVAEConfig
from cvae.models import PoseCVAE, build_model
from tests.cvae.media import encode_mp4
from training.puppets.clip import PuppetClip, make_clip

torch.set_num_threads(1)  # tiny networks only lose time to threads, and one thread repeats bit by bit

TINY = Config(
    model=PoseCVAEConfig(widths=(16, 16), attention_levels=(1,), latent_channels=2),
    data=DataConfig(height=16, width=32),
)


@pytest.fixture
def tiny_config() -> Config:
    """The smallest network worth running: two levels, 16x32 pixels."""
    return TINY


@pytest.fixture
def tiny_model() -> PoseCVAE:
    """The network of `tiny_config`; every weight random, so that every path matters."""
    return random_model(TINY)


def random_model(config: Config) -> PoseCVAE:
    torch.manual_seed(0)
    model = build_model(config.model).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def drawn(model: Any, step: Any, latent: torch.Tensor) -> torch.Tensor:
    """The frame `(B, 3, H, W)` that a network predicts at a step with this latent."""
    sketch, _ = model.decode_step(step, latent)
    return model.draw_frames([sketch])[:, 0]


@pytest.fixture
def tiny_checkpoint(tmp_path: Path, tiny_config: Config, tiny_model: PoseCVAE) -> Path:
    """A checkpoint folder with random weights."""
    save_checkpoint(tmp_path / "tiny", tiny_config, tiny_model, {"step": 0})
    return tmp_path / "tiny"


@pytest.fixture
def checkpoint(tiny_checkpoint: Path) -> Checkpoint:
    """That folder, loaded."""
    return load_checkpoint(tiny_checkpoint)


def moving_square(count: int, height: int = 16, width: int = 32) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Frames of an orange square on a blue wall, and its 'poses': a thin red cross on white. uint8 `(T, H, W, 3)`."""
    frames = np.full((count, height, width, 3), (60, 90, 160), np.uint8)
    poses = np.full((count, height, width, 3), 255, np.uint8)
    for t in range(count):
        x = 4 + round((width - 10) * (0.5 - 0.5 * np.cos(2 * np.pi * t / 24)))
        frames[t, 5:11, x - 2 : x + 4] = (230, 140, 40)
        poses[t, 8, x - 2 : x + 4] = poses[t, 5:11, x + 1] = (255, 0, 0)
    return frames, poses


def write_pictures(folder: Path, frames: NDArray[np.uint8], first_number: int = 0) -> Path:
    """One PNG per frame, named by number as the lab does."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{first_number + i}.png"), frame[..., ::-1])
    return folder


@pytest.fixture
def lab_folder(tmp_path: Path) -> Path:
    """A data set in the lab's layout: two recordings to train on, one to validate on."""
    frames, poses = moving_square(20)
    for split, starts in (("train", (0, 100)), ("val", (0,))):
        for start in starts:
            write_pictures(tmp_path / "data" / split / f"{split}_img", frames, start)
            write_pictures(tmp_path / "data" / split / f"{split}_label", poses, start)
    return tmp_path / "data"


@pytest.fixture(scope="session")
def dancer() -> PuppetClip:
    """A second of a generated dancer, large enough for BlazePose to find, with the true key points."""
    return make_clip(np.random.SeedSequence(4), 12, (128, 256), 12.0)


@pytest.fixture(scope="session")
def video(dancer: PuppetClip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dancer as a video of 25 frames a second."""
    return encode_mp4(tmp_path_factory.mktemp("video") / "dance.mp4", dancer.frames, "-crf", "10")


def joint_error(found: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Mean distance of joints `(T, 23, 3)` that are seen in both, which most must be, in heights of the person."""
    both = (found[..., 2] > 0) & (truth[..., 2] > 0)
    assert both.sum() > 0.7 * (truth[..., 2] > 0).sum()
    heights = np.array([np.ptp(points[points[:, 2] > 0, 1]) for points in truth])
    distances = np.linalg.norm(found[..., :2] - truth[..., :2], axis=-1) / heights[:, None]
    return float(distances[both].mean())


@pytest.fixture(scope="session")
def evaluation_data() -> Path:
    """Real footage that is no part of the project."""
    folder = os.environ.get("MARIONETTE_DATA")
    if not folder:
        pytest.skip("MARIONETTE_DATA names no folder of evaluation data")
    return Path(folder)
