"""How good a checkpoint is: free rollouts from the first frame, compared with the truth."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from cvae.checkpoint import BUNDLED, load_checkpoint
from cvae.device import pick_device
from cvae.errors import InputError
from cvae.files import replacing
from cvae.generate import to_tensor
from cvae.metrics import psnr
from cvae.models import Model
from cvae.rollout import rollout
from training.data import Recordings, open_split, open_test

MAX_RECORDINGS = 8
DRIFT_FRAMES = 100


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Measure a checkpoint on sequences whose truth is known, beside copying the first frame."""

    data: Path
    """Folder in the lab's layout; the truth of test sequence S is in test/test_gt/S/N.png."""
    checkpoint: Path = BUNDLED
    """Checkpoint folder; the bundled one by default."""
    split: Literal["test", "val"] = "test"
    """Which sequences."""
    out: Path | None = None
    """A JSON file to write the results to."""
    device: str | None = None
    """`cpu` or `cuda`; the GPU where there is one, by default."""


def evaluate(config: EvaluateConfig) -> None:
    """Print a table of the sequences; PSNR is the mean over predicted frames, drift the loss from first to last 100."""
    device = torch.device(pick_device(config.device))
    checkpoint = load_checkpoint(config.checkpoint, device)
    size = checkpoint.config.data.size
    results = {}
    print(f"{'sequence':<10} {'frames':>6} {'PSNR':>7} {'copying':>8} {'drift':>6}   (dB)")
    for name, sequence in _sequences(config, size).items():
        model, copying = rollout_scores(checkpoint.model, sequence, (0, len(sequence.frames)), device)
        drift = (model[:DRIFT_FRAMES].mean() - model[-DRIFT_FRAMES:].mean()).item()
        results[name] = {"psnr": model.mean().item(), "copying": copying.mean().item(), "drift": drift}
        print(_row(name, f"{len(model)}", **results[name]), flush=True)
    mean = {key: sum(r[key] for r in results.values()) / len(results) for key in ("psnr", "copying", "drift")}
    print(_row("mean", "", **mean))
    if config.out:
        with replacing(config.out) as partial:
            partial.write_text(json.dumps({"mean": mean, "sequences": results}, indent=2) + "\n")


def _row(name: str, frames: str, psnr: float, copying: float, drift: float) -> str:
    return f"{name:<10} {frames:>6} {psnr:7.2f} {copying:8.2f} {drift:6.2f}"


def _sequences(config: EvaluateConfig, size: tuple[int, int]) -> dict[str, Recordings]:
    if config.split == "test":
        return open_test(config.data, size)
    split = open_split(config.data, config.split, size)
    return {
        str(i): Recordings(split.frames[a:b], split.poses[a:b], [(0, b - a)])
        for i, (a, b) in enumerate(split.spans)
        if b - a >= 2
    }


def rollout_scores(
    model: Model, recordings: Recordings, span: tuple[int, int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """PSNR of every predicted frame of one recording, and of showing the first frame instead; `(T - 1,)` each, dB."""
    truth = to_tensor(recordings.frames[slice(*span)]).to(device)
    poses = to_tensor(recordings.poses[slice(*span)]).to(device)
    predicted = torch.cat(list(rollout(model, truth[:1], poses[None])))
    return psnr(predicted, truth[1:]), psnr(truth[:1].expand_as(predicted), truth[1:])


def choose_spans(recordings: Recordings, frames: int) -> list[tuple[int, int]]:
    """The beginnings of up to eight recordings, evenly spaced over all of them, with about `frames` frames together.

    Raises:
        InputError: If no recording has two frames, one that is given and one to predict.
    """
    long_enough = [(a, b) for a, b in recordings.spans if b - a >= 2]
    if not long_enough:
        raise InputError("No recording to validate on has two frames, one that is given and one to predict.")
    chosen = long_enough[:: -(-len(long_enough) // MAX_RECORDINGS)]
    share = max(2, frames // len(chosen))
    return [(a, min(b, a + share)) for a, b in chosen]


def validation_psnr(
    model: Model, recordings: Recordings, spans: list[tuple[int, int]], device: torch.device
) -> float:
    """PSNR in dB, the mean over `spans` of the mean over predicted frames.

    Args:
        model: In evaluation mode.
        recordings: Poses to follow and truth to compare with.
        spans: From `choose_spans`.
        device: Where the model is.
    """
    return sum(rollout_scores(model, recordings, span, device)[0].mean().item() for span in spans) / len(spans)
