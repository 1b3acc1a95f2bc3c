"""The moving sample of a model card, small enough to load with the page."""

import shutil
from itertools import islice
from pathlib import Path

import numpy as np

from cvae.checkpoint import Checkpoint
from cvae.export import DEFAULT_FPS, write_gif
from cvae.generate import generate
from cvae.reader import ClipReader, Span
from cvae.request import read_request
from hub.files import SAMPLE

_SECONDS = 3.0
_EXAMPLES = Path(__file__).parents[1] / "examples"
_SHOWN_HEIGHT = 128
"""Pixels, to which small frames are enlarged about."""


def write_sample(path: Path, checkpoint: Checkpoint, folder: Path, measured: Path | None) -> str | None:
    """Write a GIF of pose, prediction and truth side by side.

    Args:
        path: The GIF.
        checkpoint: What is shown.
        folder: Where it was loaded from; the training may have left a sample in it.
        measured: A GIF of its evaluation, which is taken before any other.

    Returns:
        What is seen, for a caption; None where there is nothing to show.
    """
    if measured:
        frames, fps = _beginning(measured)
        write_gif(path, frames, fps)
        return "the beginning of a sequence that it was measured on"
    if (folder / SAMPLE).is_file():
        shutil.copyfile(folder / SAMPLE, path)
        return "the beginning of a recording that it was validated on"
    example = next((place for place in sorted(_EXAMPLES.glob("*")) if (place / "truth.webp").is_file()), None)
    if example is None:
        return None
    frames, fps = _example(checkpoint, example)
    write_columns(path, frames, fps)
    return "a generated dancer, one of the examples that come with Marionette"


def write_columns(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write a GIF of pose, prediction and truth, uint8 `(T, H, 3 W, 3)`, small frames enlarged."""
    write_gif(path, frames, fps, scale=max(1, round(_SHOWN_HEIGHT / frames.shape[1])))


def _beginning(path: Path) -> tuple[np.ndarray, float]:
    with ClipReader(path, span=Span(end=_SECONDS)) as reader:
        frames = np.stack(list(reader))
    index, fps, _ = reader.pace()
    return frames[index], fps or DEFAULT_FPS


def _example(checkpoint: Checkpoint, folder: Path) -> tuple[np.ndarray, float]:
    """Frames `(T, H, 3 W, 3)` of a bundled example and their rate."""
    request = read_request(
        folder / "first_frame.png", folder / "poses.webp", folder / "truth.webp", size=checkpoint.config.data.size
    )
    assert request.truth is not None
    predicted = generate(checkpoint.model, request, sample=checkpoint.config.sampling.sample)
    frames = np.stack([*request.given, *islice(predicted, round(_SECONDS * request.fps) - 1)])
    shown = len(frames)
    assert request.poses is not None
    return np.concatenate([request.poses[:shown], frames, request.truth[:shown]], axis=2), request.fps
