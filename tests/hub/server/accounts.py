"""Users, and repositories as a whole: whoami, create, delete, the check of a card."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .access import may_write, signed_in
from .cards import card_errors, card_warnings
from .errors import HubError, repo_not_found
from .state import state_of
from .store import Repo, Store, now

NAME = re.compile(r"\w([\w.-]{0,94}\w)?", re.ASCII)
ATTRIBUTES = "".join(
    f"*.{ending} filter=lfs diff=lfs merge=lfs -text\n" for ending in ("bin", "ckpt", "npz", "pt", "safetensors", "zip")
).encode()
SPACE_README = "---\ntitle: {title}\nemoji: 🔥\ncolorFrom: indigo\ncolorTo: blue\nsdk: {sdk}\npinned: false\n---\n"


async def whoami(request: Request) -> Response:
    user = signed_in(request)
    token = {"displayName": "test", "role": user.role, "createdAt": "2026-01-01T12:00:00.000Z"}
    about = {"type": "user", "id": user.name, "name": user.name, "fullname": user.name, "orgs": []}
    return JSONResponse(about | {"auth": {"type": "access_token", "accessToken": token}})


def set_up(store: Store, kind: str, name: str, **settings: Any) -> Repo:
    """A new repository with the first commit that the Hub makes."""
    repo = store.create(kind, name, **settings)
    files = {".gitattributes": store.keep(ATTRIBUTES, lfs=False)}
    if kind == "spaces":
        readme = SPACE_README.format(title=name.split("/")[1], sdk=settings["sdk"])
        files["README.md"] = store.keep(readme.encode(), lfs=False)
    repo.commit(files, title="initial commit", author=repo.settings.owner)
    return repo


def keyed(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Secrets or variables of a new Space, by their key."""
    return {
        entry["key"]: {"value": entry["value"], "description": entry.get("description"), "updatedAt": now()}
        for entry in entries
    }


async def create(request: Request) -> Response:
    """POST with name, organization, type, visibility, and for Spaces sdk, hardware, secrets, variables."""
    user = signed_in(request)
    body = await request.json()
    kind = body.get("type", "model") + "s"
    owner = body.get("organization") or user.name
    name = f"{owner}/{body['name']}"
    if owner != user.name:
        raise HubError(403, f'You don\'t have the rights to create a {kind[:-1]} under the namespace "{owner}"')
    may_write(user)
    if not NAME.fullmatch(body["name"]) or ".." in body["name"] or "--" in body["name"]:
        raise HubError(400, f"Invalid repo name: {body['name']!r}")
    store = state_of(request).store
    prefix = "" if kind == "models" else f"{kind}/"
    answer: dict[str, Any] = {"name": name, "url": f"{state_of(request).hub}/{prefix}{name}"}
    with store.lock:
        if existing := store.repo(kind, name):
            answer["id"] = existing.resolve("main").id[:24]
            answer["error"] = f"You already created this {kind[:-1]} repo"
            return JSONResponse(answer, 409, {"X-Error-Message": answer["error"]})
        settings: dict[str, Any] = {"private": body.get("visibility") == "private" or body.get("private") is True}
        if kind == "spaces":
            settings["sdk"] = body["sdk"]
            settings["hardware"] = body.get("hardware", "cpu-basic")
            settings["secrets"] = keyed(body.get("secrets", []))
            settings["variables"] = keyed(body.get("variables", []))
        repo = set_up(store, kind, name, **settings)
    return JSONResponse(answer | {"id": repo.resolve("main").id[:24]})


async def delete(request: Request) -> Response:
    user = signed_in(request)
    body = await request.json()
    kind, name = body.get("type", "model") + "s", f"{body.get('organization') or user.name}/{body['name']}"
    repo = state_of(request).store.repo(kind, name)
    if repo is None or (repo.settings.private and repo.settings.owner != user.name):
        raise repo_not_found(signed_in=True)
    if repo.settings.owner != user.name:
        raise HubError(403, f"You don't have the rights to delete {name}")
    may_write(user)
    state_of(request).store.delete(kind, name)
    return PlainTextResponse("OK")


async def validate_yaml(request: Request) -> Response:
    """What the client asks before it commits a README.md."""
    body = await request.json()
    errors = card_errors(body["content"], body.get("repoType") or "model")
    warnings = card_warnings(body["content"])
    if errors and request.headers.get("accept") == "text/plain":
        return PlainTextResponse("\n".join(errors), 400)
    answer = {key: [{"message": text} for text in found] for key, found in (("errors", errors), ("warnings", warnings))}
    return JSONResponse(answer, 400 if errors else 200)


ROUTES = [
    Route("/api/whoami-v2", whoami),
    Route("/api/repos/create", create, methods=["POST"]),
    Route("/api/repos/delete", delete, methods=["DELETE"]),
    Route("/api/validate-yaml", validate_yaml, methods=["POST"]),
]
