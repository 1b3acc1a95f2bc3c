import csv
import re
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch

from cvae.actions import read_actions, to_conditions
from cvae.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from cvae.config import Config, DataConfig, SVGConfig, SVGOptions
from cvae.errors import InputError
from cvae.generate import GenerateConfig, frame_psnr, generate, generate_file, to_picture, to_tensor
from cvae.models import SVG
from cvae.poses.keypoints import to_numbers
from cvae.request import Request, read_request
from cvae.robot_request import read_robot_request
from cvae.rollout import rollout
from tests.conftest import moving_square, random_model, write_pictures
from tests.training.robot_data import robot_rows, write_trajectory

SIZE, COUNT = (16, 16), 6
OPTIONS = SVGOptions(patch_size=1, widths=(8, 16), feature_channels=12, latent_channels=3, hidden_channels=16)
ROBOT = Config(model=SVGConfig(options=OPTIONS), data=DataConfig(height=16, width=16))


def checkpoint(folder: Path, config: Config = ROBOT) -> Checkpoint:
    save_checkpoint(folder, config, random_model(config), {})
    return load_checkpoint(folder)


@pytest.fixture
def trajectory(tmp_path: Path) -> Path:
    """Six frames of a robot with its actions, in the lab's layout."""
    return write_trajectory(tmp_path / "trajectory", robot_rows(COUNT))


def request_for(actions: Path, frames: Path | None = None, truth: Path | None = None, past_frames: int = 2) -> Request:
    return read_robot_request(frames, actions, truth, size=SIZE, past_frames=past_frames)


def test_a_whole_trajectory_gives_its_beginning_and_is_the_truth(trajectory: Path) -> None:
    request, frames = request_for(trajectory), moving_square(COUNT, *SIZE)[0]
    assert np.array_equal(request.given, frames[:2]) and np.array_equal(request.truth, frames)
    assert np.array_equal(request.conditions, to_conditions(read_actions(trajectory, size=SIZE).rows))
    assert request.future == COUNT - 2 and request.poses is None


def test_more_frames_than_needed_are_all_given(trajectory: Path) -> None:
    (trajectory / "5.png").unlink()
    request = request_for(trajectory)
    assert len(request.given) == 5 and request.truth is None and request.future == 1


def test_frames_that_are_chosen_stand_before_those_beside_the_actions(trajectory: Path, tmp_path: Path) -> None:
    chosen = write_pictures(tmp_path / "chosen", 255 - moving_square(3, *SIZE)[0])
    assert np.array_equal(request_for(trajectory, chosen).given, 255 - moving_square(3, *SIZE)[0])


def test_other_sizes_are_resized_and_it_is_said(trajectory: Path, tmp_path: Path) -> None:
    large = write_pictures(tmp_path / "large", moving_square(2, 32, 48)[0])
    request = request_for(trajectory, large)
    assert request.given.shape == (2, 16, 16, 3)
    assert any("48x32" in note for note in request.notes), request.notes


@pytest.mark.parametrize(
    ("kept", "past_frames", "message"),
    [
        (1, 2, "There are 1 given frames; this network needs 2 or more"),
        (0, 2, "There are no given frames; expected 2 or more"),
        (COUNT, COUNT, "6 rows of actions and 6 given frames, so that nothing is left to predict"),
    ],
)
def test_frames_that_do_not_fit_the_network_are_refused(
    kept: int, past_frames: int, message: str, trajectory: Path
) -> None:
    for number in range(kept, COUNT):
        (trajectory / f"{number}.png").unlink()
    with pytest.raises(InputError, match=message):
        request_for(trajectory, past_frames=past_frames)


def test_a_truth_of_another_length_is_refused(trajectory: Path, tmp_path: Path) -> None:
    truth = write_pictures(tmp_path / "truth", moving_square(COUNT - 1, *SIZE)[0])
    with pytest.raises(InputError, match="The ground truth has 5 frames and there are 6 rows of actions"):
        request_for(trajectory, truth=truth)


def test_generate_writes_the_given_frames_then_the_predictions_and_their_psnr(
    trajectory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    robot, out = checkpoint(tmp_path / "robot"), tmp_path / "out.gif"
    generate_file(GenerateConfig(actions=trajectory, out=out, psnr=tmp_path / "out.csv"), robot)
    request = request_for(trajectory)
    frames = to_tensor(request.given)[None]
    predicted = [to_picture(f[0]) for f in rollout(robot.model, frames, torch.from_numpy(request.conditions)[None])]
    shown = iio.imread(out)
    assert shown.shape == (COUNT, 16, 16, 3)
    assert np.abs(shown.astype(int) - np.stack([*request.given, *predicted])).mean() < 3
    assert request.truth is not None
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == [2, 3, 4, 5]
    expected = frame_psnr(predicted, request.truth[2:])
    assert [float(row["psnr"]) for row in rows] == pytest.approx(expected, abs=1e-3)
    assert f"mean PSNR {np.mean(expected):.2f} dB" in capsys.readouterr().out


def test_a_seed_repeats_a_drawn_video(trajectory: Path, tmp_path: Path) -> None:
    model, request = checkpoint(tmp_path / "robot").model, request_for(trajectory)
    assert isinstance(model, SVG)
    for layer in (model.predictor.inward, model.predictor.outward, model.decoder.start, model.decoder.out):
        layer.weight *= 5  # so that a latent changes the frame
    first, again, other = (np.stack(list(generate(model, request, sample="prior", seed=seed))) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Give either --poses, of a person, or --actions, of a robot"),
        ({"poses": "p", "actions": "a"}, "Give either --poses"),
        ({"poses": "p", "frames": "f"}, "--frames are those of a robot; expected --first-frame"),
        ({"actions": "a", "first_frame": "f"}, "--first-frame is that of a person; expected --frames"),
        ({"actions": "out.gif"}, "--actions and --out are both out.gif"),
    ],
)
def test_options_of_a_person_and_a_robot_do_not_mix(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        GenerateConfig(out=Path("out.gif"), **{name: Path(value) for name, value in options.items()})  # type: ignore[arg-type]


def test_a_network_of_the_other_kind_says_so(trajectory: Path, tiny_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tiny predicts a person; expected --poses instead of --actions"):
        generate_file(GenerateConfig(actions=trajectory, out=tmp_path / "o.gif"), load_checkpoint(tiny_checkpoint))
    with pytest.raises(InputError, match="robot predicts a robot; expected --actions instead of --poses"):
        generate_file(GenerateConfig(poses=trajectory, out=tmp_path / "o.gif"), checkpoint(tmp_path / "robot"))
    assert not (tmp_path / "o.gif").exists()


def test_key_points_themselves_drive_a_network_that_wants_numbers(tmp_path: Path) -> None:
    points = np.random.default_rng(0).random((4, 23, 3)) * [31, 31, 0] + [0, 0, 1]
    np.savez(tmp_path / "points.npz", keypoints=points, canvas=np.array([32, 32]))
    write_pictures(tmp_path, moving_square(1, 32, 32)[0]).joinpath("0.png").rename(tmp_path / "first.png")
    request = read_request(tmp_path / "first.png", tmp_path / "points.npz", size=(32, 32), as_numbers=True)
    np.testing.assert_allclose(request.conditions, to_numbers(points, (32, 32)), atol=1e-5)
    assert request.poses is not None and request.poses.shape == (4, 32, 32, 3)


def test_pictures_of_skeletons_cannot_drive_it(tmp_path: Path) -> None:
    frames, poses = moving_square(4)
    write_pictures(tmp_path, frames[:1]).joinpath("0.png").rename(tmp_path / "first.png")
    folder = write_pictures(tmp_path / "poses", poses)
    with pytest.raises(InputError, match=re.escape("this network is told key points; expected those")):
        read_request(tmp_path / "first.png", folder, size=(16, 32), as_numbers=True)


def test_a_whole_video_as_frames_and_as_truth_gives_its_beginning(trajectory: Path) -> None:
    tables = [trajectory / "actions.csv", trajectory / "endeffector_positions.csv"]
    pictures = [trajectory / f"{number}.png" for number in range(COUNT)]
    request = read_robot_request(pictures, tables, pictures, size=SIZE, past_frames=2)
    assert len(request.given) == 2 and request.truth is not None and len(request.truth) == COUNT
