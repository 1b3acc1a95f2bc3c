"""The model card: what a stranger wants to know before using a checkpoint, and what it cannot do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from cvae.checkpoint import Checkpoint
from cvae.inputs import width_by_height
from hub.markdown import code, paragraphs, table
from hub.scores import Results

TEMPLATE = Path(__file__).with_name("card.md")
MOST_SEQUENCES = 30
"""In the table; all are in results.json."""
_NETWORKS = {
    "pose_cvae": "a conditional variational autoencoder (CVAE) that looks up by attention, in the first frame, what "
    "each part of the body looks like",
    "lab4": 'the conditional variational autoencoder (CVAE) of the course lab "DLP Lab 4", which predicts a frame from '
    "the one before and its pose",
}
_DRAWN = {
    "mean": "Each latent is the prior's mean, so that measuring again gives the same.",
    "prior": "Latents are drawn from the prior.",
}


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that a card tells."""

    reference: str
    """`user/name` or `user/name@branch`, as it is typed."""
    checkpoint: Checkpoint
    training: Mapping[str, Any]
    """Content of `training.json`; empty where there is none."""
    results: Results | None
    """Of an evaluation."""
    sample: str | None
    """What sample.gif shows; None where there is none."""
    training_figure: str | None
    """Name of the file, beside the card."""
    psnr_figure: str | None
    """The same."""
    license: str
    """As the Hub calls it."""

    @property
    def name(self) -> str:
        """Of the repository, without its user."""
        return self.reference.partition("@")[0].split("/")[-1]

    @property
    def data(self) -> str | None:
        """What the training's data set was called."""
        options = self.training.get("options")
        data = options.get("data") if isinstance(options, dict) else None
        return data if isinstance(data, str) and data else None

    @property
    def validation_psnr(self) -> float | None:
        """DB."""
        score = self.training.get("validation_psnr")
        return float(score) if isinstance(score, int | float) else None


def card_text(card: Card) -> str:
    """The README.md of the model's page: metadata and Markdown."""
    config, model = card.checkpoint.config, card.checkpoint.model
    return TEMPLATE.read_text().format(
        metadata=metadata(card).to_yaml(),
        name=card.name,
        size=width_by_height(config.data.size),
        sample=_sample(card.sample),
        network=_NETWORKS[config.model.family],
        millions=f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.2g}",
        scores=paragraphs(*_measured(card), _validated(card)),
        reference=card.reference,
        training=paragraphs(*_training(card)),
        data=f"its training data ({code(card.data)})" if card.data else "its training data",
        drift=_drift(card.results),
        license=code(card.license),
    )


def metadata(card: Card) -> ModelCardData:
    """What the Hub itself reads of a card."""
    found = list(_evaluations(card))
    return ModelCardData(
        library_name="marionette",
        license=card.license,
        pipeline_tag="image-to-video",
        tags=["marionette", "cvae", "pose-driven", "video-prediction", "human-motion"],
        metrics=list(dict.fromkeys(result.metric_type for result in found)) or None,
        model_name=card.name,
        eval_results=found or None,
    )


def _evaluations(card: Card) -> Iterator[EvalResult]:
    if card.results:
        split = card.results.split
        for kind, title in (("psnr", "PSNR (dB)"), ("ssim", "SSIM")):
            value = getattr(card.results, kind).mean
            if value is not None:
                yield _evaluation(f"sequences of the {split} split", split, kind, title, value)
    if card.validation_psnr is not None:
        data = card.data or "the training data"
        yield _evaluation(
            f"recordings of {data} kept for validation", "validation", "psnr", "PSNR (dB)", card.validation_psnr
        )


def _evaluation(dataset: str, split: str, kind: str, title: str, value: float) -> EvalResult:
    return EvalResult(
        task_type="image-to-video",
        task_name="Pose-driven video prediction",
        dataset_type="custom",
        dataset_name=dataset,
        dataset_split=split,
        metric_type=kind,
        metric_name=title,
        metric_value=round(value, 4),
    )


def _sample(shown: str | None) -> str:
    if shown is None:
        return "There is no moving sample."
    return (
        "![Pose, prediction and truth side by side](sample.gif)\n\n"
        "*Left the poses it is given, in the middle what it predicts from the first frame alone, right the truth: "
        f"{shown}.*"
    )


def _measured(card: Card) -> Iterator[str]:
    results = card.results
    if not results or not results.psnr.sequences:
        yield "It was not measured on a test set."
        return
    yield _score_table(results)
    yield (
        f"Every sequence of the {code(results.split)} split was predicted from its first frame and its poses alone: "
        "each predicted frame is what the next one is predicted from, and the truth is only compared with. *Copying* "
        "shows the first frame all the time, which is what has to be beaten; *drift* is what the last 100 frames lose "
        "against the first 100 (below zero they gain); *8-bit* is the PSNR of rounded frames, 1 to 600. "
        + _DRAWN.get(results.sample, "")
    )
    if card.psnr_figure:
        yield f"![PSNR of every frame]({card.psnr_figure})"


def _validated(card: Card) -> str:
    if card.validation_psnr is None:
        return ""
    return (
        f"Its validation, while it was trained, gave **{card.validation_psnr:.2f} dB** PSNR, predicting from the first "
        "frame alone recordings that it was not trained on. They also chose this checkpoint among others, so that new "
        "ones may come out worse."
    )


def _drift(results: Results | None) -> str:
    if results is None or results.drift.mean is None:
        return ""
    change = f"{'lose' if results.drift.mean >= 0 else 'gain'} {abs(results.drift.mean):.2f} dB"
    return f" Measured here, the last 100 frames {change} against the first."


def _score_table(results: Results) -> str:
    kinds = {
        "PSNR (dB)": (results.psnr, 2),
        "SSIM": (results.ssim, 4),
        "copying (dB)": (results.copying, 2),
        "drift (dB)": (results.drift, 2),
        "8-bit (dB)": (results.competition, 2),
    }
    names = list(results.psnr.sequences)
    rows = []
    for name in names[:MOST_SEQUENCES]:
        scores = [_score(kind.sequences.get(name), digits) for kind, digits in kinds.values()]
        rows.append([code(name), str(len(results.frames[name].psnr)) if name in results.frames else "–", *scores])
    means = [f"**{_score(kind.mean, digits)}**" for kind, digits in kinds.values()]
    rows.append([f"**mean of {len(names)}**", "", *means])
    return table(["sequence", "frames", *kinds], rows)


def _score(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _training(card: Card) -> Iterator[str]:
    told = card.training
    if not told:
        yield "Nothing is known of it."
        return
    machine = told.get("machine")
    facts = {
        "data set, as its maker called it": card.data,
        "frames": f"{width_by_height(card.checkpoint.config.data.size)} pixels",
        "steps": told.get("step"),
        "minutes": told.get("minutes"),
        "imported from": told.get("source"),
        **(machine if isinstance(machine, dict) else {}),
        "commit of the code": told.get("code"),
    }
    yield table(
        ["what", ""], [[name.replace("_", " "), code(value)] for name, value in facts.items() if value is not None]
    )
    if card.training_figure:
        yield f"![Loss, schedules and validation along the training]({card.training_figure})"
    if options := dict(_flat(told.get("options"))):
        yield f"<details><summary>All {len(options)} options of the training</summary>"
        yield table(["option", "value"], [[code(name), code(value)] for name, value in options.items()])
        yield "</details>"


def _flat(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Options by the names that they have on the command line."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name and name != "recipe" else str(key))
    elif value is not None:
        yield name.replace("_", "-"), value
