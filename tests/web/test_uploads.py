from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from cvae.errors import InputError
from web import uploads
from web.uploads import UPLOAD_PATH, RefuseFileAddresses, uploaded_files

ADDRESS = b'{"data": [{"path": "http://example.org/a.gif"}]}'


async def echo(request: Request) -> JSONResponse:
    return JSONResponse({"got": (await request.body()).decode()})


@pytest.fixture
def client() -> TestClient:
    routes = [Route(path, echo, methods=["POST"]) for path in ("/", UPLOAD_PATH)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(RefuseFileAddresses)]))


@pytest.mark.parametrize(
    "path", ["http://example.org/a.gif", "HTTPS://example.org/a.gif", " http://localhost/", 5, ["a"]]
)
def test_request_that_names_no_upload_as_file_is_refused(client: TestClient, path: object) -> None:
    answer = client.post("/", json={"data": [1, [{"path": path, "meta": {"_type": "gradio.FileData"}}]]})
    assert answer.status_code == 422
    assert "uploaded" in answer.json()["detail"]


@pytest.mark.parametrize(
    "types",
    [
        [],
        ["application/JSON"],
        ["application/json", "text/plain"],
        ["text/plain", "application/json"],
        ["application/vnd.api+json"],
        ["text/plain"],
        ["multipart/form-data; boundary=x"],
    ],
)
def test_no_content_type_hides_a_web_address(client: TestClient, types: list[str]) -> None:
    assert client.post("/", content=ADDRESS, headers=[("content-type", kind) for kind in types]).status_code == 422


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-be"])
def test_no_encoding_hides_a_web_address(client: TestClient, encoding: str) -> None:
    assert client.post("/", content=ADDRESS.decode().encode(encoding)).status_code == 422


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"\xff\xfe\xff", b"a=b", b"[" + b"1" * 5000 + b"]"])
def test_request_that_is_no_json_is_refused_in_a_sentence(client: TestClient, body: bytes) -> None:
    answer = client.post("/", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "The request cannot be read; expected JSON."})


def test_empty_request_passes(client: TestClient) -> None:
    assert client.post("/").json() == {"got": ""}


def test_request_that_names_uploaded_files_passes_unchanged(client: TestClient) -> None:
    data = {"data": [{"path": "/cache/a.gif", "url": "http://127.0.0.1:7860/gradio_api/file=/cache/a.gif"}]}
    answer = client.post("/", json=data)
    assert answer.status_code == 200
    assert '"/cache/a.gif"' in answer.json()["got"]


def test_upload_of_bytes_passes_unread(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", 10)
    answer = client.post(UPLOAD_PATH, content=b"x" * 1000, headers={"content-type": "multipart/form-data"})
    assert len(answer.json()["got"]) == 1000


def test_huge_json_request_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", 10)
    assert client.post("/", json={"data": "x" * 100}).status_code == 413


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ({"path": "a"}, ["a"]),
        ([{"path": "a"}, {"path": "b"}], ["a", "b"]),
        ({"path": None}, []),
    ],
)
def test_uploaded_files_are_found(
    value: Any, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in expected:
        Path(name).touch()
    assert uploaded_files(value) == [Path(name) for name in expected]


def test_folders_and_files_that_were_cleared_away_are_no_uploads(tmp_path: Path) -> None:
    for name in ("", "gone.zip"):
        with pytest.raises(InputError, match=r"There is no upload \".*\" any more; upload it again"):
            uploaded_files([{"path": str(tmp_path / name)}])


@pytest.mark.parametrize("value", ["abc", 5, [1, 2], {"path": 5}, {"path": ["a.png"]}, {}, [["a.png"]], True, 0])
def test_what_is_no_upload_is_refused_in_a_sentence(value: Any) -> None:
    with pytest.raises(InputError, match=r"form that is not known; expected an upload"):
        uploaded_files(value)
