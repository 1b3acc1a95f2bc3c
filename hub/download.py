"""Bringing the files of one commit into the Hub's cache: known before, bounded, and whole."""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils.tqdm import tqdm

from cvae.checkpoint import CONFIG, MAX_CONFIG_BYTES, WEIGHTS, read_config, weight_bytes
from cvae.errors import InputError
from cvae.files import replacing
from cvae.runs import TRAINING
from hub.commits import model_at
from hub.faults import faults
from hub.files import MAX_TRAINING_BYTES
from hub.references import Reference, is_beginning_of_commit, is_commit

MAX_HEADER_BYTES = 1_000_000
"""Of the names and shapes in a safetensors file."""
_ETAG = re.compile(r"[\w.-]{1,128}", re.ASCII)
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")


@dataclass(frozen=True)
class Promise:
    """What the Hub says of a file before it sends it."""

    size: int | None
    """Bytes; None where it does not say."""
    etag: str
    """The SHA-256 of a large file, git's SHA-1 of a small one."""


@dataclass(frozen=True)
class Offer:
    """The files of a checkpoint at the commit that a reference means now; this user may take them."""

    reference: Reference
    commit: str
    files: dict[str, Promise]

    @property
    def name(self) -> str:
        """`user/name@abcdef123456`."""
        return self.reference.at(self.commit)


def look_up(reference: Reference) -> Offer:
    """Ask the Hub what there is.

    Raises:
        Unreachable: If it cannot be asked.
        InputError: If it refuses, or what lies there is no checkpoint.
    """
    with faults(str(reference)):
        info = model_at(reference)
        if info.sha is None or not is_commit(info.sha):
            raise ValueError("it names no commit")
        commit, names = info.sha, {file.rfilename for file in info.siblings or ()}
    called = reference.at(commit)
    if CONFIG not in names:
        raise InputError(f"{called} is no checkpoint of this project: it has no {CONFIG}.")
    if WEIGHTS not in names:
        pickles = sorted(name for name in names if name.endswith(_PICKLES))
        also = f"; {pickles[0]} is a pickle, which could run code and is never loaded" if pickles else ""
        raise InputError(f"{called} is no checkpoint of this project: it has no {WEIGHTS}{also}.")
    wanted = [name for name in (CONFIG, TRAINING, WEIGHTS) if name in names]
    return Offer(reference, commit, {name: _ask_for(reference.repo, commit, name, called) for name in wanted})


def download(offer: Offer) -> Path:
    """Take the files into the Hub's cache, with a progress bar; they are checked, none is larger than it must be.

    Returns:
        Their folder in the cache; other files of the model may lie there too.

    Raises:
        InputError: If a file is too large or damaged, the connection is cut or the disk full.
    """
    config = read_config(_take(offer, CONFIG, MAX_CONFIG_BYTES), offer.name)
    if TRAINING in offer.files:
        _take(offer, TRAINING, MAX_TRAINING_BYTES)
    folder = _take(offer, WEIGHTS, weight_bytes(config) + MAX_HEADER_BYTES).parent
    _remember(folder, offer.reference.revision or constants.DEFAULT_REVISION, offer.commit)
    return folder


def find_in_cache(reference: Reference) -> Path | None:
    """The folder, called by the commit, that the reference meant when it was last taken from the Hub.

    Returns:
        None where the config or the weights are not there.

    Raises:
        InputError: If a file there is damaged.
    """
    folder = _cached_folder(reference)
    if folder is None or not (folder / WEIGHTS).is_file():
        return None
    for path in (folder / CONFIG, folder / WEIGHTS):
        etag = path.readlink().name if path.is_symlink() else ""  # the cache calls a content by its ETag
        if not _is_whole(path, etag):
            raise InputError(f"The copy of {reference} in the cache is damaged ({path}), and the Hub cannot be asked.")
    return folder


def _cached_folder(reference: Reference) -> Path | None:
    revision = reference.revision or constants.DEFAULT_REVISION
    config = try_to_load_from_cache(reference.repo, CONFIG, revision=revision)
    if isinstance(config, str):
        return Path(config).parent
    if not is_beginning_of_commit(revision):
        return None
    snapshots = Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=reference.repo, repo_type="model"), "snapshots")
    found = [config.parent for config in snapshots.glob(f"{revision}*/{CONFIG}")]
    return found[0] if len(found) == 1 else None


def _ask_for(repo: str, commit: str, name: str, called: str) -> Promise:
    with faults(called):
        told = get_hf_file_metadata(hf_hub_url(repo, name, revision=commit), timeout=constants.HF_HUB_ETAG_TIMEOUT)
        if told.commit_hash != commit or not _ETAG.fullmatch(told.etag or ""):
            raise ValueError(f"{name} comes without its commit or ETag")
        return Promise(told.size, str(told.etag))


def _take(offer: Offer, name: str, most: int) -> Path:
    """The file out of the cache, or fetched; once more where it is damaged."""
    size, etag = offer.files[name].size, offer.files[name].etag
    if size is not None and size > most:
        raise InputError(f"{offer.name} is refused: its {name} has {size:,} bytes; expected at most {most:,}.")
    for again in (False, True):
        with faults(offer.name):
            place = hf_hub_download(
                offer.reference.repo,
                name,
                revision=offer.commit,
                force_download=again,
                tqdm_class=_bar_for(name, most if size is None else size, offer.name),
            )
        path = Path(place)
        if size in (None, path.stat().st_size) and _is_whole(path, etag):
            return path
    raise InputError(f"{name} of {offer.name} is damaged: it is not what the Hub promises; try again later.")


def _bar_for(name: str, most: int, model: str) -> type[tqdm]:
    """A progress bar that ends a download which brings more bytes than it should."""

    class Bar(tqdm):
        came: float = 0

        def __init__(self, **options: Any) -> None:
            self.most = float("inf")
            if options.get("name") == "huggingface_hub.http_get":  # Xet bounds itself, and has bars of its own
                options |= {"desc": name, "leave": False}  # instead of the address, which may hold a signature
                self.most = most
            super().__init__(**options)  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            self.came += n or 0
            if self.came > self.most:
                raise InputError(f"{model} is refused: of its {name}, the Hub sends more than {most:,} bytes.")
            return super().update(n)

    return Bar


def _is_whole(path: Path, etag: str) -> bool:
    """Whether the content is that of the ETag, where this is a hash at all."""
    if len(etag) == 64:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == etag
    if len(etag) == 40:
        content = path.read_bytes()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == etag
    return True


def _remember(folder: Path, revision: str, commit: str) -> None:
    """Note for later, without the Hub, what the revision meant; only once all its files are there."""
    if revision == commit:
        return
    note = folder.parents[1] / "refs" / revision
    with suppress(OSError, InputError):  # a cache that can only be read
        note.parent.mkdir(parents=True, exist_ok=True)
        with replacing(note) as partial:
            partial.write_text(commit)
