"""A Space that serves a model: `python -m hub space user/name --model user/model`."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi
from tyro.conf import Positional

from cvae.errors import InputError
from cvae.files import filling
from cvae.inputs import quoted
from hub.commits import model_at
from hub.faults import faults
from hub.references import parse_reference, parse_repo
from hub.space_folder import Sdk, SpaceFolder, write_space
from hub.upload import commit_folder

_HARDWARE = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_KEPT = ".gitattributes"
"""The Hub's own file, which says what is large."""


@dataclass(frozen=True, kw_only=True)
class SpaceConfig:
    """Create a Space on the Hub that serves a model, or bring it up to date, in one commit.

    It needs a token with the right to write: `hf auth login`, or HF_TOKEN.
    """

    space: Positional[str]
    """`user/name` of the Space; created where it is missing. Files of it that do not belong there are deleted."""
    model: str
    """What it serves: `user/name` or `user/name@revision`."""
    sdk: Sdk = "gradio"
    """How the Hub runs it: as a Gradio app, or from the Dockerfile."""
    hardware: str | None = None
    """What it runs on, by the Hub's name: cpu-basic, zero-a10g, t4-small, ...; what it has by default."""
    private_model_token_from_env: bool = False
    """Give the Space the token in SPACE_HF_TOKEN, or else that in HF_TOKEN, as a secret, so that it may load a private
    or gated model; whoever may open the Space can then use the model, and a new Space is public. A token that can read
    this model and nothing else is enough, and wiser."""
    dry_run: Path | None = None
    """Write the files into this new folder and publish nothing."""

    def __post_init__(self) -> None:
        try:
            parse_repo(self.space)
        except InputError:
            raise InputError(f"{quoted(self.space)} cannot be the name of a Space; expected user/name.") from None
        parse_reference(self.model)
        if self.hardware is not None and not _HARDWARE.fullmatch(self.hardware):
            raise InputError(f"--hardware is {quoted(self.hardware)}; expected a name such as cpu-basic or t4-small.")
        if self.sdk == "docker" and (self.hardware or "").startswith("zero"):
            raise InputError(f"--hardware {self.hardware} runs Gradio Spaces only; expected --sdk gradio.")
        if self.private_model_token_from_env and not model_token():
            raise InputError(
                "--private-model-token-from-env takes the token from SPACE_HF_TOKEN or HF_TOKEN; neither is set."
            )


def model_token() -> str:
    """What a Space may load its model with; empty where there is none."""
    return os.environ.get("SPACE_HF_TOKEN", "").strip() or os.environ.get("HF_TOKEN", "").strip()


def space(config: SpaceConfig) -> None:
    """`python -m hub space`."""
    files = SpaceFolder(model=parse_reference(config.model), sdk=config.sdk, hardware=config.hardware)
    if config.dry_run:
        with filling(config.dry_run) as folder:
            write_space(folder, files)
        print(f"The files of the Space are in {config.dry_run}.")
        return
    with TemporaryDirectory(prefix="marionette-space-") as name:
        write_space(Path(name), files)
        print(publish(config, Path(name)))


def publish(config: SpaceConfig, folder: Path) -> str:
    """Make the Space equal to the folder, in one commit, or none where it is already.

    Returns:
        The Space's address.

    Raises:
        InputError: If the Hub refuses or cannot be asked, or the Space could not load its model.
    """
    api = HfApi()
    with faults(config.model):
        info = model_at(parse_reference(config.model))
    if (info.private or info.gated) and not config.private_model_token_from_env:
        raise InputError(
            f"{config.model} is private or gated, so that the Space could not load it; give it a token that can, in "
            "SPACE_HF_TOKEN or HF_TOKEN, with --private-model-token-from-env."
        )
    with faults(config.space):
        address = api.create_repo(config.space, repo_type="space", space_sdk=config.sdk, exist_ok=True)
        # Before the files, so that the first start has them.
        api.add_space_variable(config.space, "MODEL_ID", config.model)
        if config.private_model_token_from_env:
            api.add_space_secret(config.space, "HF_TOKEN", model_token())
        head = api.space_info(config.space).sha
        there = set(api.list_repo_files(config.space, repo_type="space", revision=head))
        message = f"Serve {config.model}"
        commit_folder(folder, config.space, message=message, parent=head, obsolete=there - {_KEPT}, kind="space")
        if config.hardware:
            api.request_space_hardware(config.space, config.hardware)  # type: ignore[arg-type]
    return str(address)
