"""What is measured on predicted sequences, and how it is summed up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from cvae.metrics import psnr, ssim

DRIFT_FRAMES = 100
FULL_MARKS = 25.0  # dB
COMPETITION_FRAMES = 600
KINDS = {"psnr": "PSNR", "ssim": "SSIM", "copying": "copying", "drift": "drift", "competition": "8-bit"}


@dataclass
class Scores:
    """One sequence, frame by frame from frame 1; dB, but for SSIM.

    Attributes:
        psnr: Of the prediction as the network gives it.
        ssim: Of the same.
        copying: PSNR of showing the first frame instead.
        rounded: PSNR of the prediction rounded to 8 bits, as it is handed in.
    """

    psnr: list[float] = field(default_factory=list)
    ssim: list[float] = field(default_factory=list)
    copying: list[float] = field(default_factory=list)
    rounded: list[float] = field(default_factory=list)

    def add(self, predicted: Tensor, rounded: Tensor, truth: Tensor, first_frame: Tensor) -> None:
        """Measure the next frames, `(t, C, H, W)` in [0, 1] each; `first_frame` is `(C, H, W)`."""
        self.psnr += psnr(predicted, truth).tolist()
        self.ssim += ssim(predicted, truth).tolist()
        self.copying += psnr(first_frame.expand_as(truth), truth).tolist()
        self.rounded += psnr(rounded, truth).tolist()

    def summary(self) -> dict[str, float | None]:
        """The numbers of the table by their key in `KINDS`.

        `psnr`, `ssim` and `copying` are means over all predicted frames. `drift` is the mean PSNR of the first 100
        frames less that of the last 100, None for 100 frames or fewer. `competition` is the rule of 2024/25: 8-bit
        frames, 1 to 600 alone (or as many as there are).
        """
        few = len(self.psnr) <= DRIFT_FRAMES
        return {
            "psnr": float(np.mean(self.psnr)),
            "ssim": float(np.mean(self.ssim)),
            "copying": float(np.mean(self.copying)),
            "drift": None if few else float(np.mean(self.psnr[:DRIFT_FRAMES]) - np.mean(self.psnr[-DRIFT_FRAMES:])),
            "competition": float(np.mean(self.rounded[:COMPETITION_FRAMES])),
        }


def summarise(scores: Mapping[str, Scores]) -> dict[str, Any]:
    """What `results.json` says: of each kind the sequences and their mean, the lab's grade, and every frame.

    The lab takes the PSNR of every frame but the first, averaged over a sequence, then over the sequences, and gives
    full marks from 25 dB; what it gives below is not known. A mean is None where no sequence has a value.
    """
    summaries = {name: one.summary() for name, one in scores.items()}
    results: dict[str, Any] = {}
    for kind in KINDS:
        values = {name: summary[kind] for name, summary in summaries.items()}
        results[kind] = {"mean": mean(values.values()), "sequences": values}
    average = results["psnr"]["mean"]
    full_marks = None if average is None else average >= FULL_MARKS
    results["grade"] = {"psnr": average, "full_marks_from": FULL_MARKS, "full_marks": full_marks}
    results["frames"] = {
        name: {"psnr": [round(v, 4) for v in one.psnr], "ssim": [round(v, 5) for v in one.ssim]}
        for name, one in scores.items()
    }
    return results


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are there; None where there is none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def table_header() -> str:
    """The first line of the table of sequences."""
    return _line("sequence", "frames", list(KINDS.values()))


def table_row(name: str, frames: int | None, summary: Mapping[str, float | None]) -> str:
    """A line of it; a dash stands for what is not known."""
    cells = [
        "-" if (value := summary.get(kind)) is None else f"{value:.4f}" if kind == "ssim" else f"{value:.2f}"
        for kind in KINDS
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
