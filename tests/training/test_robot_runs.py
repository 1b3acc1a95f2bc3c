"""Training and evaluation of the recurrent network: the same loop, driven by numbers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from cvae.borders import BORDER, GIVEN, PREDICTED
from cvae.checkpoint import load_checkpoint, save_checkpoint
from cvae.config import DataConfig, PoseCVAEConfig, SamplingConfig, SVGConfig, SVGOptions
from cvae.errors import InputError
from cvae.generate import frame_psnr
from cvae.runs import checkpoints_in
from tests.conftest import write_pictures
from tests.training.robot_data import robot_rows, write_robot
from tests.training.tiny_runs import config, last, losses, told
from training.compare import VARIANTS, CompareConfig, compare
from training.config import TrainConfig
from training.data.shards import ShardConfig, shard
from training.data.splits import open_split
from training.evaluation.evaluate import TOGETHER, EvaluateConfig, choose_spans, evaluate, predict, validation_psnr
from training.evaluation.sequences import open_sequences
from training.logs import read_rows
from training.presets import PRESETS, svg_fp, svg_lp
from training.recipe import Recipe
from training.train import train

SIDE, FRAMES = 16, 6
NAMES = [f"traj_0-{number}" for number in range(6)]
TINY = SVGOptions(
    patch_size=1,
    widths=(8, 16),
    feature_channels=16,
    latent_channels=4,
    hidden_channels=32,
    predictor_layers=1,
    future_frames=FRAMES - 2,
)


def tiny(recipe: Recipe, **changes: object) -> Recipe:
    options = replace(TINY, prior=recipe.network.svg.prior, **changes)  # type: ignore[arg-type]
    clips = replace(recipe.clips, batch_size=4, frames=options.past_frames + options.future_frames)
    return replace(recipe, network=replace(recipe.network, svg=options), clips=clips)


def train_tiny(data: Path, out: Path, recipe: Recipe | None = None, **changes: object) -> Path:
    return train(config(data, out, recipe or tiny(svg_lp()), preset="svg-lp", **changes))


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A square on a wall that goes where the actions say, which nobody could guess from the frames before."""
    data, rng = tmp_path_factory.mktemp("steered"), np.random.default_rng(0)
    for split, count in (("train", 40), ("validate", 8), ("test", 6)):
        for number in range(count):
            place = np.cumsum(rng.integers(-4, 5, (FRAMES, 2)), axis=0) % (SIDE - 5)
            frames = np.full((FRAMES, SIDE, SIDE, 3), (60, 90, 160), np.uint8)
            for frame, (y, x) in zip(frames, place, strict=True):
                frame[y : y + 5, x : x + 5] = (230, 140, 40)
            rows = np.zeros((FRAMES, 7))
            rows[:-1, :2], rows[:, 4:6] = np.diff(place, axis=0), place
            folder = write_pictures(data / split / "traj_0" / str(number), frames)
            np.savetxt(folder / "actions.csv", rows[:, :4], delimiter=",")
            np.savetxt(folder / "endeffector_positions.csv", rows[:, 4:], delimiter=",")
    return data


@pytest.fixture
def run(steered: Path, tmp_path: Path) -> Path:
    return train_tiny(steered, tmp_path / "run")


def results_of(data: Path, run: Path, out: Path, **options: object) -> dict:
    evaluate(EvaluateConfig(data=data, checkpoint=run, out=out, device="cpu", **options))  # type: ignore[arg-type]
    return json.loads((out / "results.json").read_text())


@pytest.mark.slow
def test_actions_matter_shuffled_ones_lose_what_they_are_worth(steered: Path, tmp_path: Path) -> None:
    recipe = tiny(svg_lp())
    recipe = replace(recipe, optimizer=replace(recipe.optimizer, name="adamw", peak_lr=1e-2))
    run = train_tiny(steered, tmp_path / "run", recipe, steps=200)
    right = results_of(steered, run, tmp_path / "right")
    wrong = results_of(steered, run, tmp_path / "wrong", shuffle_conditions=True)
    assert right["psnr"]["mean"] > right["copying"]["mean"] + 3
    assert right["psnr"]["mean"] > wrong["psnr"]["mean"] + 3


@pytest.mark.parametrize("preset", ["svg-lp", "svg-fp"])
def test_a_run_of_each_preset_tells_what_it_was_and_shows_itself(steered: Path, tmp_path: Path, preset: str) -> None:
    run = train(config(steered, tmp_path / "run", tiny(PRESETS[preset]()), preset=preset))  # type: ignore[index]
    made = load_checkpoint(run).config
    assert isinstance(made.model, SVGConfig) and made.sampling.sample == "prior"
    assert made.model.options.prior == {"svg-lp": "learned", "svg-fp": "fixed"}[preset]
    assert told(run)["options"]["preset"] == preset
    rows = read_rows(run)
    assert {"KL", "kl_weight", "loss"} <= rows[0].keys() and "validation_psnr" in rows[-1]
    assert (run / "training.png").is_file()


def test_the_ranges_of_the_numbers_travel_with_the_weights(steered: Path, run: Path) -> None:
    made, numbers = load_checkpoint(run).config.model, open_split(steered, "train", condition="actions").conditions
    assert isinstance(made, SVGConfig)
    assert made.low == pytest.approx(numbers.min(0)) and made.high == pytest.approx(numbers.max(0))


def test_a_stopped_and_resumed_training_is_bit_equal_to_one_that_never_stopped(steered: Path, tmp_path: Path) -> None:
    whole = train_tiny(steered, tmp_path / "whole", steps=4)
    train_tiny(steered, tmp_path / "parts", steps=4, validate_every=2)
    parts = list(checkpoints_in(tmp_path / "parts").values())
    for folder in parts[1:]:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        folder.rmdir()
    resumed = train_tiny(steered, tmp_path / "parts", steps=4, validate_every=2, resume=True)
    assert losses(resumed) == losses(whole)
    weights = [load_file(last(folder) / "model.safetensors") for folder in (whole, resumed)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_of_several_samples_the_best_is_told_beside_their_mean(steered: Path, run: Path, tmp_path: Path) -> None:
    results = results_of(steered, run, tmp_path / "out", samples=5)
    assert results["samples"] == 5 and list(results["psnr"]["sequences"]) == NAMES
    for kind in ("psnr", "ssim"):
        best = "best" if kind == "psnr" else "best_ssim"
        assert all(results[best]["sequences"][name] > results[kind]["sequences"][name] for name in NAMES)
        assert len(results["steps"][best]["mean"]) == len(results["steps"][kind]["spread"]) == FRAMES - 2
        assert np.mean(results["steps"][best]["mean"]) == pytest.approx(results[best]["mean"], abs=1e-3)
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert made == {"results.json", "steps.png", *(f"{name}.gif" for name in NAMES)}


def test_of_one_sample_the_score_is_that_of_its_frames(steered: Path, run: Path, tmp_path: Path) -> None:
    results = results_of(steered, run, tmp_path / "out", sample="mean")
    validation = open_split(steered, "test", condition="actions")
    network = load_checkpoint(run).at_full_speed("cpu").model
    spans = choose_spans(validation, 10_000, network.config)
    assert validation_psnr(network, validation, spans) == pytest.approx(results["psnr"]["mean"], abs=0.02)
    frames = validation.frames[:FRAMES]
    copied = [frames[1]] * (FRAMES - 2)
    assert results["copying"]["sequences"][NAMES[0]] == pytest.approx(np.mean(frame_psnr(copied, frames[2:])), abs=1e-4)


def test_given_frames_have_a_green_border_and_predicted_ones_a_red_one(
    steered: Path, run: Path, tmp_path: Path
) -> None:
    results_of(steered, run, tmp_path / "out", samples=3)
    with Image.open(tmp_path / "out" / f"{NAMES[0]}.gif") as gif:
        assert gif.n_frames == FRAMES
        colours, scale = [], (gif.height - 20) // (SIDE + 2 * BORDER)
        for number in range(FRAMES):
            gif.seek(number)
            colours.append(gif.convert("RGB").getpixel((0, 20)))
        pitch = (SIDE + 2 * BORDER + 2) * scale
        assert gif.width == 4 * pitch - 2 * scale  # three samples and the truth
    near = [min((GIVEN, PREDICTED), key=lambda c: np.abs(np.subtract(c, colour)).sum()) for colour in colours]
    assert near == [GIVEN] * 2 + [PREDICTED] * (FRAMES - 2)


def test_a_seed_repeats_the_samples(steered: Path, run: Path, tmp_path: Path) -> None:
    first, again, other = (
        results_of(steered, run, tmp_path / str(i), samples=2, seed=seed)["psnr"] for i, seed in enumerate((1, 1, 2))
    )
    assert first == again != other


def test_both_priors_and_no_actions_are_compared_with_copying(
    steered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"svg-lp": {}, "svg-fp": {}, "svg-lp without actions": {"condition": "none"}}
    assert list(changes) == list(VARIANTS["svg"])
    shrunk = {
        name: lambda recipe, change=VARIANTS["svg"][name], options=options: tiny(change(recipe), **options)
        for name, options in changes.items()
    }
    monkeypatch.setitem(VARIANTS, "svg", shrunk)
    compare(CompareConfig(axis="svg", preset="svg-lp", data=steered, out=tmp_path / "out", steps=1, device="cpu"))
    assert told(tmp_path / "out" / "svg-fp-0")["options"]["preset"] == "svg-lp"
    table = (tmp_path / "out" / "table.md").read_text()
    names = ("svg-lp", "svg-fp", "svg-lp without actions", "copying the last given frame")
    assert [table.count(f"| {name} |") for name in names] == [1] * 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: replace(r, augment=replace(r.augment, zoom_share=0.5)), "--augment.zoom-share is 0 where a frame"),
        (lambda r: replace(r, clips=replace(r.clips, person_weight=0.5)), "--clips.person-weight is 0 where there are"),
        (lambda r: replace(r, clips=replace(r.clips, frames=2)), "--clips.frames is more than the 2 that are given"),
        (lambda r: replace(r, clips=replace(r.clips, frames=9)), "--clips.frames is 12, --network.svg.past-frames and"),
        (lambda r: replace(r, network=replace(r.network, widths=(16,))), "--network.widths is of pose_cvae alone"),
        (lambda r: replace(r, network=replace(r.network, family="lab4", svg=TINY)), "options are of svg alone"),
        (lambda r: replace(r, clips=replace(r.clips, batch_size=1)), "--clips.batch-size is 2 or more"),
    ],
)
def test_what_does_not_fit_numbers_is_refused(change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        change(svg_lp())


def test_a_recipe_and_data_that_do_not_fit_name_the_preset(lab_folder: Path, tmp_path: Path) -> None:
    robot = write_robot(tmp_path / "robot", (8, 8, 8))
    with pytest.raises(InputError, match=r"holds a robot's trajectories, .* expected --preset svg-lp"):
        train(config(robot, tmp_path / "run"))
    with pytest.raises(InputError, match=r"holds a person's frames and poses, .* expected the default preset"):
        train_tiny(lab_folder, tmp_path / "run")


def test_a_network_of_poses_is_no_start_for_one_of_actions(
    steered: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="tiny is a network driven by poses; this recipe trains one driven by actions"):
        train_tiny(steered, tmp_path / "run", init_from=tiny_checkpoint)


def test_key_points_drive_it_as_actions_do(lab_folder: Path, tmp_path: Path) -> None:
    for split, starts in (("train", (0, 100)), ("val", (0,))):
        numbers = np.concatenate([np.arange(20) + start for start in starts])
        points = np.random.default_rng(0).random((len(numbers), 23, 3)) * [32, 16, 1]
        points[..., 2] = points[..., 2] > 0.3
        np.savez(lab_folder / split / f"{split}_keypoints.npz", number=numbers, keypoints=points)
    recipe = tiny(svg_lp(), condition="keypoints", past_frames=1, future_frames=5)
    run = train_tiny(lab_folder, tmp_path / "run", recipe)
    made = load_checkpoint(run).config.model
    assert isinstance(made, SVGConfig) and made.condition == "keypoints" and len(made.low) == 69
    assert results_of(lab_folder, run, tmp_path / "out", split="val")["psnr"]["mean"] > 0


def test_trajectories_of_several_lengths_are_measured_under_their_names(
    steered: Path, run: Path, tmp_path: Path
) -> None:
    robot = write_robot(tmp_path / "robot", (4, 5, 2))
    results = results_of(robot, run, tmp_path / "out")
    assert set(results["psnr"]["sequences"]) == {"traj_0-2", "traj_0-10"} and "steps" not in results
    assert {"traj_0-2.gif", "psnr.png"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_several_samples_of_a_network_that_draws_none_are_refused(steered: Path, run: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(run)
    silent = replace(checkpoint.config, sampling=SamplingConfig(sample="mean"))
    save_checkpoint(tmp_path / "silent", silent, checkpoint.model, {})
    with pytest.raises(InputError, match="--sample is prior where several samples are drawn; got mean"):
        results_of(steered, tmp_path / "silent", tmp_path / "out", samples=2)


def test_many_samples_are_drawn_in_groups_of_which_each_has_its_own_seed(steered: Path, run: Path) -> None:
    model = load_checkpoint(run).model
    sequence = open_sequences(steered, "test", (SIDE, SIDE), model.config)[0]
    many = next(predict(model, sequence, "prior", seed=3, samples=TOGETHER + 2))
    assert len(many) == TOGETHER + 2
    torch.testing.assert_close(many[:TOGETHER], next(predict(model, sequence, "prior", seed=3, samples=TOGETHER)))
    torch.testing.assert_close(many[TOGETHER:], next(predict(model, sequence, "prior", seed=4, samples=2)))


def test_a_robots_data_is_neither_for_a_network_of_poses_nor_for_shards(tmp_path: Path) -> None:
    robot = write_robot(tmp_path / "robot")
    with pytest.raises(InputError, match=r"driven by poses; expected the --checkpoint of a robot"):
        open_sequences(robot, "test", (SIDE, SIDE), PoseCVAEConfig())
    with pytest.raises(InputError, match=r"holds a robot's trajectories; expected frames with poses"):
        shard(ShardConfig(data=robot, out=tmp_path / "shards"))


def test_the_test_sequences_of_persons_are_not_for_key_points(lab_folder: Path, run: Path) -> None:
    (lab_folder / "test" / "test_label").mkdir(parents=True)
    with pytest.raises(InputError, match=r"holds poses as pictures, and this network is told actions; .* --split val"):
        open_sequences(lab_folder, "test", (SIDE, SIDE), load_checkpoint(run).config.model)


def test_a_start_that_is_given_more_frames_than_a_clip_has_is_refused(steered: Path, run: Path, tmp_path: Path) -> None:
    recipe = tiny(svg_lp(), past_frames=1, future_frames=1)
    with pytest.raises(InputError, match=r"is given 2 frames; expected --clips.frames of 3 or more"):
        train_tiny(steered, tmp_path / "further", recipe, init_from=run)


def test_a_size_that_needs_more_levels_says_so() -> None:
    with pytest.raises(InputError, match=r"--network.svg.widths is more where frames have 256x256 pixels"):
        svg_lp().network.for_frames(DataConfig(height=256, width=256))


def test_rows_of_a_trajectory_reach_the_network_one_frame_later(tmp_path: Path) -> None:
    data = write_robot(tmp_path / "robot", (8, 8, 8))
    conditions = open_split(data, "train", condition="actions").conditions
    rows = np.concatenate([robot_rows(8, seed) for seed in range(3)])
    np.testing.assert_allclose(conditions[1:8], rows[:7], atol=1e-6)
    np.testing.assert_allclose(conditions[9:16], rows[8:15], atol=1e-6)


def test_the_command_line_begins_at_the_preset() -> None:
    options = TrainConfig.parse("train", ["--preset", "svg-fp", "--data", "d", "--out", "o", "--steps", "1"])
    assert options.recipe == svg_fp() and options.recipe != svg_lp()
