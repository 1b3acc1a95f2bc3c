"""What an evaluation measured, in Markdown: a table of the sequences, and what its columns mean."""

from collections.abc import Iterator
from dataclasses import dataclass

from cvae.config import ModelConfig
from hub.markdown import code, table
from hub.scores import Kind, Results
from hub.subject import given_to

MOST_SEQUENCES = 30
"""In the table; all are in results.json."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One kind of score in the table."""

    title: str
    kind: Kind
    digits: int = 2
    meaning: str = ""
    """A sentence; empty where the title says it."""


def measured(results: Results | None, model: ModelConfig, figure: str | None) -> Iterator[str]:
    """Paragraphs of the card.

    Args:
        results: Of the evaluation; None where there was none.
        model: What was measured.
        figure: Name of the file beside the card that shows every frame.
    """
    if not results or not results.psnr.sequences:
        yield "It was not measured on a test set."
        return
    columns = list(_columns(results, model))
    yield _score_table(results, columns)
    meanings = " ".join(column.meaning for column in columns if column.meaning)
    yield (
        f"Every sequence of the {code(results.split)} split was predicted from {given_to(model)}: each predicted frame "
        f"is what the next one is predicted from, and the truth is only compared with. {meanings} {_latents(results)}"
    )
    if figure:
        yield f"![Scores of every frame]({figure})"


def change_with_time(results: Results | None) -> str:
    """A sentence on what later frames lose, after a space; empty where it is not known."""
    if results and results.drift.mean is not None:
        change = f"{'lose' if results.drift.mean >= 0 else 'gain'} {abs(results.drift.mean):.2f} dB"
        return f" Measured here, the last 100 frames {change} against the first."
    if results and results.steps and len(curve := results.steps.psnr.mean) > 1:
        ends = f"{curve[0]:.2f} dB in the first of them and {curve[-1]:.2f} dB in the last"
        return f" Measured here over {len(curve)} predicted frames, PSNR is {ends}."
    return ""


def _columns(results: Results, model: ModelConfig) -> Iterator[Column]:
    yield Column(title="PSNR (dB)", kind=results.psnr)
    yield Column(title="SSIM", kind=results.ssim, digits=4)
    if results.best:
        meaning = (
            f"*Best of {results.samples}* is the highest score of any sample of a sequence, which takes the truth to "
            "choose: compare it with the best of as many alone."
        )
        yield Column(title=f"best of {results.samples} (dB)", kind=results.best, meaning=meaning)
    if results.best_ssim:
        yield Column(title=f"best of {results.samples}, SSIM", kind=results.best_ssim, digits=4)
    last = "first frame" if model.past_frames == 1 else "last given frame"
    meaning = f"*Copying* shows the {last} all the time, which is what has to be beaten."
    yield Column(title="copying (dB)", kind=results.copying, meaning=meaning)
    if results.drift.mean is not None:
        meaning = "*Drift* is what the last 100 frames lose against the first 100 (below zero they gain)."
        yield Column(title="drift (dB)", kind=results.drift, meaning=meaning)
    if model.condition == "poses":  # the rule of the lab's competition
        meaning = "*8-bit* is the PSNR of rounded frames, 1 to 600."
        yield Column(title="8-bit (dB)", kind=results.competition, meaning=meaning)


def _score_table(results: Results, columns: list[Column]) -> str:
    names = list(results.psnr.sequences)
    rows = []
    for name in names[:MOST_SEQUENCES]:
        scores = [_score(column.kind.sequences.get(name), column.digits) for column in columns]
        rows.append([code(name), str(len(results.frames[name].psnr)) if name in results.frames else "–", *scores])
    means = [f"**{_score(column.kind.mean, column.digits)}**" for column in columns]
    rows.append([f"**mean of {len(names)}**", "", *means])
    return table(["sequence", "frames", *(column.title for column in columns)], rows)


def _score(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _latents(results: Results) -> str:
    if results.samples > 1:
        return f"Of each sequence {results.samples} samples were drawn from the prior; PSNR and SSIM are their mean."
    return {
        "mean": "Each latent is the prior's mean, so that measuring again gives the same.",
        "prior": "Latents are drawn from the prior.",
    }.get(results.sample, "")
