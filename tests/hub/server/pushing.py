"""How files come in: which way each goes, large ones to the storage, then one commit."""

import base64
import binascii
import fnmatch
import hashlib
import json
import secrets
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .access import signed_in, writable
from .cards import card_errors
from .errors import HubError
from .listing import REPO, revision_of
from .state import state_of
from .store import Repo, StoredFile, check_path
from .xet import take_in

LARGE_ENDINGS = (".safetensors", ".bin", ".ckpt", ".npz", ".pt", ".zip")
LARGE = 10_000_000


def is_large(path: str, sample: bytes, size: int) -> bool:
    """Whether the Hub wants a file in the large file storage: big ones, binary ones, weights."""
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # a sample may end within a letter
            return True
    return size > LARGE or b"\0" in sample or path.endswith(LARGE_ENDINGS)


async def preupload(request: Request) -> Response:
    """Says of each file whether it comes with the commit or goes to the storage, and what is there already."""
    repo = writable(request)
    files = repo.resolve(revision_of(request)).files
    body = await request.json()
    ignored = [line for line in body.get("gitIgnore", "").splitlines() if line and not line.startswith("#")]
    answer = []
    for file in body["files"]:
        path = file["path"]
        check_path(path)
        large = is_large(path, base64.b64decode(file["sample"]), file["size"])
        entry: dict[str, Any] = {"path": path, "uploadMode": "lfs" if large else "regular"}
        entry["shouldIgnore"] = any(fnmatch.fnmatch(path, line.strip("/")) for line in ignored)
        if path in files:
            entry["oid"] = files[path].etag
        answer.append(entry)
    return JSONResponse({"files": answer})


async def batch(request: Request) -> Response:
    """Where each large file is to be put; no `actions` for those that are there."""
    repo = writable(request)
    state = state_of(request)
    prefix = "" if repo.kind == "models" else f"{repo.kind}/"
    objects = []
    for wanted in (await request.json())["objects"]:
        answer = {"oid": wanted["oid"], "size": wanted["size"], "authenticated": True}
        if not state.store.content_path(wanted["oid"]).exists():
            put = state.storage_url("PUT", f"/contents/{wanted['oid']}")
            verify = f"{state.hub}/{prefix}{repo.name}.git/info/lfs/objects/verify"
            answer["actions"] = {"upload": {"href": put}, "verify": {"href": verify}}
        objects.append(answer)
    return JSONResponse({"transfer": "basic", "objects": objects})


async def verify(request: Request) -> Response:
    """Whether a large file has arrived whole."""
    writable(request)
    body = await request.json()
    if state_of(request).store.kept(body["oid"]).size != body["size"]:
        raise HubError(400, "Size does not match")
    return JSONResponse({"message": "ok"})


async def put(request: Request) -> Response:
    """The storage takes a content under its hash, whole or not at all."""
    state = state_of(request)
    state.check_signature(request)
    path = state.store.content_path(request.path_params["sha256"])
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    digest = hashlib.sha256()
    try:
        with unfinished.open("wb") as stream:
            async for chunk in request.stream():
                digest.update(chunk)
                stream.write(chunk)
        if digest.hexdigest() != path.name:
            raise HubError(400, f"The content's sha256 is {digest.hexdigest()}, not {path.name}")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return PlainTextResponse("")


def change_of(repo: Repo, key: str, value: dict[str, Any]) -> tuple[str, StoredFile | None]:
    """One line of a commit."""
    path = value["path"]
    check_path(path.rstrip("/"))
    match key:
        case "file":
            try:
                content = base64.b64decode(value["content"], validate=True)
            except binascii.Error:
                raise HubError(400, f"{path} is not base64") from None
            if path == "README.md" and (errors := card_errors(content.decode(), repo.kind.removesuffix("s"))):
                raise HubError(400, f"Invalid metadata in README.md: {errors[0]}")
            return path, repo.store.keep(content, lfs=False)
        case "lfsFile":
            return path, repo.store.kept(value["oid"])
        case "deletedFile":
            return path, None
        case "deletedFolder":
            return path.rstrip("/") + "/", None
    raise HubError(400, f"Unknown line in commit: {key!r}")


async def commit(request: Request) -> Response:
    """NDJSON: a header, then a line for each change; all of it or nothing."""
    repo = writable(request)
    if request.query_params.get("create_pr"):
        raise HubError(400, "This Hub takes no pull requests")
    lines = [json.loads(line) for line in (await request.body()).splitlines() if line.strip()]
    if not lines or lines[0]["key"] != "header" or not lines[0]["value"].get("summary"):
        raise HubError(400, "A commit starts with a header that has a summary")
    header = lines[0]["value"]
    if state_of(request).xet:
        for line in lines[1:]:
            if line["key"] == "lfsFile":
                await run_in_threadpool(take_in, repo.store, line["value"]["oid"])
    changes = dict(change_of(repo, line["key"], line["value"]) for line in lines[1:])
    made = repo.commit(
        changes,
        branch=revision_of(request),
        title=header["summary"],
        message=header.get("description", ""),
        author=signed_in(request).name,
        parent=header.get("parentCommit"),
    )
    if repo.kind == "spaces":
        repo.change_settings(stage="BUILDING")
    prefix = "" if repo.kind == "models" else f"{repo.kind}/"
    url = f"{state_of(request).hub}/{prefix}{repo.name}/commit/{made.id}"
    return JSONResponse({"success": True, "commitOid": made.id, "commitUrl": url, "hookOutput": ""})


ROUTES = [
    Route(REPO + "/preupload/{revision}", preupload, methods=["POST"]),
    Route(REPO + "/commit/{revision}", commit, methods=["POST"]),
    Route("/{owner}/{name}.git/info/lfs/objects/batch", batch, methods=["POST"]),
    Route("/{owner}/{name}.git/info/lfs/objects/verify", verify, methods=["POST"]),
    Route("/{kind}/{owner}/{name}.git/info/lfs/objects/batch", batch, methods=["POST"]),
    Route("/{kind}/{owner}/{name}.git/info/lfs/objects/verify", verify, methods=["POST"]),
    Route("/contents/{sha256}", put, methods=["PUT"]),
]
