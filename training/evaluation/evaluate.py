"""How good a checkpoint is: free rollouts from the first frame, compared with the truth where it is known."""

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from cvae.checkpoint import BUNDLED
from cvae.device import pick_device
from cvae.errors import InputError
from cvae.files import filling
from cvae.gaussian import Sampling
from cvae.generate import to_picture, to_tensor
from cvae.metrics import SSIM_WINDOW, psnr
from cvae.models import Model
from cvae.rollout import CHUNK, rollout_in_chunks
from hub.pull import open_checkpoint
from training.checks import MAX_SEED, check
from training.data.clips import Recordings
from training.evaluation.results import Submission, Writer, sequence_writer
from training.evaluation.scores import KINDS, Scores, grade_line, summarise, table_header, table_row
from training.evaluation.sequences import PoseSequence, Split, open_sequences
from training.plots import plot_psnr

MAX_RECORDINGS = 8
FRAMES_AT_ONCE = 8  # measured and written together; no more of a sequence is in memory, whatever its length


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Measure a checkpoint on every sequence of a split, beside copying the first frame."""

    data: Path
    """Folder in the lab's layout; the truth of test sequence S, where there is one, is in test/test_gt/S/N.png."""
    checkpoint: str | Path = BUNDLED
    """Checkpoint folder, or user/name[@revision] on the Hub; the bundled one by default."""
    split: Split = "test"
    """Which sequences."""
    out: Path | None = None
    """A new folder for results.json, submission.csv, psnr.png and a GIF of every sequence."""
    sample: Sampling | None = None
    """Draw latents from the `prior` or take its `mean`; the checkpoint's own choice by default."""
    seed: int = 0
    """Of the draws, which begin anew with every sequence."""
    device: str | None = None
    """`cpu` or `cuda`; the GPU where there is one, by default."""

    def __post_init__(self) -> None:
        check("--seed", self.seed, lambda seed: 0 <= seed < MAX_SEED, f"0 to {MAX_SEED - 1}")


def evaluate(config: EvaluateConfig) -> None:
    """Print a table of the sequences and the lab's grade, and write the folder of results where one is asked for.

    Raises:
        InputError: If the data or the checkpoint do not fit, or the network gives numbers that are none.
    """
    device = pick_device(config.device)
    checkpoint = open_checkpoint(config.checkpoint).at_full_speed(device)
    size = checkpoint.config.data.size
    if min(size) < SSIM_WINDOW:
        raise InputError(f"Frames of {size[1]}x{size[0]} are too small to measure: SSIM has a window of 11x11 pixels.")
    sequences = open_sequences(config.data, config.split, size)
    sample = config.sample or checkpoint.config.sampling.sample
    with filling(config.out) if config.out else nullcontext() as folder:
        scores = measure(checkpoint.model, sequences, sample, config.seed, folder)
        results = summarise(scores)
        about = {
            "checkpoint": checkpoint.name,
            "data": config.data.name,
            "split": config.split,
            "sample": sample,
            "seed": config.seed,
        }
        if len(sequences) > 1:
            print(table_row("mean", None, {kind: results[kind]["mean"] for kind in KINDS}))
        print(grade_line(results))
        if folder:
            (folder / "results.json").write_text(json.dumps(about | results, indent=2, allow_nan=False) + "\n")
            if scores:
                plot_psnr({name: one.psnr for name, one in scores.items()}, folder / "psnr.png")
    if config.out:
        print(f"Results: {config.out}")


def measure(
    model: Model, sequences: list[PoseSequence], sample: Sampling, seed: int, folder: Path | None
) -> dict[str, Scores]:
    """Predict every sequence, print its line of the table, and write its GIF and its rows of `submission.csv`.

    Args:
        model: In evaluation mode.
        sequences: What to predict.
        sample: Take the latent's prior `mean` or draw from the `prior`.
        seed: Of the draws.
        folder: Where to write; None writes nothing.

    Returns:
        The scores of those sequences whose truth is known.
    """
    scores = {}
    total = sum(len(sequence.poses) - 1 for sequence in sequences)
    submission = Submission(folder / "submission.csv") if folder else None
    print(table_header())
    with tqdm(total=total, desc="predicting", unit=" frames", leave=False) as bar:
        for sequence in sequences:
            writing = sequence_writer(folder, submission, sequence) if folder and submission else nullcontext()
            with writing as write:
                one = measure_one(sequence, predict(model, sequence, sample, seed), write, bar.update)
            if sequence.truth is not None:
                scores[sequence.name] = one
            bar.write(table_row(sequence.name, len(sequence.poses) - 1, one.summary() if one.psnr else {}))
    return scores


def measure_one(
    sequence: PoseSequence, predicted: Iterator[Tensor], write: Writer | None, done: Callable[[int], object]
) -> Scores:
    """Measure and write one sequence piece by piece; each piece is then forgotten.

    Args:
        sequence: Of which the truth, if known, is compared with.
        predicted: Its frames 1 to T-1, `(1, C, H, W)` each.
        write: Takes the pictures, from the given one on.
        done: Called with the number of frames after each piece.

    Raises:
        InputError: If a value is not finite.
    """
    scores, first = Scores(), to_tensor(sequence.first_frame[None])[0]
    if write:
        write(slice(0, 1), sequence.first_frame[None])
    for start in range(1, len(sequence.poses), FRAMES_AT_ONCE):
        frames = torch.cat(list(islice(predicted, FRAMES_AT_ONCE))).cpu()
        if not frames.isfinite().all():
            raise InputError(f"Sequence {sequence.name}: the network's prediction is not finite from frame {start} on.")
        now, pictures = slice(start, start + len(frames)), np.stack([to_picture(frame) for frame in frames])
        if write:
            write(now, pictures)
        if sequence.truth is not None:
            scores.add(frames, to_tensor(pictures), to_tensor(sequence.truth[now]), first)
        done(len(frames))
    return scores


def predict(model: Model, sequence: PoseSequence, sample: Sampling = "mean", seed: int = 0) -> Iterator[Tensor]:
    """Frames 1 to T-1, `(1, C, H, W)` each; the truth is never looked at."""
    device = next(model.parameters()).device
    first_frame, first_pose = (to_tensor(x).to(device) for x in (sequence.first_frame[None], sequence.poses[:1]))
    starts = range(1, len(sequence.poses), CHUNK)
    chunks = (to_tensor(sequence.poses[i : i + CHUNK])[None].to(device) for i in starts)
    generator = torch.Generator().manual_seed(seed)
    return rollout_in_chunks(model, first_frame, first_pose, chunks, sample=sample, generator=generator)


def rollout_psnr(model: Model, recordings: Recordings, span: tuple[int, int], sample: Sampling = "mean") -> Tensor:
    """PSNR of every predicted frame of one recording, `(T - 1,)`, dB."""
    frames, poses = recordings.frames[slice(*span)], recordings.poses[slice(*span)]
    predicted = torch.cat(list(predict(model, PoseSequence("", frames[0], poses, None), sample)))
    return psnr(predicted, to_tensor(frames[1:]).to(predicted.device))


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
    model: Model, recordings: Recordings, spans: list[tuple[int, int]], sample: Sampling = "mean"
) -> float:
    """PSNR in dB, the mean over `spans` of the mean over predicted frames.

    Args:
        model: In evaluation mode.
        recordings: Poses to follow and truth to compare with.
        spans: From `choose_spans`.
        sample: Take the latent's prior `mean` or draw from the `prior`.
    """
    return sum(rollout_psnr(model, recordings, span, sample).mean().item() for span in spans) / len(spans)
