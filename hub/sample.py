"""The moving sample of a model card, small enough to load with the page."""

import shutil
from itertools import islice
from pathlib import Path

import numpy as np

from cvae.actions import read_actions
from cvae.borders import TRUE, bordered, bordered_video
from cvae.checkpoint import Checkpoint
from cvae.config import ModelConfig
from cvae.export import DEFAULT_FPS, write_gif
from cvae.generate import generate
from cvae.reader import ClipReader, Span
from cvae.request import Request, read_request
from cvae.robot_request import make_robot_request
from hub.files import SAMPLE
from hub.subject import beginning_of

_SECONDS = 3.0
_EXAMPLES = Path(__file__).parents[1] / "examples"
_DANCERS, _ROBOTS = _EXAMPLES / "dancers", _EXAMPLES / "robots"
_SHOWN_HEIGHT = 128
"""Pixels, to which small frames are enlarged about."""
_BORDERS = "Given frames have a green border, predicted ones a red one, true ones a grey one"


def write_sample(
    path: Path, checkpoint: Checkpoint, folder: Path, measured: Path | None, samples: int = 1
) -> str | None:
    """Write a GIF of predicted frames beside true ones.

    Args:
        path: The GIF.
        checkpoint: What is shown.
        folder: Where it was loaded from; the training may have left a sample in it.
        measured: A GIF of its evaluation, which is taken before any other.
        samples: How many videos of each sequence the evaluation drew.

    Returns:
        What is seen, in a sentence; None where there is nothing to show.
    """
    model = checkpoint.config.model
    posed = model.condition == "poses"
    if measured:
        write_gif(path, *_beginning(measured))
        columns = _columns(model) if samples == 1 else _columns_of_samples(model)
        return f"The beginning of a sequence that it was measured on: {columns}."
    if (folder / SAMPLE).is_file():
        shutil.copyfile(folder / SAMPLE, path)
        if posed:
            return f"The beginning of a recording that it was validated on: {_columns(model)}."
        return (
            "Recordings that it was validated on, two columns of each: "
            f"what is predicted from {beginning_of(model)}, and right of it the truth. {_BORDERS}."
        )
    found = _dancer(checkpoint) if posed else _robot(checkpoint) if model.condition != "keypoints" else None
    if found is None:
        return None
    write_columns(path, *found)
    shown = "A generated dancer" if posed else "A robot"
    return f"{shown}, one of the examples that come with Marionette: {_columns(model)}."


def write_columns(path: Path, frames: np.ndarray, fps: float) -> None:
    """Write a GIF of columns side by side, uint8 `(T, h, w, 3)`, small frames enlarged."""
    write_gif(path, frames, fps, scale=max(1, round(_SHOWN_HEIGHT / frames.shape[1])))


def _columns(model: ModelConfig) -> str:
    if model.condition == "poses":
        return "left the poses it is given, in the middle what it predicts from the first frame alone, right the truth"
    return f"left what is predicted from {beginning_of(model)}, right the truth. {_BORDERS}"


def _columns_of_samples(model: ModelConfig) -> str:
    if model.condition == "poses":
        return (
            "left the poses it is given, then samples of what it predicts from the first frame alone, right the truth"
        )
    return f"samples of what is predicted from {beginning_of(model)}, and right of them the truth. {_BORDERS}"


def _beginning(path: Path) -> tuple[np.ndarray, float]:
    with ClipReader(path, span=Span(end=_SECONDS)) as reader:
        frames = np.stack(list(reader))
    index, fps, _ = reader.pace()
    return frames[index], fps or DEFAULT_FPS


def _dancer(checkpoint: Checkpoint) -> tuple[np.ndarray, float] | None:
    """Frames `(T, H, 3 W, 3)` of a bundled example and their rate."""
    place = next((place for place in sorted(_DANCERS.glob("*")) if (place / "truth.webp").is_file()), None)
    if place is None:
        return None
    size = checkpoint.config.data.size
    request = read_request(place / "first_frame.png", place / "poses.webp", place / "truth.webp", size=size)
    assert request.truth is not None and request.poses is not None
    frames = _predicted(checkpoint, request)
    shown = len(frames)
    return np.concatenate([request.poses[:shown], frames, request.truth[:shown]], axis=2), request.fps


def _robot(checkpoint: Checkpoint) -> tuple[np.ndarray, float] | None:
    """The same in two columns and borders, of the first example that is long enough."""
    model = checkpoint.config.model
    past = model.past_frames
    for place in sorted(path for path in _ROBOTS.glob("*") if not path.name.startswith(".")):
        came = read_actions(place, size=checkpoint.config.data.size)
        if came.video is None or not past < len(came.video.frames) == len(came.rows):
            continue
        request = make_robot_request(came.video.frames, came, None, past_frames=past)
        frames = _predicted(checkpoint, request)
        assert request.truth is not None
        columns = [bordered_video(frames, past), bordered(request.truth[: len(frames)], TRUE)]
        return np.concatenate(columns, axis=2), request.fps
    return None


def _predicted(checkpoint: Checkpoint, request: Request) -> np.ndarray:
    """Given and predicted frames `(T, H, W, 3)` of the first seconds; one is predicted in any case."""
    predicted = generate(checkpoint.model, request, sample=checkpoint.config.sampling.sample)
    count = max(1, round(_SECONDS * request.fps) - len(request.given))
    return np.stack([*request.given, *islice(predicted, count)])
