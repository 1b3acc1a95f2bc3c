"""What a repository holds: info, tree, paths, history, references."""

import math
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .access import visible, writable
from .cards import front_matter
from .errors import HubError, entry_not_found
from .state import State, state_of
from .store import Commit, Repo, StoredFile, lfs_pointer

REPO = "/api/{kind}/{owner}/{name}"


def revision_of(request: Request) -> str:
    return unquote(request.path_params.get("revision", "main"))


def page(request: Request, entries: list[Any]) -> JSONResponse:
    """One page of a long list; the next one's address in `Link`."""
    size = state_of(request).page_size
    start = int(request.query_params.get("cursor", 0))
    headers = {}
    if start + size < len(entries):
        query = [(k, v) for k, v in request.query_params.multi_items() if k != "cursor"] + [("cursor", start + size)]
        url = URL(f"{state_of(request).hub}{request.url.path}").replace(query=urlencode(query))
        headers["Link"] = f'<{url}>; rel="next"'
    return JSONResponse(entries[start : start + size], headers=headers)


def metadata_of(repo: Repo, commit: Commit) -> dict[str, Any]:
    readme = commit.files.get("README.md")
    if readme is None:
        return {}
    try:
        return front_matter(repo.store.read(readme).decode(errors="replace")) or {}
    except ValueError:
        return {}


def sibling(state: State, repo: Repo, path: str, file: StoredFile, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    told = state.told(repo, path, file)
    entry: dict[str, Any] = {"rfilename": path, "size": told.size, "blobId": told.oid}
    if told.lfs:
        pointer = len(lfs_pointer(told.sha256, told.size))
        entry["lfs"] = {"sha256": told.sha256, "size": told.size, "pointerSize": pointer}
    return entry


async def info(request: Request) -> Response:
    """GET of a model, a data set or a Space, at a revision or the newest."""
    repo = visible(request)
    state = state_of(request)
    commit = repo.resolve(revision_of(request))
    settings = repo.settings
    card = metadata_of(repo, commit)
    blobs = request.query_params.get("blobs", "").lower() == "true"
    answer: dict[str, Any] = {
        "_id": repo.resolve("main").id[:24],
        "id": repo.name,
        "author": settings.owner,
        "sha": commit.id,
        "lastModified": repo.resolve("main").date,
        "createdAt": settings.created,
        "private": settings.private,
        "gated": settings.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [*card.get("tags", []), *([f"license:{card['license']}"] if "license" in card else [])],
        "cardData": card,
        "siblings": [sibling(state, repo, path, file, blobs) for path, file in sorted(commit.files.items())],
    }
    if repo.kind == "models":
        answer |= {"modelId": repo.name, "spaces": []}
        answer |= {key: card[key] for key in ("pipeline_tag", "library_name", "model-index") if key in card}
    if repo.kind == "spaces":
        answer |= {"sdk": settings.sdk, "models": card.get("models", []), "datasets": card.get("datasets", [])}
        answer |= {"runtime": {"stage": settings.stage, "hardware": {"current": None, "requested": settings.hardware}}}
        answer |= {"subdomain": repo.name.replace("/", "-"), "host": f"https://{repo.name.replace('/', '-')}.example"}
    if wanted := request.query_params.getlist("expand"):
        answer = {key: value for key, value in answer.items() if key in (*wanted, "_id", "id")}
    return JSONResponse(answer)


def entry_of(state: State, repo: Repo, commit: Commit, path: str, expand: bool) -> dict[str, Any]:
    """A file or a folder, as tree and paths-info tell of it."""
    last = {"lastCommit": {"id": commit.id, "title": commit.title, "date": commit.date}} if expand else {}
    if path not in commit.files:
        return {"type": "directory", "oid": commit.id, "size": 0, "path": path} | last
    told = state.told(repo, path, commit.files[path])
    entry = {"type": "file", "oid": told.oid, "size": told.size, "path": path} | last
    if told.lfs:
        pointer = len(lfs_pointer(told.sha256, told.size))
        entry["lfs"] = {"oid": told.sha256, "size": told.size, "pointerSize": pointer}
    if expand:
        entry["securityFileStatus"] = {"status": "safe", "avScan": None, "pickleImportScan": None}
    return entry


def folders_of(commit: Commit) -> set[str]:
    parts = [path.split("/") for path in commit.files]
    return {"/".join(part[:depth]) for part in parts for depth in range(1, len(part))}


async def tree(request: Request) -> Response:
    """Files and folders below a path, page by page."""
    repo = visible(request)
    commit = repo.resolve(revision_of(request))
    below = unquote(request.path_params.get("path", ""))
    folders = folders_of(commit)
    if below and below not in folders:
        raise entry_not_found(below)
    inside = f"{below}/" if below else ""
    depth = math.inf if request.query_params.get("recursive", "").lower() == "true" else inside.count("/")
    paths = [path for path in (*folders, *commit.files) if path.startswith(inside) and path.count("/") <= depth]
    expand = request.query_params.get("expand", "").lower() == "true"
    return page(request, [entry_of(state_of(request), repo, commit, path, expand) for path in sorted(paths)])


async def paths_info(request: Request) -> Response:
    """What is known of some paths; those that are missing are left out."""
    repo = visible(request)
    commit = repo.resolve(revision_of(request))
    async with request.form() as form:
        paths = [str(path).rstrip("/") for path in form.getlist("paths")]
        expand = str(form.get("expand", "")).lower() == "true"
    known = folders_of(commit) | commit.files.keys()
    return JSONResponse([entry_of(state_of(request), repo, commit, path, expand) for path in paths if path in known])


async def commits(request: Request) -> Response:
    """The history of a revision, newest first."""
    repo = visible(request)
    history = repo.history(repo.resolve(revision_of(request)))
    return page(
        request,
        [
            {"id": c.id, "title": c.title, "message": c.message, "date": c.date, "authors": [{"user": c.author}]}
            for c in history
        ],
    )


async def refs(request: Request) -> Response:
    repo = visible(request)
    named = {
        key: [
            {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": commit}
            for name, commit in repo.refs(kind).items()
        ]
        for key, kind in (("branches", "heads"), ("tags", "tags"))
    }
    return JSONResponse({**named, "converts": [], "pullRequests": []})


async def create_branch(request: Request) -> Response:
    """At the newest commit of main, or where `startingPoint` says."""
    repo = writable(request)
    name = revision_of(request)
    start = (await request.json()).get("startingPoint", "main") if await request.body() else "main"
    with repo.store.lock:
        if name in repo.refs("heads"):
            raise HubError(409, f"Reference already exists: refs/heads/{name}")
        repo.set_ref("heads", name, repo.resolve(start).id)
    return JSONResponse({"success": True}, 201)


async def delete_branch(request: Request) -> Response:
    name = revision_of(request)
    if name == "main":
        raise HubError(400, "The main branch cannot be deleted")
    writable(request).delete_ref("heads", name)
    return JSONResponse({"success": True})


async def create_tag(request: Request) -> Response:
    repo = writable(request)
    name = (await request.json())["tag"]
    with repo.store.lock:
        if name in repo.refs("tags"):
            raise HubError(409, f"Tag reference exists already: {name}")
        repo.set_ref("tags", name, repo.resolve(revision_of(request)).id)
    return JSONResponse({"success": True}, 201)


ROUTES = [
    Route(REPO, info),
    Route(REPO + "/revision/{revision}", info),
    Route(REPO + "/tree/{revision}", tree),
    Route(REPO + "/tree/{revision}/{path:path}", tree),
    Route(REPO + "/paths-info/{revision}", paths_info, methods=["POST"]),
    Route(REPO + "/commits/{revision}", commits),
    Route(REPO + "/refs", refs),
    Route(REPO + "/branch/{revision}", create_branch, methods=["POST"]),
    Route(REPO + "/branch/{revision}", delete_branch, methods=["DELETE"]),
    Route(REPO + "/tag/{revision}", create_tag, methods=["POST"]),
]
