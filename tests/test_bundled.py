from pathlib import Path

import numpy as np
import pytest
import torch

from cvae.checkpoint import BUNDLED, BUNDLED_ROBOT, load_checkpoint
from cvae.generate import frame_psnr, generate
from cvae.request import read_request
from cvae.robot_request import read_robot_request

EXAMPLES, ROBOTS = (
    sorted((Path(__file__).parents[1] / "examples" / kind).glob("*/")) for kind in ("dancers", "robots")
)


def test_the_bundled_weights_are_small_and_there_are_three_examples_of_each() -> None:
    assert sum(path.stat().st_size for path in BUNDLED.iterdir()) < 12e6
    assert sum(path.stat().st_size for path in BUNDLED_ROBOT.iterdir()) < 15e6
    assert len(EXAMPLES) == len(ROBOTS) == 3


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_bundled_weights_drive_a_stranger_3_db_better_than_copying(example: Path) -> None:
    checkpoint = load_checkpoint(BUNDLED)
    files = (example / "first_frame.png", example / "poses.webp", example / "truth.webp")
    request = read_request(*files, size=checkpoint.config.data.size)
    assert request.notes == ()
    assert request.truth is not None
    predicted = list(generate(checkpoint.model, request))
    copied = [request.given[0]] * len(predicted)
    scores = frame_psnr(predicted, request.truth[1:])
    assert np.mean(scores) > np.mean(frame_psnr(copied, request.truth[1:])) + 3
    assert np.mean(scores[10:50]) - np.mean(scores[-40:]) < 1.5


@pytest.mark.parametrize("example", ROBOTS, ids=lambda path: path.name)
def test_the_bundled_robot_is_predicted_3_db_better_than_copying(example: Path) -> None:
    checkpoint = load_checkpoint(BUNDLED_ROBOT)
    request = read_robot_request(None, example, size=checkpoint.config.data.size, past_frames=2)
    assert request.notes == () and request.truth is not None
    predicted = list(generate(checkpoint.model, request))
    copied = [request.given[1]] * len(predicted)
    assert np.mean(frame_psnr(predicted, request.truth[2:])) > np.mean(frame_psnr(copied, request.truth[2:])) + 3


def test_bfloat16_shows_the_same_video() -> None:
    checkpoint = load_checkpoint(BUNDLED)
    files = (EXAMPLES[0] / "first_frame.png", EXAMPLES[0] / "poses.webp")
    request = read_request(*files, size=checkpoint.config.data.size)
    exact = list(generate(checkpoint.model, request))
    fast = list(generate(checkpoint.model.to(torch.bfloat16), request))
    assert np.mean(frame_psnr(fast, np.stack(exact))) > 45
