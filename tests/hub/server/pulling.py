"""How files go out: small ones from the Hub itself, large ones by a redirect to the storage."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from .access import readable
from .errors import HubError, entry_not_found
from .listing import revision_of
from .state import state_of
from .xet import xet_hash

CHUNK = 65536
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def wanted_range(request: Request, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None where the whole is wanted."""
    match = RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        return max(size - int(match[2]), 0), size
    start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    if start >= size:
        error = HubError(416, "Requested range not satisfiable")
        error.headers["Content-Range"] = f"bytes */{size}"
        raise error
    return start, end


def pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while start < end and (chunk := stream.read(min(CHUNK, end - start))):
            start += len(chunk)
            yield chunk


def send_file(request: Request, path: Path, headers: dict[str, str]) -> Response:
    """A file or the part of it that is asked for."""
    size = path.stat().st_size
    span = wanted_range(request, size)
    start, end = span or (0, size)
    headers = {**headers, "Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    body = iter(()) if request.method == "HEAD" else pieces(path, start, end)
    return StreamingResponse(body, 206 if span else 200, headers, "application/octet-stream")


async def resolve(request: Request) -> Response:
    """GET or HEAD of a file at a revision."""
    repo = readable(request)
    state = state_of(request)
    commit = repo.resolve(revision_of(request))
    path = unquote(request.path_params["path"])
    headers = {"X-Repo-Commit": commit.id}
    file = commit.files.get(path)
    if file is None:
        error = entry_not_found(path)
        error.headers |= headers
        raise error
    told, lie = state.told(repo, path, file), state.lie(repo, path)
    if told.lfs:
        headers |= {"X-Linked-Etag": f'"{told.sha256}"', "X-Linked-Size": str(told.size), "ETag": f'"{told.oid}"'}
        if state.xet:
            headers["X-Xet-Hash"] = await run_in_threadpool(xet_hash, state.store, file.sha256)
            url = f"{state.hub}/api/{repo.kind}/{repo.name}/xet-read-token/{commit.id}"
            headers["Link"] = f'<{url}>; rel="xet-auth"'
        query = f"&file={quote(f'{repo.kind}/{repo.name}/{path}', safe='')}" if lie.content is not None else ""
        return RedirectResponse(state.storage_url("GET", f"/contents/{file.sha256}") + query, 302, headers)
    headers |= {"ETag": f'"{told.oid}"'}
    cached = f"/api/resolve-cache/{repo.kind}/{repo.name}/{commit.id}/{quote(path)}"
    if state.redirect_small_files and request.url.path != cached:
        return RedirectResponse(cached, 307, headers)
    if lie.content is not None and request.method == "GET":
        return StreamingResponse(iter([lie.content]), headers=headers)
    if lie.size is not None and request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(lie.size)})
    return send_file(request, state.store.content_path(file.sha256), headers)


async def get(request: Request) -> Response:
    """GET or HEAD of a content in the storage."""
    state = state_of(request)
    state.check_signature(request)
    if "file" in request.query_params:
        kind, owner, name, file = request.query_params["file"].split("/", 3)
        content = state.lies[kind, f"{owner}/{name}", file].content
        return StreamingResponse(iter([content or b""]))
    sha256 = request.path_params["sha256"]
    path = state.store.content_path(sha256)
    if not path.exists():
        raise HubError(404, "The specified key does not exist.")
    return send_file(request, path, {"ETag": f'"{sha256[:32]}"'})


ROUTES = [
    Route("/{kind}/{owner}/{name}/resolve/{revision}/{path:path}", resolve),
    Route("/{owner}/{name}/resolve/{revision}/{path:path}", resolve),
    Route("/api/resolve-cache/{kind}/{owner}/{name}/{revision}/{path:path}", resolve),
    Route("/contents/{sha256}", get),
]
