"""The model card: what a stranger wants to know before using a checkpoint, and what it cannot do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from cvae.checkpoint import Checkpoint
from cvae.inputs import width_by_height
from hub.markdown import code, paragraphs, table
from hub.measured import change_with_time, measured
from hub.scores import Results
from hub.subject import given_to, network_of, subject_of

TEMPLATE = Path(__file__).with_name("card.md")


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
    """What sample.gif shows, in a sentence; None where there is none."""
    training_figure: str | None
    """Name of the file, beside the card."""
    score_figure: str | None
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
    config = card.checkpoint.config
    subject, size = subject_of(config.model), width_by_height(config.data.size)
    return TEMPLATE.read_text().format(
        metadata=metadata(card).to_yaml(),
        name=card.name,
        gives=subject.gives,
        size=size,
        sample=_sample(card.sample),
        network=network_of(config.model),
        millions=f"{sum(parameter.numel() for parameter in card.checkpoint.model.parameters()) / 1e6:.2g}",
        scores=paragraphs(*measured(card.results, config.model, card.score_figure), _validated(card)),
        reference=card.reference,
        options=subject.options,
        files=subject.files,
        training=paragraphs(*_training(card)),
        seen=subject.seen.format(data=f"its training data ({code(card.data)})" if card.data else "its training data"),
        length=change_with_time(card.results),
        misuse=subject.misuse,
        license=code(card.license),
        recordings=subject.recordings,
    )


def metadata(card: Card) -> ModelCardData:
    """What the Hub itself reads of a card."""
    found, model = list(_evaluations(card)), card.checkpoint.config.model
    network = "svg" if model.family == "svg" else "cvae"
    return ModelCardData(
        library_name="marionette",
        license=card.license,
        pipeline_tag="image-to-video",
        tags=["marionette", network, "video-prediction", *subject_of(model).tags],
        metrics=list(dict.fromkeys(result.metric_type for result in found)) or None,
        model_name=card.name,
        eval_results=found or None,
    )


def _evaluations(card: Card) -> Iterator[EvalResult]:
    task = subject_of(card.checkpoint.config.model).task
    if results := card.results:
        many = f", mean of {results.samples} samples" if results.samples > 1 else ""
        best = f", best of {results.samples} samples"
        kinds = (
            ("psnr", f"PSNR (dB){many}", results.psnr),
            ("ssim", f"SSIM{many}", results.ssim),
            ("psnr", f"PSNR (dB){best}", results.best),
            ("ssim", f"SSIM{best}", results.best_ssim),
        )
        for kind, title, scores in kinds:
            if scores and scores.mean is not None:
                split = results.split
                yield _evaluation(task, f"sequences of the {split} split", split, kind, title, scores.mean)
    if card.validation_psnr is not None:
        recordings = f"recordings of {card.data or 'the training data'} kept for validation"
        yield _evaluation(task, recordings, "validation", "psnr", "PSNR (dB)", card.validation_psnr)


def _evaluation(task: str, dataset: str, split: str, kind: str, title: str, value: float) -> EvalResult:
    return EvalResult(
        task_type="image-to-video",
        task_name=task,
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
    return f"![Prediction and truth side by side](sample.gif)\n\n*{shown}*"


def _validated(card: Card) -> str:
    if card.validation_psnr is None:
        return ""
    return (
        f"Its validation, while it was trained, gave **{card.validation_psnr:.2f} dB** PSNR: each of some recordings "
        f"that it was not trained on was predicted from {given_to(card.checkpoint.config.model)}. They also chose this "
        "checkpoint among others, so that new ones may come out worse."
    )


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
