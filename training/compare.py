"""Variants of a training side by side: `python -m training compare --axis kl --data DIR --out DIR --max-minutes M`."""

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cvae.checkpoint import load_checkpoint
from cvae.device import pick_device
from cvae.errors import InputError
from cvae.files import replacing
from training.checks import check, check_all
from training.config import TrainConfig
from training.data.splits import open_split
from training.evaluation.evaluate import choose_spans, copying_psnr, rollout_psnr
from training.evaluation.scores import DRIFT_FRAMES, mean
from training.logs import read_rows
from training.plots import plot_compare, plot_psnr
from training.presets import PRESETS, Preset
from training.recipe import AugmentConfig, Recipe
from training.schedules import TeacherForcing
from training.train import train

log = logging.getLogger(__name__)

Axis = Literal["kl", "teacher-forcing", "weights", "histogram", "crop", "fast-train", "preset", "svg"]
Change = Callable[[Recipe], Recipe]
_ALWAYS = 10**6  # epochs


def _kl(**changes: object) -> Change:
    return lambda recipe: dataclasses.replace(recipe, kl=dataclasses.replace(recipe.kl, **changes))  # type: ignore[arg-type]


def _forcing(**changes: object) -> Change:
    return lambda recipe: dataclasses.replace(recipe, forcing=TeacherForcing(**changes))  # type: ignore[arg-type]


def _clips(**changes: object) -> Change:
    return lambda recipe: dataclasses.replace(recipe, clips=dataclasses.replace(recipe.clips, **changes))  # type: ignore[arg-type]


def _optimizer(**changes: object) -> Change:
    return lambda recipe: dataclasses.replace(recipe, optimizer=dataclasses.replace(recipe.optimizer, **changes))  # type: ignore[arg-type]


def _augment(**changes: object) -> Change:
    return lambda recipe: dataclasses.replace(recipe, augment=AugmentConfig(**changes))  # type: ignore[arg-type]


def _histogram(epochs: int) -> Change:
    return lambda recipe: dataclasses.replace(recipe, histogram_epochs=epochs)


def _preset(make: Callable[[], Recipe]) -> Change:
    return lambda recipe: make()


def _svg(**changes: object) -> Change:
    def change(recipe: Recipe) -> Recipe:
        options = dataclasses.replace(recipe.network.svg, **changes)  # type: ignore[arg-type]
        return dataclasses.replace(recipe, network=dataclasses.replace(recipe.network, svg=options))

    return change


VARIANTS: dict[str, dict[str, Change]] = {
    "kl": {
        "none": _kl(annealing="none"),
        "monotonic": _kl(annealing="monotonic", ratio=0.5),
        "cyclical": _kl(annealing="cyclical", ratio=0.5, cycles=4),
        "zero": _kl(annealing="none", stop=0.0),
        "1 per frame": _kl(annealing="none", stop=1.0, per_value=False),
    },
    "teacher-forcing": {
        "none": _forcing(initial=0.0),
        "decaying": _forcing(initial=1.0, decay_from=1, decay=0.25),
        "always": _forcing(initial=1.0, decay=0.0),
        "blended": _forcing(initial=1.0, decay_from=1, decay=0.25, mode="blend"),
    },
    "weights": {
        "average": _optimizer(average=True),
        "last": _optimizer(average=False),
        "interpolated": _optimizer(average=False, interpolate_every=2),
    },
    "histogram": {
        "never": _histogram(0),
        "first epochs": _histogram(2),
        "always": _histogram(_ALWAYS),
    },
    "crop": {
        "none": _augment(zoom_share=0.0),
        "half cropped": _augment(zoom_share=0.0, crop_share=0.5),
        "half zoomed": _augment(zoom_share=0.5),
    },
    "fast-train": {
        "all the data": _clips(fast_epochs=0),
        "40 % at first": _clips(fast_share=0.4, fast_epochs=5),
        "40 % throughout": _clips(fast_share=0.4, fast_epochs=_ALWAYS),
    },
    "preset": {name: _preset(PRESETS[name]) for name in ("default", "lab4")},
    "svg": {
        "svg-lp": _svg(prior="learned"),
        "svg-fp": _svg(prior="fixed"),
        "svg-lp without actions": _svg(prior="learned", condition="none"),
    },
}
"""What each axis varies, and nothing else."""


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """Train the variants of one idea with equal budgets and seeds, and draw and tell what came of them."""

    axis: Axis
    """What varies."""
    data: Path
    """Folder in the lab's layout."""
    out: Path
    """Folder to write: a run of each variant, losses.png, psnr.png and table.md. What is there is gone on with."""
    steps: int | None = None
    """Length of each training in steps."""
    max_minutes: float | None = None
    """Length of each training in minutes."""
    preset: Preset = "default"
    """What is varied."""
    seeds: int = 1
    """Trainings of each variant, with other seeds; the table has their mean and their spread."""
    device: str | None = None
    """`cpu` or `cuda`, to validate on; the GPU where there is one, by default."""

    def __post_init__(self) -> None:
        check_all(self, "", ("seeds",), 1)
        fits = (self.axis == "svg") == self.preset.startswith("svg")
        expected = "svg-lp or svg-fp for the axis svg, and default or lab4 for the others"
        check("--preset", self.preset, lambda _: fits, expected)
        pick_device(self.device)  # else a name that is none would be told after all trainings


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Of one variant, for each seed."""

    psnr: list[list[Tensor]]
    """Of each recording of the validation the PSNR of every predicted frame, dB."""
    steps: list[int]
    loss: list[float]
    """Squared error at the end of the training."""
    copying: float
    """PSNR of showing the last given frame instead, dB."""

    @property
    def means(self) -> Tensor:
        """PSNR of the validation, dB, of each seed."""
        return torch.tensor([[curve.mean() for curve in curves] for curves in self.psnr]).mean(1)

    @property
    def curve(self) -> list[float]:
        """PSNR of frames 1, 2, ... of the first seed, the mean over those recordings that are as long."""
        return pad_sequence(self.psnr[0], padding_value=torch.nan).nanmean(1).tolist()

    def part(self, frames: slice) -> float | None:
        """Mean PSNR of some frames of the recordings with more than 100 to predict; None where there are none."""
        long = [curve for curves in self.psnr for curve in curves if len(curve) > DRIFT_FRAMES]
        return mean([curve[frames].mean().item() for curve in long])


def compare(config: CompareConfig) -> None:
    """`python -m training compare`: each variant is trained as `python -m training train` would."""
    runs = {name: train_variant(config, name) for name in VARIANTS[config.axis]}
    outcomes = {name: measure(config, folders) for name, folders in runs.items()}
    plot_compare({name: read_rows(folders[0]) for name, folders in runs.items()}, config.out / "losses.png")
    plot_psnr({name: outcome.curve for name, outcome in outcomes.items()}, config.out / "psnr.png")
    text = table(config, outcomes)
    with replacing(config.out / "table.md") as partial:
        partial.write_text(text)
    print(text)


def train_variant(config: CompareConfig, name: str) -> list[Path]:
    """The runs of a variant, one for each seed; those that are there already are gone on with."""
    folders = []
    for seed in range(config.seeds):
        recipe = VARIANTS[config.axis][name](PRESETS[config.preset]())
        out = config.out / f"{name.replace(' ', '_').replace('%', 'percent')}-{seed}"
        log.info("%s, seed %d", name, seed)
        folders.append(
            train(
                TrainConfig(
                    data=config.data,
                    out=out,
                    preset=config.preset,
                    recipe=dataclasses.replace(recipe, seed=seed),
                    steps=config.steps,
                    max_minutes=config.max_minutes,
                    resume=True,
                    validate_every=10**9,
                    log_every=1,
                )
            )
        )
    return folders


def measure(config: CompareConfig, folders: list[Path]) -> Outcome:
    """Validate the runs of a variant by free rollouts from the first frame of each recording."""
    device = torch.device(pick_device(config.device))
    psnr, copying = [], 0.0
    for folder in folders:
        checkpoint = load_checkpoint(folder, device)
        network, sample = checkpoint.config.model, checkpoint.config.sampling.sample
        recordings = open_split(config.data, "val", checkpoint.config.data.size, network.condition)
        spans = choose_spans(recordings, 630, network)
        psnr.append(rollout_psnr(checkpoint.model, recordings, spans, sample))
        copying = copying_psnr(recordings, spans, network.past_frames)
    rows = [[row for row in read_rows(folder) if "loss" in row] for folder in folders]
    for folder, row in zip(folders, rows, strict=True):
        if not row:
            raise InputError(f"{folder} made no step in its time; give more --max-minutes.")
    tail = [row[-max(1, len(row) // 20) :] for row in rows]
    losses = [sum(row["reconstruction"] for row in part) / len(part) for part in tail]
    return Outcome(psnr=psnr, steps=[int(row[-1]["step"]) for row in rows], loss=losses, copying=copying)


def table(config: CompareConfig, outcomes: dict[str, Outcome]) -> str:
    """The outcomes in Markdown, the best first."""
    budget = f"{config.steps} steps" if config.steps else f"{config.max_minutes:g} minutes"
    lines = [
        f"| {config.axis} | validation PSNR (dB) | first 100 frames | last 100 frames | final squared error | steps |",
        "|---|---|---|---|---|---|",
    ]
    for name, outcome in sorted(outcomes.items(), key=lambda item: -item[1].means.mean()):
        means = outcome.means
        spread = f" ± {means.std():.2f}" if len(means) > 1 else ""
        parts = (outcome.part(frames) for frames in (slice(DRIFT_FRAMES), slice(-DRIFT_FRAMES, None)))
        first, last = ("-" if part is None else f"{part:.2f}" for part in parts)
        loss, steps = (sum(values) / len(values) for values in (outcome.loss, outcome.steps))
        lines.append(f"| {name} | {means.mean():.2f}{spread} | {first} | {last} | {loss:.5f} | {steps:.0f} |")
    lines.append(f"| copying the last given frame | {max(one.copying for one in outcomes.values()):.2f} | | | | |")
    seeds = f", {config.seeds} seeds" if config.seeds > 1 else ""
    return "\n".join([f"Preset `{config.preset}`, {budget} each{seeds}.", "", *lines, ""])
