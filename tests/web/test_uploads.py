from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from web import uploads
from web.uploads import RefuseFileAddresses, uploaded_files


async def echo(request: Request) -> JSONResponse:
    return JSONResponse({"got": (await request.body()).decode()})


@pytest.fixture
def client() -> TestClient:
    return TestClient(
        Starlette(routes=[Route("/", echo, methods=["POST"])], middleware=[Middleware(RefuseFileAddresses)])
    )


@pytest.mark.parametrize("path", ["http://example.org/a.gif", "HTTPS://example.org/a.gif", " http://localhost/"])
def test_request_that_names_a_web_address_as_file_is_refused(client: TestClient, path: str) -> None:
    answer = client.post("/", json={"data": [1, [{"path": path, "meta": {"_type": "gradio.FileData"}}]]})
    assert answer.status_code == 422
    assert "uploaded" in answer.json()["detail"]


def test_request_that_names_uploaded_files_passes_unchanged(client: TestClient) -> None:
    data = {"data": [{"path": "/cache/a.gif", "url": "http://127.0.0.1:7860/gradio_api/file=/cache/a.gif"}]}
    answer = client.post("/", json=data)
    assert answer.status_code == 200
    assert '"/cache/a.gif"' in answer.json()["got"]


def test_upload_of_bytes_passes_unread(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", 10)
    answer = client.post("/", content=b"x" * 1000, headers={"content-type": "application/octet-stream"})
    assert len(answer.json()["got"]) == 1000


def test_huge_json_request_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", 10)
    assert client.post("/", json={"data": "x" * 100}).status_code == 413


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ({"path": "a.png"}, ["a.png"]),
        ([{"path": "a.png"}, {"path": "b.png"}], ["a.png", "b.png"]),
        ({"path": None}, []),
    ],
)
def test_uploaded_files_are_found(value: Any, expected: list[str]) -> None:
    assert uploaded_files(value) == [Path(name) for name in expected]
