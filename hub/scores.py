"""What `python -m training evaluate` measured, read from its folder of results."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from cvae.errors import InputError
from hub.files import RESULTS

_MAX_BYTES = 20_000_000
_FINITE = ConfigDict(allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of score."""

    __pydantic_config__ = _FINITE

    mean: float | None
    """Over the sequences; None where none has a value."""
    sequences: dict[str, float | None]
    """Of each sequence by name."""


@dataclass(frozen=True, kw_only=True)
class FrameScores:
    """Every predicted frame of a sequence."""

    __pydantic_config__ = _FINITE

    psnr: list[float]
    """dB, of frames 1, 2, ..."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Of every predicted frame the mean over sequences of one length."""

    __pydantic_config__ = _FINITE

    mean: Annotated[list[float], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """How the scores change from frame to frame."""

    __pydantic_config__ = _FINITE

    psnr: Curve
    """dB."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """The part of `results.json` that people are told; dB, but for SSIM."""

    __pydantic_config__ = _FINITE

    checkpoint: str
    """Name of what was measured: `run/step_012000`, or the folder alone."""
    split: str
    """Which sequences."""
    sample: str
    """`mean` or `prior`: how the latents were taken."""
    samples: Annotated[int, Field(ge=1)] = 1
    """Videos drawn of each sequence."""
    shuffled_conditions: bool = False
    """Each sequence was predicted with the actions or poses of another one."""
    psnr: Kind
    """Of the prediction, the mean over the samples."""
    ssim: Kind
    """Of the same."""
    best: Kind | None = None
    """PSNR of the best of several samples."""
    best_ssim: Kind | None = None
    """SSIM of the best of them."""
    copying: Kind
    """PSNR of showing the last given frame all the time."""
    drift: Kind
    """What the last 100 frames lose against the first 100."""
    competition: Kind
    """PSNR of rounded frames, 1 to 600."""
    frames: dict[str, FrameScores]
    """By sequence."""
    steps: Steps | None = None
    """Where all sequences are of one length."""


def read_results(folder: Path, checkpoint: str) -> Results:
    """Read the results of this very checkpoint.

    Args:
        folder: As `evaluate --out` wrote it.
        checkpoint: Name of the checkpoint as loaded.

    Raises:
        InputError: If there are none, they are foreign, they belong to another checkpoint, or they are of exchanged
            actions or poses.
    """
    path = folder / RESULTS
    if not path.is_file() or path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{folder} has no {RESULTS}; expected a folder that `python -m training evaluate` wrote.")
    try:
        results = TypeAdapter(Results).validate_json(path.read_bytes())
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InputError(f"{path} is not what evaluate writes: {place}: {error.errors()[0]['msg']}.") from None
    if results.checkpoint.split("/")[-1] != checkpoint.split("/")[-1]:
        raise InputError(
            f"{folder} holds the results of {results.checkpoint}; expected those of {checkpoint}, which is published."
        )
    if results.shuffled_conditions:
        raise InputError(
            f"{folder} holds the results of exchanged actions or poses; expected those of "
            "`python -m training evaluate` without --shuffle-conditions."
        )
    return results
