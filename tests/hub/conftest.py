"""A Hub on loopback for the tests.

`hub_server` is a running `HubServer` (tests/hub/server/hub.py), empty, on a free port, in a folder of its own:

    hub_server.url, .user ("alice"), .token               HF_ENDPOINT, who pushes, and with which token
    hub_server.add_user("bob", role="read") -> token       somebody else, or another token
    hub_server.create("alice/walk", private=True)          a repository; gated="manual", kind="spaces"
    hub_server.commit("alice/walk", {"a.txt": "hi"})       a commit, its id returned; None deletes; no path is refused
    hub_server.upload("alice/walk", folder)                a commit of all files of a folder
    hub_server.files("alice/walk", "main") -> {path: bytes}, .head(...) -> Commit, .history(...) -> [Commit]
    hub_server.repo("alice/walk").settings                 private, gated, sdk, hardware, stage, restarts...
    hub_server.secrets("alice/page"), .variables("alice/page")
    hub_server.stop(), .start()                            the server is down, and back at the same address
    hub_server.set_page_size(2)                            lists come in small pages
    hub_server.redirect_small_files()                      small files come by a redirect, too
    hub_server.enable_xet()                                large files also go in chunks: hub_env(..., xet=True)
    hub_server.lie("alice/walk", "model.safetensors", size=10**12, sha256="0" * 64, content=b"...")
    hub_server.requests                                    what came: iterate, len, .clear(), .matching("GET .*config")
        each has .place ("hub" or "storage"), .method, .path, .query, .headers, .body, .token, .status, .sent

Large files (weights, binary ones) are redirected to a storage on another port, which refuses requests with a token.

Faults meet requests whose "METHOD /path" contains a regular expression, `times` times (default: always):

    hub_server.faults.answer("GET /api/models", 503, times=1)         also code=, message=, headers=, body=
    hub_server.faults.cut_answer("GET /contents/", after=1000)        the answer breaks off; reset=True: rudely
    hub_server.faults.stall_answer("GET /contents/", 5.0, after=10)   the answer stops for a while
    hub_server.faults.cut_request("PUT /contents/", after=1000)       the upload breaks off
    hub_server.faults.delay("HEAD", 2.0)                              a slow answer
    hub_server.faults.change("GET /api/models", lambda info: info | {"sha": "../../x"})   another JSON than the true one
    hub_server.faults.before("POST .*/commit/", action)               somebody else is faster: runs action() first
    hub_server.faults.clear()

The client waits 1 + 2 + 4 + 8 + 8 s over five tries where it repeats a request after 5xx (preupload, lfs, tree);
model_info, whoami, the commit itself and HEAD are not repeated.

Huggingface_hub reads its settings when it is imported. So run what uses it in a child process with
`env=hub_env(hub_server, tmp_path)`, or in this process with the fixture `hub_here`, which sets what was read.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from tests.hub.server import HubServer

SETTINGS_OF_THE_CLIENT = ("HF_", "HUGGING_FACE_", "HUGGINGFACE_")
SETTINGS_OF_HTTP = ("NO_PROXY", "no_proxy", "SSL_CERT_DIR")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The client warns of itself when it puts a large file into the storage."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))


@pytest.fixture
def hub_server(tmp_path: Path) -> Iterator[HubServer]:
    """An empty Hub, running."""
    server = HubServer(tmp_path / "hub_server")
    yield server
    server.faults.clear()
    server.stop(wait=False)  # the next test has another port, and need not wait for this one's end


def hub_env(server: HubServer, folder: Path, token: str | None = None, *, xet: bool = False) -> dict[str, str]:
    """The environment for a child process that uses this Hub and a cache in `folder`; without a token, nobody's."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_OF_THE_CLIENT)}
    env |= {
        "HF_ENDPOINT": server.url,
        "HF_HOME": str(folder / "hf_home"),
        "HF_HUB_DISABLE_XET": str(int(not xet)),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "SSL_CERT_DIR": str(folder),  # no certificates: none is needed, and each client would read all of the machine's
        "OMP_NUM_THREADS": "1",
    }
    if xet:  # its client wants some certificate, also where none is needed
        env["SSL_CERT_FILE"] = certifi.where()
    return env | ({"HF_TOKEN": token} if token is not None else {})


@pytest.fixture
def hub_here(hub_server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """That Hub, for the client in this process, as alice; cache in `tmp_path / "hf_home"`."""
    from huggingface_hub import close_session, constants, hf_api

    for name, value in hub_env(hub_server, tmp_path, hub_server.token).items():
        if name.startswith(SETTINGS_OF_THE_CLIENT) or name in SETTINGS_OF_HTTP:
            monkeypatch.setenv(name, value)
    read_at_import: dict[str, str | bool] = {
        "ENDPOINT": hub_server.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": hub_server.url + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HOME": str(tmp_path / "hf_home"),
        "HF_HUB_CACHE": str(tmp_path / "hf_home" / "hub"),
        "HF_TOKEN_PATH": str(tmp_path / "hf_home" / "token"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_DISABLE_TELEMETRY": True,
        "HF_HUB_OFFLINE": False,
    }
    for constant, setting in read_at_import.items():
        monkeypatch.setattr(constants, constant, setting)
    monkeypatch.setattr(hf_api.api, "endpoint", hub_server.url)
    yield hub_server
    close_session()
