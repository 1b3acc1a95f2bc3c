"""Taking a checkpoint from the Hub: `python -m hub pull user/name[@revision] --out DIR`."""

import logging
from dataclasses import dataclass
from pathlib import Path

from hub.references import as_folder, parse_reference

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


def local_checkpoint(reference: str | Path) -> Fetched:
    """A checkpoint that was named by a folder or by a reference to the Hub, as a folder on this machine.

    What exists as a path, or is written as one (`./`, `/`, `..`, `~`), is a path; everything else must be a reference.
    Where it came from is logged.

    Raises:
        InputError: If it is neither, or cannot be fetched.
    """
    folder = as_folder(reference)
    if folder is not None:
        return Fetched(folder, folder.resolve().name)
    fetched = fetch_checkpoint(str(reference))
    log.info("Model: %s", fetched.name)
    if fetched.note:
        log.warning("Note: %s", fetched.note)
    return fetched


def fetch_checkpoint(reference: str) -> Fetched:
    """Take a checkpoint from the Hub into the cache; all of its files are from one commit, and whole.

    Args:
        reference: `user/name` or `user/name@revision`.

    Raises:
        InputError: If there is none, it is not for this user, it is too large, or it does not fit together.
    """
    parsed = parse_reference(reference)
    from hub.download import download  # the Hub's client takes its time to load

    return download(parsed)
