"""The folder that is published, made from a checkpoint: nothing gets into it that is not named here."""

import json
import shutil
from pathlib import Path
from typing import Any

from cvae.checkpoint import CONFIG, WEIGHTS, checkpoint_folder, load_checkpoint
from cvae.errors import InputError
from cvae.runs import TRAINING, checkpoints_in
from hub.card import Card, card_text
from hub.files import CARD, MAX_TRAINING_BYTES, RESULTS, SAMPLE, SCORE_FIGURES, TRAINING_FIGURE
from hub.privacy import check_harmless, without_folders
from hub.sample import write_sample
from hub.scores import Results, read_results


def stage(
    source: Path, folder: Path, reference: str, *, results: Path | None = None, license: str = "mit"
) -> dict[str, Any]:
    """Fill a folder with the files to publish, the card among them.

    Args:
        source: A checkpoint, or a run, whose best checkpoint is taken.
        folder: An empty one.
        reference: Under which name people will find it.
        results: What `evaluate` wrote of this checkpoint.
        license: Of the weights, as the Hub calls it.

    Returns:
        The content of `training.json`; empty where there is none.

    Raises:
        InputError: If the checkpoint or the results cannot be used, or a token or a folder of this machine is in them.
    """
    checkpoint = load_checkpoint(source)
    place = checkpoint_folder(source)
    for name in (CONFIG, WEIGHTS):
        shutil.copyfile(place / name, folder / name)
    training = _clean_copy(place / TRAINING, folder)
    figure = _copy_of(_run_of(place) / TRAINING_FIGURE, folder)
    scores, measured, score_figure = None, None, None
    if results is not None:
        scores = read_results(results, checkpoint.name)
        shutil.copyfile(results / RESULTS, folder / RESULTS)
        measured = _first_gif(results, scores)
        score_figure = next(filter(None, (_copy_of(results / name, folder) for name in SCORE_FIGURES)), None)
    card = Card(
        reference=reference,
        checkpoint=checkpoint,
        training=training,
        results=scores,
        sample=write_sample(folder / SAMPLE, checkpoint, place, measured, scores.samples if scores else 1),
        training_figure=figure,
        score_figure=score_figure,
        license=license,
    )
    (folder / CARD).write_text(card_text(card))
    check_harmless(folder, (source, *([results] if results else [])))
    return training


def _clean_copy(path: Path, folder: Path) -> dict[str, Any]:
    """Copy `training.json` with names in place of paths.

    Raises:
        InputError: If it is none.
    """
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > MAX_TRAINING_BYTES:
            raise ValueError
        training = without_folders(json.loads(path.read_text()))
    except (ValueError, RecursionError):
        training = None
    if not isinstance(training, dict):
        raise InputError(f"{path} is damaged; expected a JSON object of at most {MAX_TRAINING_BYTES} bytes.")
    (folder / path.name).write_text(json.dumps(training, indent=2) + "\n")
    return training


def _copy_of(path: Path, folder: Path) -> str | None:
    """The name of the copy; None where there is no such file."""
    if not path.is_file():
        return None
    shutil.copyfile(path, folder / path.name)
    return path.name


def _run_of(checkpoint: Path) -> Path:
    """The run in which a checkpoint lies, or the checkpoint itself."""
    folder = checkpoint.resolve()
    return folder.parent if folder in checkpoints_in(folder.parent).values() else folder


def _first_gif(results: Path, scores: Results) -> Path | None:
    """That of the first sequence whose truth is known and of which there is one."""
    gifs = (results / f"{name}.gif" for name in scores.frames if "/" not in name)
    return next((gif for gif in gifs if gif.is_file()), None)
