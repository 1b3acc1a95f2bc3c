"""Publishing a checkpoint: `python -m hub push RUN user/name`."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tyro.conf import Positional

from hub.references import Reference, parse_reference, parse_repo
from hub.stage import stage
from hub.upload import Upload, upload

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PushConfig:
    """Publish a checkpoint on the Hub, with a card that says how good it is, in one commit.

    Its weights and config, training.json, figures, a sample GIF and the card are published; the state for resuming
    is not. It needs a token with the right to write: `hf auth login`, or HF_TOKEN.
    """

    checkpoint: Positional[Path]
    """A training's run, whose best checkpoint is taken, or a checkpoint folder."""
    repo: Positional[str]
    """`user/name`; created where it is missing, public unless --private."""
    private: bool = False
    """Create it for yourself and those whom you let in. One that is public already is refused."""
    branch: str | None = None
    """Where to publish; `main` by default, created where it is missing."""
    message: str | None = None
    """Of the commit; step and score by default."""
    results: Path | None = None
    """Folder that `python -m training evaluate --out` wrote for this checkpoint: its scores and figures come too."""
    license: str = "mit"
    """Of the weights, by the Hub's name for it: mit, cc-by-4.0, cc-by-nc-4.0, other, ..."""

    def __post_init__(self) -> None:
        parse_repo(self.repo)
        if self.branch:
            parse_reference(f"{self.repo}@{self.branch}")


def push(config: PushConfig) -> None:
    """`python -m hub push`."""
    with TemporaryDirectory(prefix="marionette-push-") as name:
        folder, reference = Path(name), Reference(config.repo, config.branch)
        training = stage(config.checkpoint, folder, str(reference), results=config.results, license=config.license)
        log.info("Publishing %s: %s", reference, ", ".join(sorted(path.name for path in folder.iterdir())))
        options = Upload(
            folder=folder,
            repo=config.repo,
            message=config.message or commit_message(training),
            private=config.private,
            branch=config.branch,
        )
        print(upload(options))


def commit_message(training: Mapping[str, Any]) -> str:
    """What is published, in a line: "Step 12000, validation PSNR 30.32 dB"."""
    step, score = training.get("step"), training.get("validation_psnr")
    told = f"Step {step}" if isinstance(step, int) else "A checkpoint"
    return told + (f", validation PSNR {score:.2f} dB" if isinstance(score, int | float) else "")
