"""What a browser or an API client sends: files by their place in Gradio's cache, never by a web address."""

import json
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_REQUEST_BYTES = 4_000_000
"""Requests name files that were uploaded before, so that a large one is no request of ours."""


def uploaded_files(value: Any) -> list[Path]:
    """The paths in what Gradio hands over for a file component without its own decoding.

    Gradio has checked before that each lies in its upload folder.
    """
    files = value if isinstance(value, list) else [value]
    return [Path(file["path"]) for file in files if file and file.get("path")]


class RefuseFileAddresses:
    """ASGI middleware: no request may make the server fetch a file from the web.

    Gradio downloads a file input whose path is a web address, and its limit of size does not hold for those.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at the JSON requests, let the others pass."""
        headers = dict(scope.get("headers", ()))
        if scope["type"] != "http" or scope["method"] != "POST" or b"json" not in headers.get(b"content-type", b""):
            return await self.app(scope, receive, send)
        body = await _read(receive)
        if body is None:
            return await JSONResponse({"detail": "The request is too large."}, 413)(scope, receive, send)
        if _names_an_address(body):
            detail = "Files are uploaded, not named by a web address."
            return await JSONResponse({"detail": detail}, 422)(scope, receive, send)
        await self.app(scope, _replay(body, receive), send)
        return None


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None if it is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_REQUEST_BYTES:
            return None
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay


def _names_an_address(body: bytes) -> bool:
    try:
        todo = [json.loads(body)]
    except ValueError:
        return False
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(("http:", "https:")):
                return True
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
    return False
