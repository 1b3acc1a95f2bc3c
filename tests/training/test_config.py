import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from cvae.config import DataConfig, Lab4Config, PoseCVAEConfig
from cvae.errors import InputError
from training.config import TrainConfig
from training.presets import PRESETS, default, lab4
from training.recipe import AugmentConfig, ClipsConfig, OptimizerConfig, Recipe

BASE = ["--data", "d", "--out", "o", "--steps", "9"]


def parse(*options: str) -> TrainConfig:
    return TrainConfig.parse("train", [*BASE, *options])


def test_options_begin_at_the_default_recipe() -> None:
    config = parse()
    assert (config.data, config.out, config.steps, config.preset) == (Path("d"), Path("o"), 9, "default")
    assert config.recipe == default() == Recipe()


@pytest.mark.parametrize("form", [["--preset", "lab4"], ["--preset=lab4"]])
def test_options_begin_at_the_preset_that_is_named_and_change_it(form: list[str]) -> None:
    config = parse(*form, "--kl.cycles", "3", "--forcing.mode", "blend")
    expected = asdict(lab4())
    expected["kl"]["cycles"], expected["forcing"]["mode"] = 3, "blend"
    assert asdict(config.recipe) == expected


def test_every_field_of_a_recipe_is_an_option() -> None:
    command = [sys.executable, "-m", "training", "train", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for group, options in asdict(Recipe()).items():
        for name in options if isinstance(options, dict) else [group]:
            prefix = f"{group}." if isinstance(options, dict) else ""
            assert f"--{prefix}{name}".replace("_", "-") in text


def test_the_lab_preset_is_the_labs_network_trained_as_the_lab_does() -> None:
    recipe = lab4()
    assert isinstance(recipe.network.for_frames(DataConfig(height=32, width=64)), Lab4Config)
    assert (recipe.clips.batch_size, recipe.clips.frames) == (2, 16)
    assert recipe.kl.annealing == "cyclical" and not recipe.kl.per_value and recipe.objective.sum_frames
    assert [recipe.forcing.ratio(epoch) for epoch in (0, 10, 15, 30)] == pytest.approx([1, 1, 0.5, 0])
    assert recipe.network.sample == "prior" and not recipe.optimizer.average


def test_the_default_network_folds_pixels_of_large_frames() -> None:
    network = default().network
    small, large = (network.for_frames(DataConfig(height=h, width=2 * h)) for h in (32, 64))
    assert isinstance(small, PoseCVAEConfig) and isinstance(large, PoseCVAEConfig)
    assert (small.patch_size, large.patch_size) == (2, 4)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (Recipe(size=(9000, 9000)), "height is 8 to 1024 pixels; got 9000"),
        (Recipe(size=(33, 65)), "multiples of 16 pixels in height and width; got 33x65"),
        (Recipe(seed=2**63), f"--seed is below {2**63}; got {2**63}"),
    ],
)
def test_sizes_and_seeds_that_cannot_work_are_refused_before_the_pictures_are_decoded(
    recipe: Recipe, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        TrainConfig(data=Path("d"), out=Path("o"), steps=9, recipe=recipe)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(InputError, match=r"--preset is one of default, lab4, svg-lp, svg-fp; got lab5"):
        parse("--preset", "lab5")
    assert list(PRESETS) == ["default", "lab4", "svg-lp", "svg-fp"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClipsConfig(frames=1), r"--clips.frames is 2 or more; got 1"),
        (lambda: ClipsConfig(fast_share=0.0), r"--clips.fast-share is a share above 0, at most 1; got 0.0"),
        (lambda: AugmentConfig(zoom=(0.0, 1.0)), r"--augment.zoom is a smallest and a largest magnification"),
        (lambda: AugmentConfig(crop_share=3.0), r"--augment.crop-share is from 0 to 1; got 3.0"),
        (lambda: OptimizerConfig(peak_lr=float("nan")), r"--optimizer.peak-lr is above zero, at most 1000; got nan"),
        (lambda: OptimizerConfig(peak_lr=1e39), r"--optimizer.peak-lr is above zero, at most 1000; got 1e\+39"),
        (lambda: Recipe(seed=-1), r"--seed is 0 or more; got -1"),
        (lambda: TrainConfig(data=Path(), out=Path(), log_every=0), r"--log-every is 1 or more; got 0"),
    ],
)
def test_values_that_cannot_work_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(InputError, match=message):
        make()
