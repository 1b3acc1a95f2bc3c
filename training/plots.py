"""Figures of trainings and evaluations as PNG, drawn without a display; matplotlib is imported only when called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cvae.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, float]]
"""What a training logged: one mapping of names to numbers for every step that was logged."""

# Okabe & Ito 2008: told apart by colour-blind readers; their yellow is left out, being too pale for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", "-.", ":")  # so that curves that lie on each other are seen, and an eighth one is told apart
PALE, DARK = "#B8B8B8", "#303030"
MOST_NAMED = 10  # curves with their own colour and line in the legend
TITLES = {
    "loss": "loss",
    "KL": "KL divergence",
    "kl_weight": "KL weight (β)",
    "teacher_forcing": "teacher\nforcing ratio",
    "validation_psnr": "validation\nPSNR (dB)",
}


def plot_training(rows: Rows, path: Path) -> None:
    """One training: the loss, under it the KL divergence, its weight and the teacher-forcing ratio, then the PSNR of
    the validations.

    Args:
        rows: Each has `step` and `loss`, and what there was of `reconstruction`, `KL`, `kl_weight`, `teacher_forcing`
            and `validation_psnr` (dB). What no row has gets no panel.
        path: The PNG; it appears whole or not at all.
    """
    keys = ["loss", *(key for key in TITLES if key != "loss" and any(key in row for row in rows))]
    figure, panels = _panels(keys)
    for key, panel in panels.items():
        steps, values = _column(rows, key)
        if key == "loss":
            panel.plot(steps, values, color=PALE, linewidth=0.8)
            panel.plot(steps, _smooth(values), color=COLOURS[0], label="loss")
            if any("reconstruction" in row for row in rows):
                steps, values = _column(rows, "reconstruction")
                panel.plot(steps, _smooth(values), color=COLOURS[1], linestyle="--", label="reconstruction alone")
                _legend(panel)
            _logarithmic(panel)
        else:
            panel.plot(steps, values, color=COLOURS[0], marker=_marker(key, values))
    _save(figure, path)


def plot_compare(runs: Mapping[str, Rows], path: Path) -> None:
    """Several trainings in one figure: their losses, and under them what was varied and the PSNR of the validations.

    Args:
        runs: The rows of each variant, as for `plot_training`. Of the KL weight and the teacher-forcing ratio those are
            shown in which the variants differ or, where they differ in neither, those that change along the training.
            Where one variant made more than twice the steps of another, the axis is the share of the training.
        path: The PNG; it appears whole or not at all.
    """
    validated = any("validation_psnr" in row for rows in runs.values() for row in rows)
    lasts = {name: max((row["step"] for row in rows), default=0) for name, rows in runs.items()}
    unlike = max(lasts.values(), default=0) > 2 * min(lasts.values(), default=0)
    keys = ["loss", *_varied(runs), *(["validation_psnr"] if validated else [])]
    figure, panels = _panels(keys, "share of the training (%)" if unlike else "step")
    for (name, rows), look in zip(runs.items(), _looks(), strict=False):
        for key, panel in panels.items():
            steps, values = _column(rows, key)
            steps = 100 * steps / max(lasts[name], 1) if unlike else steps
            values = _smooth(values) if key == "loss" else values
            panel.plot(steps, values, label=_plain(name), marker=_marker(key, values), **look)
    _logarithmic(panels["loss"])
    _legend(panels["loss"])
    _save(figure, path)


def plot_psnr(curves: Mapping[str, Sequence[float]], path: Path) -> None:
    """PSNR of every predicted frame, a curve for each sequence or variant, with its mean in the legend.

    Args:
        curves: dB of frames 1, 2, ... by name, of any lengths. Above ten only the best, the worst and the mean of all
            are named, the others grey.
        path: The PNG; it appears whole or not at all.
    """
    figure, panels = _panels(["PSNR (dB)"], "frame")
    panel = panels["PSNR (dB)"]
    arrays = {name: np.asarray(curve, float) for name, curve in curves.items() if len(curve)}
    named = arrays
    if len(arrays) > MOST_NAMED:
        for curve in arrays.values():
            panel.plot(_frames(curve), curve, color=PALE, linewidth=0.5)
        ranked = sorted(arrays, key=lambda name: float(arrays[name].mean()))
        named = {
            f"best, {ranked[-1]}": arrays[ranked[-1]],
            f"worst, {ranked[0]}": arrays[ranked[0]],
            f"mean of {len(arrays)}": _mean_curve(list(arrays.values())),
        }
    for (name, curve), look in zip(named.items(), _looks(), strict=False):
        panel.plot(_frames(curve), curve, color=look["color"], linewidth=0.8, alpha=0.35)
        label = _plain(f"{name}: {curve.mean():.2f} dB")
        panel.plot(_frames(curve), _smooth(curve), label=label, marker=_marker("", curve), **look)
    _legend(panel)
    _save(figure, path)


def plot_steps(curves: Mapping[str, Mapping[str, Sequence[float]]], path: Path) -> None:
    """PSNR and SSIM of every predicted frame, the mean over many sequences, with the spread around it.

    Args:
        curves: `psnr`, `ssim` and `copying`, of several samples also `best` and `best_ssim`; of each `mean` and
            `spread`, the standard deviation over the sequences, for frames 1, 2, ... after the given ones.
        path: The PNG; it appears whole or not at all.
    """
    titles = {"psnr": "mean", "ssim": "mean", "best": "best sample", "best_ssim": "best sample", "copying": "copying"}
    shown = {"PSNR (dB)": ("psnr", "best", "copying"), "SSIM": ("ssim", "best_ssim")}
    figure, panels = _panels(list(shown), "predicted frame")
    for key, panel in panels.items():
        for kind, look in zip(shown[key], _looks(), strict=False):
            if kind not in curves:
                continue
            mean, spread = (np.asarray(curves[kind][name], float) for name in ("mean", "spread"))
            frames = _frames(mean)
            panel.plot(frames, mean, label=f"{titles[kind]}: {mean.mean():.4g}", marker=_marker("", mean), **look)
            panel.fill_between(frames, mean - spread, mean + spread, color=look["color"], alpha=0.15, linewidth=0)
        _legend(panel)
    _save(figure, path)


def _panels(keys: Sequence[str], x_label: str = "step") -> tuple[Figure, dict[str, Axes]]:
    """Panels one under the other with the same x axis, the first one tall."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    heights = [3.4, *[1.2] * (len(keys) - 1)]
    figure = Figure(figsize=(8, sum(heights) + 0.6), dpi=120, layout="constrained")
    axes = figure.subplots(len(keys), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, key in zip(axes, keys, strict=True):
        axis.set_ylabel(TITLES.get(key, key))
        axis.grid(color="#E6E6E6", linewidth=0.8)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(x_label)
    axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    figure.align_ylabels()
    return figure, dict(zip(keys, axes, strict=True))


def _looks() -> Iterator[dict[str, Any]]:
    for i, colour in enumerate(cycle(COLOURS)):
        yield {"color": colour, "linestyle": DASHES[i % len(DASHES)]}


def _column(rows: Rows, key: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps and values of the rows that have this key; what is not finite becomes a gap in the curve."""
    pairs = np.array([(row["step"], row[key]) for row in rows if key in row], float).reshape(-1, 2)
    return pairs[:, 0], np.where(np.isfinite(pairs[:, 1]), pairs[:, 1], np.nan)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over a sliding window of a fiftieth of the training, shorter at the ends; gaps stay gaps."""
    half = len(values) // 100
    known = np.isfinite(values)
    sums, counts = (np.concatenate([[0.0], np.cumsum(x)]) for x in (np.where(known, values, 0.0), known))
    ends = np.minimum(np.arange(len(values)) + half + 1, len(values))
    starts = np.maximum(np.arange(len(values)) - half, 0)
    means = (sums[ends] - sums[starts]) / np.maximum(counts[ends] - counts[starts], 1)
    return np.where(known, means, np.nan)


def _varied(runs: Mapping[str, Rows]) -> list[str]:
    def curve(rows: Rows, key: str) -> list[float]:
        return [row[key] for row in rows if key in row]

    keys = ("kl_weight", "teacher_forcing")
    changing = [key for key in keys if any(len(set(curve(rows, key))) > 1 for rows in runs.values())]
    # By the share of the training, since variants of equal minutes differ in steps.
    places = np.linspace(0, 1, 101)
    differing = []
    for key in keys:
        known = [c for rows in runs.values() if (c := curve(rows, key))]
        sampled = [np.interp(places, np.linspace(0, 1, len(c)), c) for c in known]
        if any(np.abs(s - sampled[0]).max() > 0.02 * max(map(np.max, sampled)) for s in sampled):
            differing.append(key)
    return differing or changing


def _mean_curve(curves: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean over those curves that are as long, frame by frame."""
    longest = max(map(len, curves))
    sums, counts = np.zeros(longest), np.zeros(longest)
    for curve in curves:
        sums[: len(curve)] += curve
        counts[: len(curve)] += 1
    return sums / counts


def _frames(curve: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.arange(1, len(curve) + 1)


def _marker(key: str, values: NDArray[np.float64]) -> str:
    return "o" if len(values) == 1 or (key == "validation_psnr" and len(values) <= 30) else ""


def _logarithmic(panel: Axes) -> None:
    drawn = np.concatenate([np.asarray(line.get_ydata(), float) for line in panel.lines] or [np.empty(0)])
    if (drawn > 0).any():
        panel.set_yscale("log", nonpositive="mask")


def _plain(name: str) -> str:
    """The name as it is: matplotlib would read formulas between dollars, and leave out what starts with a `_`."""
    return " " * name.startswith("_") + name.replace("$", r"\$")


def _legend(panel: Axes) -> None:
    if named := len(panel.get_legend_handles_labels()[0]):
        panel.legend(framealpha=0.8, edgecolor="none", ncols=1 + named // 6)


def _save(figure: Figure, path: Path) -> None:
    with replacing(path) as partial:
        figure.savefig(partial, format="png")
