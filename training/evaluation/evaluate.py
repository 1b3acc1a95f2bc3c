"""How good a checkpoint is: free rollouts from the first frame, compared with the truth where it is known."""

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from cvae.checkpoint import BUNDLED
from cvae.config import ModelConfig
from cvae.device import pick_device
from cvae.errors import InputError
from cvae.files import filling
from cvae.gaussian import Sampling
from cvae.generate import to_conditions, to_picture, to_tensor
from cvae.metrics import SSIM_WINDOW, psnr
from cvae.models import Model
from cvae.rollout import CHUNK, rollout, rollout_in_chunks
from hub.pull import open_checkpoint
from training.checks import MAX_SEED, check
from training.data.clips import Recordings
from training.evaluation.results import SHOWN_SAMPLES, ResultFiles, Writer
from training.evaluation.scores import Scores, grade_line, kinds, mean, summarise, table_header, table_row
from training.evaluation.sequences import Sequence, Split, open_sequences, shuffled
from training.plots import plot_psnr, plot_steps

MAX_RECORDINGS = 8
MOST_ROWS = 30  # of the table
MAX_SAMPLES = 1000
TOGETHER = 16  # samples, or recordings of one length, are predicted together
FRAMES_AT_ONCE = 8  # measured and written together; no more of a sequence is in memory, whatever its length


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """Measure a checkpoint on every sequence of a split, beside copying the last given frame."""

    data: Path
    """Folder in the lab's layout; the truth of test sequence S, where there is one, is in test/test_gt/S/N.png. Or a
    robot's trajectories."""
    checkpoint: str | Path = BUNDLED
    """Checkpoint folder, or user/name[@revision] on the Hub; the bundled one by default."""
    split: Split = "test"
    """Which sequences."""
    out: Path | None = None
    """A new folder for results.json, a figure and GIFs; with poses also submission.csv."""
    sample: Sampling | None = None
    """Draw latents from the `prior` or take its `mean`; the checkpoint's own choice by default."""
    seed: int = 0
    """Of the draws, which begin anew with every sequence."""
    samples: int = 1
    """Videos drawn of each sequence. The scores are their mean; above one, `best` is that of the best of them, as in
    Denton & Fergus 2018, who draw 100."""
    shuffle_conditions: bool = False
    """Predict each sequence with the actions or poses of the next one: a score that loses nothing shows that they are
    not used. What they are worth is the gap to a network that was trained without."""
    device: str | None = None
    """`cpu` or `cuda`; the GPU where there is one, by default."""

    def __post_init__(self) -> None:
        check("--seed", self.seed, lambda seed: 0 <= seed < MAX_SEED, f"0 to {MAX_SEED - 1}")
        check("--samples", self.samples, lambda count: 1 <= count <= MAX_SAMPLES, f"1 to {MAX_SAMPLES}")


def evaluate(config: EvaluateConfig) -> None:
    """Print a table of the sequences and the lab's grade, and write the folder of results where one is asked for.

    Raises:
        InputError: If the data or the checkpoint do not fit, or the network gives numbers that are none.
    """
    device = pick_device(config.device)
    checkpoint = open_checkpoint(config.checkpoint).at_full_speed(device)
    size, network = checkpoint.config.data.size, checkpoint.config.model
    if min(size) < SSIM_WINDOW:
        raise InputError(f"Frames of {size[1]}x{size[0]} are too small to measure: SSIM has a window of 11x11 pixels.")
    sequences = open_sequences(config.data, config.split, size, network)
    if config.shuffle_conditions:
        sequences = shuffled(sequences)
    sample = config.sample or checkpoint.config.sampling.sample
    expected = "prior where several samples are drawn"
    check("--sample", sample, lambda sample: sample == "prior" or config.samples == 1, expected)
    with filling(config.out) if config.out else nullcontext() as folder:
        scores = measure(checkpoint.model, sequences, sample, config.seed, config.samples, folder)
        results = summarise(scores, config.samples)
        about = {
            "checkpoint": checkpoint.name,
            "data": config.data.name,
            "split": config.split,
            "sample": sample,
            "seed": config.seed,
            "samples": config.samples,
            "shuffled_conditions": config.shuffle_conditions,
        }
        if len(sequences) > 1:
            print(
                table_row("mean", None, {kind: results[kind]["mean"] for kind in kinds(config.samples)}, config.samples)
            )
        if network.condition == "poses":
            print(grade_line(results))
        if folder:
            (folder / "results.json").write_text(json.dumps(about | results, indent=2, allow_nan=False) + "\n")
            if network.horizon and "steps" in results:
                plot_steps(results["steps"], folder / "steps.png")
            elif scores:
                plot_psnr({name: one.psnr for name, one in scores.items()}, folder / "psnr.png")
    if config.out:
        print(f"Results: {config.out}")


def measure(
    model: Model, sequences: list[Sequence], sample: Sampling, seed: int, samples: int, folder: Path | None
) -> dict[str, Scores]:
    """Predict every sequence, print its line of the table, and write what belongs to it.

    Args:
        model: In evaluation mode.
        sequences: What to predict.
        sample: Take the latent's prior `mean` or draw from the `prior`.
        seed: Of the draws.
        samples: Videos of each sequence.
        folder: Where to write; None writes nothing.

    Returns:
        The scores of those sequences whose truth is known.
    """
    scores = {}
    files = ResultFiles(folder, samples, posed=model.config.condition == "poses") if folder else None
    print(table_header(samples))
    with tqdm(total=sum(one.future for one in sequences), desc="predicting", unit=" frames", leave=False) as bar:
        for number, sequence in enumerate(sequences):
            with files.writing(sequence) if files else nullcontext() as write:
                one = measure_one(sequence, predict(model, sequence, sample, seed, samples), write, bar.update)
            if sequence.truth is not None:
                scores[sequence.name] = one
            if number < MOST_ROWS:
                bar.write(table_row(sequence.name, sequence.future, one.summary() if one.frames else {}, samples))
    if (left := len(sequences) - MOST_ROWS) > 0:
        print(f"... and {left} more")
    return scores


def measure_one(
    sequence: Sequence, predicted: Iterator[Tensor], write: Writer | None, done: Callable[[int], object]
) -> Scores:
    """Measure and write one sequence piece by piece; each piece is then forgotten.

    Args:
        sequence: Of which the truth, if known, is compared with.
        predicted: Its frames after the given ones, `(n, C, H, W)` each, n samples of them.
        write: Takes the pictures, from frame 0 on.
        done: Called with the number of frames after each piece.

    Raises:
        InputError: If a value is not finite.
    """
    past = len(sequence.given)
    scores, last = Scores(), to_tensor(sequence.given[-1:])[0]
    if write:
        write(slice(0, past), sequence.given[None])
    for start in range(past, len(sequence), FRAMES_AT_ONCE):
        frames = torch.stack(list(islice(predicted, FRAMES_AT_ONCE))).cpu()  # (t, n, C, H, W)
        if not frames.isfinite().all():
            raise InputError(f"Sequence {sequence.name}: the network's prediction is not finite from frame {start} on.")
        now = slice(start, start + len(frames))
        if write:
            shown = frames.unbind(1)[:SHOWN_SAMPLES]
            write(now, np.stack([[to_picture(frame) for frame in one] for one in shown]))
        if sequence.truth is not None:
            scores.add(frames, to_tensor(sequence.truth[now]), last)
        done(len(frames))
    return scores


def predict(
    model: Model, sequence: Sequence, sample: Sampling = "mean", seed: int = 0, samples: int = 1
) -> Iterator[Tensor]:
    """The frames after the given ones, `(samples, C, H, W)` each; the truth is never looked at.

    Few samples are predicted at a time, each group with a seed of its own, which bounds the memory.
    """
    device = next(model.parameters()).device

    def some(count: int, seed: int) -> Iterator[Tensor]:
        def many(x: Tensor) -> Tensor:
            return x.to(device).expand(count, *x.shape)

        given, first = many(to_tensor(sequence.given)), many(to_conditions(sequence.conditions[:1])[0])
        starts = range(1, len(sequence), CHUNK)
        chunks = (many(to_conditions(sequence.conditions[i : i + CHUNK])) for i in starts)
        generator = torch.Generator().manual_seed(seed % MAX_SEED)
        return rollout_in_chunks(model, given, first, chunks, sample=sample, generator=generator)

    sizes = [min(TOGETHER, samples - done) for done in range(0, samples, TOGETHER)]
    groups = [some(size, seed + number) for number, size in enumerate(sizes)]
    return (torch.cat(parts) for parts in zip(*groups, strict=True))


def rollout_psnr(
    model: Model, recordings: Recordings, spans: list[tuple[int, int]], sample: Sampling = "mean"
) -> list[Tensor]:
    """PSNR in dB of the predicted frames of parts of recordings, `(T - P,)` each; those as long are made together.

    Args:
        model: In evaluation mode.
        recordings: Conditions to follow and truth to compare with.
        spans: First and one past the last frame of each part.
        sample: Take the latent's prior `mean` or draw from the `prior`.
    """
    past, device = model.config.past_frames, next(model.parameters()).device
    curves: dict[tuple[int, int], Tensor] = {}

    def stack(array: NDArray[Any], some: list[tuple[int, int]]) -> Tensor:
        return torch.stack([to_conditions(array[slice(*span)]) for span in some]).to(device)

    for length in {b - a for a, b in spans}:
        alike = [span for span in spans if span[1] - span[0] == length]
        for some in (alike[i : i + TOGETHER] for i in range(0, len(alike), TOGETHER)):
            frames, conditions = stack(recordings.frames, some), stack(recordings.conditions, some)
            generator = torch.Generator().manual_seed(0)
            predicted = rollout(model, frames[:, :past], conditions, sample=sample, generator=generator)
            curves |= zip(some, psnr(torch.stack(list(predicted), dim=1), frames[:, past:]).cpu(), strict=True)
    return [curves[span] for span in spans]


def copying_psnr(recordings: Recordings, spans: list[tuple[int, int]], past: int) -> float:
    """PSNR in dB of showing the last given frame instead, the mean over `spans` of the mean over later frames."""
    clips = (to_tensor(recordings.frames[slice(*span)]) for span in spans)
    return mean([psnr(clip[past - 1].expand_as(clip[past:]), clip[past:]).mean().item() for clip in clips]) or 0.0


def choose_spans(recordings: Recordings, frames: int, model: ModelConfig) -> list[tuple[int, int]]:
    """The beginnings of some recordings, evenly spaced over all of them, with about `frames` frames together.

    They are at most eight; of a network that is measured over a fixed number of frames they are as many as fit.

    Raises:
        InputError: If no recording has enough frames, those that are given and one to predict.
    """
    least = model.past_frames + 1
    long_enough = [(a, b) for a, b in recordings.spans if b - a >= least]
    if not long_enough:
        raise InputError(
            f"No recording to validate on has {least} frames, {model.past_frames} that are given and one to predict."
        )
    most = max(1, frames // model.horizon) if model.horizon else MAX_RECORDINGS
    chosen = long_enough[:: -(-len(long_enough) // most)]
    share = model.horizon or max(least, frames // len(chosen))
    return [(a, min(b, a + share)) for a, b in chosen]


def validation_psnr(
    model: Model, recordings: Recordings, spans: list[tuple[int, int]], sample: Sampling = "mean"
) -> float:
    """PSNR in dB, the mean over `spans` of the mean over predicted frames; arguments as for `rollout_psnr`."""
    return mean([curve.mean().item() for curve in rollout_psnr(model, recordings, spans, sample)]) or 0.0
