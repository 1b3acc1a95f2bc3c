"""The running server, and what a test does with it."""

import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from . import accounts, listing, pulling, pushing, spaces, xet
from .errors import HubError
from .faults import Faults
from .gate import CuttableProtocol, Gate
from .log import Log
from .state import Lie, State, User
from .store import Commit, Repo, Store

ROUTES = [*accounts.ROUTES, *spaces.ROUTES, *listing.ROUTES, *pushing.ROUTES, *xet.ROUTES, *pulling.ROUTES]


async def refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HubError)
    return JSONResponse({"error": error.message}, error.status, error.headers)


def listening_socket(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


class HubServer:
    """A Hub with one user, `alice`, whose token is `token`. See tests/hub/conftest.py for what can be done with it."""

    def __init__(self, folder: Path) -> None:
        self._ports = (0, 0)
        self._bind()
        hub, storage = (f"http://127.0.0.1:{port}" for port in self._ports)
        self.state = State(Store(folder), hub, storage)
        self.user = "alice"
        self.token = self.add_user(self.user)
        app = Starlette(routes=ROUTES, exception_handlers={HubError: refuse})
        app.state.hub = self.state
        self._app = Gate(app, self.state)
        self._start()

    def _bind(self) -> None:
        self._listeners = [listening_socket(port) for port in self._ports]
        self._ports = tuple(listener.getsockname()[1] for listener in self._listeners)

    def _start(self) -> None:
        config = uvicorn.Config(
            self._app, http=CuttableProtocol, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=(self._listeners,), daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.005)

    def stop(self, wait: bool = True) -> None:
        """Listen no more: connections are refused. What is on disk stays."""
        self._server.should_exit = True
        if wait:
            self._thread.join()

    def start(self) -> None:
        """Listen again, at the same addresses."""
        self._bind()
        self._start()

    @property
    def url(self) -> str:
        """Base URL of the Hub, for HF_ENDPOINT."""
        return self.state.hub

    @property
    def requests(self) -> Log:
        return self.state.log

    @property
    def faults(self) -> Faults:
        return self.state.faults

    def add_user(self, name: str, role: str = "write") -> str:
        """A user, or another token of one; returns the token. `role` is `read` or `write`."""
        token = f"hf_{name}{role}".ljust(37, "0")
        self.state.users[token] = User(name, token, role)
        return token

    def set_page_size(self, entries: int) -> None:
        """How many entries of a tree or a history come at once."""
        self.state.page_size = entries

    def redirect_small_files(self) -> None:
        """Answer for small files with a redirect to another path of the Hub, as the real one does."""
        self.state.redirect_small_files = True

    def enable_xet(self) -> None:
        """Offer large files in chunks, too; clients without HF_HUB_DISABLE_XET then move them that way."""
        self.state.xet = True

    def create(self, name: str, kind: str = "models", **settings: Any) -> Repo:
        """A repository that is there already: `private=True`, `gated="manual"`, `granted=["bob"]`, `sdk="gradio"`..."""
        if kind == "spaces":
            settings.setdefault("sdk", "gradio")
        return accounts.set_up(self.state.store, kind, name, **settings)

    def repo(self, name: str, kind: str = "models") -> Repo:
        repo = self.state.store.repo(kind, name)
        assert repo is not None, f"no {kind} {name}"
        return repo

    def commit(
        self,
        name: str,
        files: Mapping[str, bytes | str | None],
        *,
        kind: str = "models",
        branch: str = "main",
        title: str = "Change files",
    ) -> str:
        """Put files (None: take them away) into a repository and return the commit. Paths are NOT checked."""
        contents = {path: file.encode() if isinstance(file, str) else file for path, file in files.items()}
        store = self.state.store
        changes = {
            path: None if content is None else store.keep(content, pushing.is_large(path, content[:512], len(content)))
            for path, content in contents.items()
        }
        return self.repo(name, kind).commit(changes, branch=branch, title=title, author=self.user).id

    def upload(self, name: str, folder: Path, **options: Any) -> str:
        """Commit all files of a folder."""
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return self.commit(name, files, **options)

    def head(self, name: str, revision: str = "main", kind: str = "models") -> Commit:
        """The commit of a branch, a tag or an id, with `files`, `title`, `parent`..."""
        return self.repo(name, kind).resolve(revision)

    def files(self, name: str, revision: str = "main", kind: str = "models") -> dict[str, bytes]:
        """All contents at a revision, by path."""
        commit = self.head(name, revision, kind)
        return {path: self.state.store.read(file) for path, file in commit.files.items()}

    def history(self, name: str, revision: str = "main", kind: str = "models") -> list[Commit]:
        """Newest first; the last one is the Hub's own initial commit."""
        repo = self.repo(name, kind)
        return repo.history(repo.resolve(revision))

    def secrets(self, space: str) -> dict[str, str]:
        return {key: entry["value"] for key, entry in self.repo(space, "spaces").settings.secrets.items()}

    def variables(self, space: str) -> dict[str, str]:
        return {key: entry["value"] for key, entry in self.repo(space, "spaces").settings.variables.items()}

    def lie(
        self,
        name: str,
        path: str,
        *,
        size: int | None = None,
        sha256: str | None = None,
        content: bytes | None = None,
        kind: str = "models",
    ) -> None:
        """Say something else of a file than what is true: its size and hash in lists and headers, its content."""
        self.state.lies[kind, name, path] = Lie(size, sha256, content)
