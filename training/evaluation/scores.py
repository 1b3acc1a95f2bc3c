"""What is measured on predicted sequences, and how it is summed up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvae.metrics import psnr, ssim

DRIFT_FRAMES = 100
FULL_MARKS = 25.0  # dB
COMPETITION_FRAMES = 600
KINDS = {"psnr": "PSNR", "ssim": "SSIM", "copying": "copying", "drift": "drift", "competition": "8-bit"}
BEST = {"best": "best", "best_ssim": "best SSIM"}
SIMILARITIES = ("ssim", "best_ssim")


@dataclass
class Scores:
    """One sequence, frame by frame from the first predicted one; dB, but for SSIM.

    Attributes:
        sample_psnr: Of every sample as the network gives it, `(t, n)` of some frames after others.
        sample_ssim: Of the same.
        copying: PSNR of showing the last given frame instead.
        rounded: PSNR of the first sample rounded to 8 bits, as it is handed in.
    """

    sample_psnr: list[Tensor] = field(default_factory=list)
    sample_ssim: list[Tensor] = field(default_factory=list)
    copying: list[float] = field(default_factory=list)
    rounded: list[float] = field(default_factory=list)

    def add(self, predicted: Tensor, truth: Tensor, last_given: Tensor) -> None:
        """Measure the next frames of n samples, `(t, n, C, H, W)` in [0, 1].

        Args:
            predicted: The frames.
            truth: The true ones, `(t, C, H, W)`.
            last_given: What copying shows, `(C, H, W)`.
        """
        true = truth[:, None].expand_as(predicted)
        together = ssim(predicted.flatten(0, 1), true.flatten(0, 1))
        self.sample_psnr.append(psnr(predicted, true))
        self.sample_ssim.append(together.view(predicted.shape[:2]))
        self.copying += psnr(last_given.expand_as(truth), truth).tolist()
        self.rounded += psnr((predicted[:, 0] * 255).round().clamp(0, 255) / 255, truth).tolist()

    @property
    def frames(self) -> int:
        """How many are measured."""
        return len(self.copying)

    @property
    def psnr(self) -> list[float]:
        """Of every frame the mean over the samples."""
        return torch.cat(self.sample_psnr).mean(1).tolist()

    @property
    def ssim(self) -> list[float]:
        """The same."""
        return torch.cat(self.sample_ssim).mean(1).tolist()

    @property
    def best(self) -> list[float]:
        """PSNR of every frame of the sample that has the highest mean."""
        return _best(self.sample_psnr)

    @property
    def best_ssim(self) -> list[float]:
        """SSIM of every frame of the sample that has the highest mean of it."""
        return _best(self.sample_ssim)

    def summary(self) -> dict[str, float | None]:
        """The numbers of the table by their key in `KINDS` and `BEST`.

        All but two are means over all predicted frames. `drift` is the mean PSNR of the first 100 frames less that of
        the last 100, None for 100 frames or fewer. `competition` is the rule of 2024/25: 8-bit frames, the first 600
        alone (or as many as there are).
        """
        few = self.frames <= DRIFT_FRAMES
        curve = self.psnr
        means = {kind: float(np.mean(getattr(self, kind))) for kind in ("psnr", "ssim", "copying", *BEST)}
        return means | {
            "drift": None if few else float(np.mean(curve[:DRIFT_FRAMES]) - np.mean(curve[-DRIFT_FRAMES:])),
            "competition": float(np.mean(self.rounded[:COMPETITION_FRAMES])),
        }


def _best(pieces: list[Tensor]) -> list[float]:
    values = torch.cat(pieces)  # (T, n)
    return values[:, values.mean(0).argmax()].tolist()


def kinds(samples: int) -> dict[str, str]:
    """What is measured of so many samples, and its title in the table."""
    return KINDS if samples == 1 else KINDS | BEST


def summarise(scores: Mapping[str, Scores], samples: int = 1) -> dict[str, Any]:
    """What `results.json` says: of each kind the sequences and their mean, the lab's grade, and every frame.

    The lab takes the PSNR of every predicted frame, averaged over a sequence, then over the sequences, and gives
    full marks from 25 dB; what it gives below is not known. A mean is None where no sequence has a value.
    """
    summaries = {name: one.summary() for name, one in scores.items()}
    results: dict[str, Any] = {}
    for kind in kinds(samples):
        values = {name: summary[kind] for name, summary in summaries.items()}
        results[kind] = {"mean": mean(values.values()), "sequences": values}
    average = results["psnr"]["mean"]
    full_marks = None if average is None else average >= FULL_MARKS
    results["grade"] = {"psnr": average, "full_marks_from": FULL_MARKS, "full_marks": full_marks}
    results["frames"] = {
        name: {"psnr": [round(v, 4) for v in one.psnr], "ssim": [round(v, 5) for v in one.ssim]}
        for name, one in scores.items()
    }
    if scores and len({one.frames for one in scores.values()}) == 1:
        results["steps"] = steps(scores, samples)
    return results


def steps(scores: Mapping[str, Scores], samples: int = 1) -> dict[str, Any]:
    """Of every predicted frame the mean over sequences of one length, and the spread, their standard deviation."""
    curves = {}
    for kind in ("psnr", "ssim", "copying", *(BEST if samples > 1 else ())):
        values = np.array([getattr(one, kind) for one in scores.values()])  # (sequences, T)
        curves[kind] = {
            name: np.round(f(values, axis=0), 5).tolist() for name, f in (("mean", np.mean), ("spread", np.std))
        }
    return curves


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are there; None where there is none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def table_header(samples: int = 1) -> str:
    """The first line of the table of sequences."""
    return _line("sequence", "frames", list(kinds(samples).values()))


def table_row(name: str, frames: int | None, summary: Mapping[str, float | None], samples: int = 1) -> str:
    """A line of it; a dash stands for what is not known."""
    cells = [
        "-" if (value := summary.get(kind)) is None else f"{value:.4f}" if kind in SIMILARITIES else f"{value:.2f}"
        for kind in kinds(samples)
    ]
    return _line(name, "" if frames is None else str(frames), cells)


def _line(name: str, frames: str, cells: list[str]) -> str:
    return f"{name:<12} {frames:>6} " + " ".join(f"{cell:>8}" for cell in cells)


def grade_line(results: Mapping[str, Any]) -> str:
    """The lab's grade in words."""
    grade = results["grade"]
    if grade["psnr"] is None:
        return "No sequence has a truth to compare with."
    verdict = "full marks" if grade["full_marks"] else "less than full marks"
    return f"The lab's grade: {verdict} ({grade['psnr']:.2f} dB; full marks from {FULL_MARKS:g} dB)."
