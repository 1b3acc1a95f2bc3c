"""Checkpoints from the Hub: `python -m hub pull user/name[@revision] --out DIR`, and wherever a checkpoint is taken."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from cvae.checkpoint import CONFIG, WEIGHTS, Checkpoint, load_checkpoint
from cvae.errors import InputError
from cvae.files import filling
from cvae.inputs import quoted
from cvae.runs import TRAINING
from hub.references import NoSuchModel, as_folder, parse_reference
from hub.words import one_line

_MOST_LETTERS = 500
"""Of a refusal."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """A checkpoint folder on this machine."""

    folder: Path
    name: str
    """What to call it: `user/name@abcdef123456`, with the beginning of the commit, or the folder's own name."""
    note: str | None = None
    """What must be said of it: that the Hub could not be asked and a copy is used."""
    commit: str | None = None
    """The whole commit; None for a folder of this machine."""

    @property
    def exact(self) -> str | Path:
        """What names this version and no other: `user/name@` and the whole commit, or the folder."""
        return f"{self.name.partition('@')[0]}@{self.commit}" if self.commit else self.folder

    def load(self) -> Checkpoint:
        """Its network, called by `name` where it is from the Hub.

        Raises:
            InputError: If it does not fit together.
        """
        if self.commit is None:
            return load_checkpoint(self.folder)
        with _short_refusals():
            return load_checkpoint(self.folder, name=self.name)


def open_checkpoint(reference: str | Path) -> Checkpoint:
    """The network of a checkpoint that was named by a folder or by a reference to the Hub.

    Raises:
        InputError: As `local_checkpoint` and `load_checkpoint`.
    """
    return local_checkpoint(reference).load()


def local_checkpoint(reference: str | Path) -> Fetched:
    """A checkpoint that was named by a folder or by a reference to the Hub, as a folder on this machine.

    What exists as a path, or is written as one (`./`, `/`, `..`, `~`), is a path; everything else must be a reference.
    Which commit was taken is logged.

    Raises:
        InputError: If it is neither, or cannot be fetched.
    """
    folder = as_folder(reference)
    if folder is not None:
        return Fetched(folder, folder.resolve().name)
    try:
        fetched = fetch_checkpoint(str(reference))
    except NoSuchModel as error:
        raise InputError(f"There is no folder {quoted(str(reference))}, and {error}") from None
    _tell(fetched)
    return fetched


def fetch_checkpoint(reference: str) -> Fetched:
    """Take a checkpoint from the Hub into its cache; all files are from one commit, and whole.

    Where the Hub cannot be asked, the copy in the cache is taken, and `note` says so. Where it refuses, nothing is.

    Args:
        reference: `user/name` or `user/name@revision`.

    Raises:
        NoSuchModel: If there is none, as far as this user may know.
        InputError: If it is not for this user, or too large or damaged.
    """
    parsed = parse_reference(reference)
    from hub.download import download, find_in_cache, look_up  # the Hub's client takes its time to load
    from hub.faults import Unreachable

    note = None
    try:
        offer = look_up(parsed)
    except Unreachable as error:
        found = find_in_cache(parsed)
        if found is None:
            raise InputError(f"{error} {parsed} is neither in the cache nor a folder.") from None
        folder, commit = found, found.name
        named = parsed.revision is not None and commit.startswith(parsed.revision)
        age = "" if named else ", which may be out of date"
        note = f"{error} A copy of {parsed.at(commit)} from the cache is used{age}."
    else:
        with _short_refusals():
            folder, commit = download(offer), offer.commit
    return Fetched(folder, parsed.at(commit), note, commit)


@contextmanager
def _short_refusals() -> Iterator[None]:
    """Around the reading of what strangers wrote: a refusal may repeat it, whatever it is."""
    try:
        yield
    except InputError as error:
        raise InputError(one_line(str(error), _MOST_LETTERS)) from None


@dataclass(frozen=True, kw_only=True)
class PullConfig:
    """Take a checkpoint from the Hub: config.json, model.safetensors and training.json of one commit."""

    model: Positional[str]
    """user/name or user/name@revision; the revision is a branch, a tag, or seven or more digits of a commit."""
    out: Path | None = None
    """A new folder for it; by default it is only brought into the Hub's cache."""


def pull(config: PullConfig) -> None:
    """`python -m hub pull`."""
    if config.out is None:
        fetched = _fetch_and_tell(config.model)
        print(fetched.folder)
        return
    with filling(config.out) as partial:
        fetched = _fetch_and_tell(config.model)
        for name in (CONFIG, WEIGHTS, TRAINING):
            if (fetched.folder / name).is_file():
                shutil.copyfile(fetched.folder / name, partial / name)
    print(config.out)


def _fetch_and_tell(reference: str) -> Fetched:
    fetched = fetch_checkpoint(reference)
    fetched.load()  # it fits together
    _tell(fetched)
    return fetched


def _tell(fetched: Fetched) -> None:
    log.info("Model: %s", fetched.name)
    if fetched.note:
        log.warning("Note: %s", fetched.note)
