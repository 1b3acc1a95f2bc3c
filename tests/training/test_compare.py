from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from cvae.errors import InputError
from training import compare as module
from training.compare import VARIANTS, CompareConfig, Outcome, compare, table
from training.logs import read_rows
from training.presets import default, svg_lp
from training.recipe import ClipsConfig, NetworkConfig, Recipe


def tiny() -> Recipe:
    return Recipe(
        network=NetworkConfig(patch_size=1, widths=(16, 16), attention_levels=(1,)), clips=ClipsConfig(batch_size=2)
    )


def test_variants_of_an_axis_get_the_same_budget_and_clips(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(module.PRESETS, "default", tiny)
    options = CompareConfig(axis="teacher-forcing", data=lab_folder, out=tmp_path / "out", steps=2, device="cpu")
    compare(options)
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["always-0", "blended-0", "decaying-0", "losses.png", "none-0", "psnr.png", "table.md"]
    text = (tmp_path / "out" / "table.md").read_text()
    assert text in capsys.readouterr().out and text.startswith("Preset `default`, 2 steps each.")
    assert [text.count(f"| {name} |") for name in VARIANTS["teacher-forcing"]] == [1] * 4
    compare(options)  # what is trained is not trained again
    assert (tmp_path / "out" / "table.md").read_text() == text
    assert not [row for row in read_rows(tmp_path / "out" / "none-0") if row["step"] > 2]


@pytest.mark.parametrize("axis", VARIANTS)
def test_an_axis_varies_one_group_of_options(axis: str) -> None:
    recipe = svg_lp() if axis == "svg" else default()
    recipes = [asdict(change(recipe)) for change in VARIANTS[axis].values()]
    assert all(a != b for i, a in enumerate(recipes) for b in recipes[:i])
    varied = {name for recipe in recipes for name in recipe if recipe[name] != recipes[0][name]}
    assert len(varied) == 1 or axis == "preset"


def test_the_table_has_means_and_spreads_of_the_seeds_best_first() -> None:
    def outcome(low: float, high: float) -> Outcome:
        psnr = [[torch.full((300,), dB)] for dB in (low, high)]
        return Outcome(psnr=psnr, steps=[9, 11], loss=[0.1, 0.3], copying=17.5)

    config = CompareConfig(axis="kl", data=Path(), out=Path(), max_minutes=2, seeds=2)
    lines = table(config, {"none": outcome(20.0, 22.0), "cyclical": outcome(24.0, 26.0)}).splitlines()
    assert lines[0] == "Preset `default`, 2 minutes each, 2 seeds."
    assert lines[4] == "| cyclical | 25.00 ± 1.41 | 25.00 | 25.00 | 0.20000 | 10 |"
    assert lines[5].startswith("| none | 21.00 ± 1.41 |")
    assert lines[6] == "| copying the last given frame | 17.50 | | | | |"


def test_psnr_per_frame_is_the_mean_over_recordings_and_its_ends_those_of_the_long_ones() -> None:
    long, short = torch.arange(150.0), torch.full((50,), 20.0)
    outcome = Outcome(psnr=[[long, short]], steps=[1], loss=[0.1], copying=0.0)
    assert outcome.means.tolist() == pytest.approx([(74.5 + 20) / 2])
    assert outcome.curve == pytest.approx([*((frame + 20) / 2 for frame in range(50)), *range(50, 150)])
    assert (outcome.part(slice(100)), outcome.part(slice(-100, None))) == pytest.approx((49.5, 99.5))
    alone = table(
        CompareConfig(axis="kl", data=Path(), out=Path(), steps=1),
        {"none": Outcome(psnr=[[short]], steps=[1], loss=[0.1], copying=0.0)},
    )
    assert "| none | 20.00 | - | - |" in alone


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "--seeds is 1 or more; got 0"),
        ({"device": "tpu"}, "The device 'tpu' is not there"),
        ({"preset": "svg-lp"}, "--preset is svg-lp or svg-fp for the axis svg, and default or lab4 for the others"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_trained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        CompareConfig(axis="kl", data=Path(), out=Path(), steps=1, **changes)


def test_minutes_too_few_for_a_step_are_told(lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.PRESETS, "default", tiny)
    with pytest.raises(InputError, match=r"never-0 made no step in its time; give more --max-minutes\."):
        compare(CompareConfig(axis="histogram", data=lab_folder, out=tmp_path, max_minutes=1e-9, device="cpu"))


def test_a_budget_must_be_given(lab_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either --steps N or --max-minutes M"):
        compare(CompareConfig(axis="kl", data=lab_folder, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()
