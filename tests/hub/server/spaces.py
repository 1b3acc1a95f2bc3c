"""What belongs to Spaces alone: secrets, variables, hardware, state."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .access import visible, writable
from .errors import HubError
from .store import Repo, now

SPACE = "/api/spaces/{owner}/{name}"
KEY = re.compile(r"[a-zA-Z][_a-zA-Z0-9]*")
HARDWARE = (
    *("cpu-basic", "cpu-upgrade", "zero-a10g", "t4-small", "t4-medium", "l4x1", "l4x4", "l40sx1", "l40sx4", "l40sx8"),
    *("a10g-small", "a10g-large", "a10g-largex2", "a10g-largex4", "a100-large", "a100x4", "a100x8"),
)


def space(request: Request, write: bool = True) -> Repo:
    request.path_params["kind"] = "spaces"
    return writable(request) if write else visible(request)


def runtime_of(repo: Repo) -> JSONResponse:
    settings = repo.settings
    running = settings.hardware if settings.stage == "RUNNING" else None
    answer: dict[str, Any] = {"stage": settings.stage, "hardware": {"current": running, "requested": settings.hardware}}
    return JSONResponse(answer | {"gcTimeout": None, "storage": None, "devMode": False})


async def change(request: Request, repo: Repo, known: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Secrets or variables after what the request does: GET of all, POST of one, DELETE of one."""
    if request.method != "GET":
        body = await request.json()
        key = body["key"]
        if not KEY.fullmatch(key):
            raise HubError(400, f"Invalid key: {key!r}")
        if request.method == "DELETE":
            if known.pop(key, None) is None:
                raise HubError(404, f"No such key: {key!r}")
        else:
            known[key] = {"value": body["value"], "description": body.get("description"), "updatedAt": now()}
    return known


async def secrets(request: Request) -> Response:
    """Their values are never told."""
    repo = space(request)
    known = await change(request, repo, repo.settings.secrets)
    repo.change_settings(secrets=known)
    return JSONResponse({key: {k: v for k, v in entry.items() if k != "value"} for key, entry in known.items()})


async def variables(request: Request) -> Response:
    repo = space(request)
    known = await change(request, repo, repo.settings.variables)
    repo.change_settings(variables=known)
    return JSONResponse(known)


async def hardware(request: Request) -> Response:
    repo = space(request)
    body = await request.json()
    if body["flavor"] not in HARDWARE:
        raise HubError(400, f"Unknown hardware {body['flavor']!r}; known: {', '.join(HARDWARE)}")
    repo.change_settings(hardware=body["flavor"])
    return runtime_of(repo)


async def runtime(request: Request) -> Response:
    return runtime_of(space(request, write=False))


async def restart(request: Request) -> Response:
    repo = space(request)
    repo.change_settings(stage="BUILDING", restarts=repo.settings.restarts + 1)
    return runtime_of(repo)


ROUTES = [
    Route(SPACE + "/hardware", hardware, methods=["POST"]),
    Route(SPACE + "/runtime", runtime),
    Route(SPACE + "/restart", restart, methods=["POST"]),
    Route(SPACE + "/secrets", secrets, methods=["GET", "POST", "DELETE"]),
    Route(SPACE + "/variables", variables, methods=["GET", "POST", "DELETE"]),
]
