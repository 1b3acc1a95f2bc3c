"""What a browser or an API client sends: files by their place in Gradio's cache, never by a web address."""

import json
from pathlib import Path
from typing import Any

from gradio.route_utils import API_PREFIX
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cvae.errors import InputError
from cvae.inputs import quoted

UPLOAD_PATH = f"{API_PREFIX}/upload"
"""Where Gradio takes files, and nothing but files."""
MAX_REQUEST_BYTES = 4_000_000
"""Requests name files that were uploaded before, so that a large one is no request of ours."""


def uploaded_files(value: Any) -> list[Path]:
    """The paths in what Gradio hands over for a file component without its own decoding.

    Gradio has checked before that each lies in its upload folder.

    Raises:
        InputError: If a program sent something else, or a folder, or the file was cleared away meanwhile.
    """
    files = value if isinstance(value, list) else [value]
    paths = [path for file in files if file is not None and (path := _path_of(file))]
    for path in paths:
        if not path.is_file():
            raise InputError(f"There is no upload {quoted(path.name)} any more; upload it again.")
    return paths


def _path_of(file: Any) -> Path | None:
    """None where the file component is empty."""
    path = file.get("path", 0) if isinstance(file, dict) else 0
    if path is not None and not isinstance(path, str):
        raise InputError('A file came in a form that is not known; expected an upload, named as {"path": "..."}.')
    return Path(path) if path else None


class RefuseFileAddresses:
    """ASGI middleware: no request may make the server fetch a file from the web.

    Gradio downloads a file input whose path is a web address, and its limit of size does not hold for those. The
    body is read whatever its headers say, since a server may take it for JSON under many of them: what is posted is
    an upload, or JSON that names no address, or nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at what is posted, except for uploads."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] == UPLOAD_PATH:
            return await self.app(scope, receive, send)

        async def refuse(status: int, detail: str) -> None:
            await JSONResponse({"detail": detail}, status)(scope, receive, send)

        body = await _read(receive)
        if body is None:
            return await refuse(413, "The request is too large.")
        try:
            named = _names_an_address(body)
        except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
            return await refuse(400, "The request cannot be read; expected JSON.")
        if named:
            return await refuse(422, "Files are uploaded, and named by their place there, not by a web address.")
        return await self.app(scope, _replay(body, receive), send)


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
    todo = [json.loads(body)] if body else []
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and path.strip().lower().startswith(("http:", "https:")):
                return True
            if "meta" in value and not isinstance(path, str | None):  # Gradio itself would fail on it
                return True
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value)
    return False
