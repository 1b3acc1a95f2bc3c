"""A tiny network of a robot."""

import dataclasses
from pathlib import Path
from typing import Any

from cvae.checkpoint import save_checkpoint
from cvae.config import NUMBERS, Config, DataConfig, SamplingConfig, SVGConfig, SVGOptions
from tests.conftest import random_model

OPTIONS = SVGOptions(
    patch_size=1, widths=(8, 16), feature_channels=8, latent_channels=2, hidden_channels=8, gaussian_layers=1
)


def robot_config(**changes: Any) -> Config:
    """Frames of 16x16 pixels."""
    options = dataclasses.replace(OPTIONS, **changes)
    numbers = NUMBERS[options.condition]
    return Config(
        model=SVGConfig(options=options, low=(-1.0,) * numbers, high=(1.0,) * numbers),
        data=DataConfig(height=16, width=16),
        sampling=SamplingConfig(sample="prior"),
    )


def save_robot(folder: Path, training: dict[str, Any] | None = None, **changes: Any) -> Path:
    """A checkpoint folder with random weights."""
    config = robot_config(**changes)
    save_checkpoint(folder, config, random_model(config), training or {"step": 0})
    return folder
