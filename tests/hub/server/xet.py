"""The storage in chunks, Xet, which the client's own library keeps in folders instead of at an address.

Each client gets a folder of its own (two processes cannot share one). After an upload, the content is put together
from its chunks; before a download, all contents of the revision are cut into chunks.
"""

import shutil
import struct
import tempfile
import time
from pathlib import Path
from typing import Any

import hf_xet  # type: ignore[import-untyped]
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .access import readable, writable
from .errors import HubError
from .listing import REPO, revision_of
from .state import state_of
from .store import Store

MINUTES_OF_A_TOKEN = 60
RECORD = 48  # bytes; a list of files is made of these
HAS_VERIFICATION, HAS_SHA256 = 1 << 31, 1 << 30
END_OF_FILES = b"\xff" * 32


def new_folder(store: Store) -> Path:
    folders = store.root / "xet"
    folders.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(dir=folders))


def hexadecimal(digest: bytes) -> str:
    """Xet writes a hash as four numbers of eight bytes, lowest first."""
    return "".join(digest[i : i + 8][::-1].hex() for i in range(0, 32, 8))


def files_of_shard(shard: bytes) -> dict[str, tuple[str, int]]:
    """What a list of files says: sha256 to Xet's hash and the size in bytes."""
    files = {}
    at = RECORD
    while (digest := shard[at : at + 32]) != END_OF_FILES:
        flags, parts = struct.unpack_from("<II", shard, at + 32)
        at += RECORD
        size = sum(struct.unpack_from("<I", shard, at + RECORD * i + 36)[0] for i in range(parts))
        at += RECORD * parts * (2 if flags & HAS_VERIFICATION else 1)
        if flags & HAS_SHA256:
            files[hexadecimal(shard[at : at + 32])] = hexadecimal(digest), size
            at += RECORD
    return files


def take_in(store: Store, sha256: str) -> None:
    """Put a content together that a client has uploaded in chunks, if one has."""
    if store.content_path(sha256).exists():
        return
    for shard in (store.root / "xet").glob("*/xet/xorbs/shards/*.mdb"):
        found = files_of_shard(shard.read_bytes()).get(sha256)
        if found is None:
            continue
        copy = new_folder(store)  # the client still holds its own
        shutil.copytree(shard.parents[3], copy, dirs_exist_ok=True)
        content = copy / "content"
        with hf_xet.XetSession().new_file_download_group(endpoint=f"local://{copy}") as group:
            group.start_download_file(hf_xet.XetFileInfo(*found), str(content))
        store.keep(content.read_bytes(), lfs=True)
        return


def xet_hash(store: Store, sha256: str) -> str:
    """Xet's name of a content."""
    [about] = hf_xet.hash_files([str(store.content_path(sha256))])
    return str(about.hash)


def token_for(folder: Path) -> JSONResponse:
    about: dict[str, Any] = {
        "casUrl": f"local://{folder}",
        "accessToken": "short-lived",
        "exp": int(time.time()) + 60 * MINUTES_OF_A_TOKEN,
    }
    names = ("X-Xet-Cas-Url", "X-Xet-Access-Token", "X-Xet-Token-Expiration")
    return JSONResponse(about, headers=dict(zip(names, map(str, about.values()), strict=True)))


def check_enabled(request: Request) -> None:
    if not state_of(request).xet:
        raise HubError(404, "Not Found")


async def write_token(request: Request) -> Response:
    check_enabled(request)
    writable(request)
    return token_for(new_folder(state_of(request).store))


async def read_token(request: Request) -> Response:
    check_enabled(request)
    commit = readable(request).resolve(revision_of(request))
    store = state_of(request).store
    folder = new_folder(store)
    paths = [store.content_path(file.sha256) for file in commit.files.values() if file.lfs]
    await run_in_threadpool(cut_up, folder, paths)
    return token_for(folder)


def cut_up(folder: Path, paths: list[Path]) -> None:
    with hf_xet.XetSession().new_upload_commit(endpoint=f"local://{folder}") as upload:
        for path in paths:
            upload.start_upload_file(str(path), sha256=path.name)


ROUTES = [
    Route(REPO + "/xet-write-token/{revision}", write_token),
    Route(REPO + "/xet-read-token/{revision}", read_token),
]
