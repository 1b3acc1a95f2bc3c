"""The page's command line, and which models it serves."""

import socket
from pathlib import Path
from unittest.mock import Mock

import pytest

import app
from cvae.checkpoint import BUNDLED
from cvae.cli import run_options
from tests.web.robots import save_own_robot


def serve(*arguments: str) -> None:
    run_options(app.serve, "python app.py", arguments)  # type: ignore[arg-type]


def test_folder_that_is_no_checkpoint_ends_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        serve("--checkpoint", str(tmp_path))
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        f"Error: {tmp_path} is no checkpoint: it has no config.json (expected config.json and model.safetensors)."
    ]


def test_taken_port_ends_in_one_sentence(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(SystemExit) as ended:
            serve("--checkpoint", str(tiny_checkpoint), "--port", port)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"Error: Port {port} of 127.0.0.1 cannot be used; choose another with --port.\n"


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        serve("--help")
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(option in text for option in ("--checkpoint", "--port", "--host", "--device"))


def test_a_space_listens_to_everybody_and_serves_the_model_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODEL_ID", raising=False)
    monkeypatch.delenv("SPACE_ID", raising=False)
    here = app.Options()
    assert (here.checkpoint, here.host, here.port) == (str(BUNDLED), "127.0.0.1", 7860)
    monkeypatch.setenv("MODEL_ID", "alice/walk@v1")
    monkeypatch.setenv("SPACE_ID", "alice/page")
    there = app.Options()
    assert (there.checkpoint, there.host, there.port) == ("alice/walk@v1", "0.0.0.0", 7860)


def test_the_folder_of_a_space_names_its_model_unless_the_variable_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model_id.txt").write_text("alice/walk\n")
    monkeypatch.setattr(app, "HERE", tmp_path)
    monkeypatch.delenv("MODEL_ID", raising=False)
    assert app.named_model() == "alice/walk"
    monkeypatch.setenv("MODEL_ID", "alice/run")
    assert app.named_model() == "alice/run"


@pytest.mark.parametrize("told_by", ["SPACE_ID", "MODEL_ID"])
def test_where_nobody_reads_the_terminal_the_page_tells_why_there_is_no_model(
    told_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(told_by, str(tmp_path))
    told: list[str] = []
    monkeypatch.setattr(app, "build_failure_page", lambda reason: told.append(reason) or Mock())
    monkeypatch.setattr(app, "launch", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve("--checkpoint", str(tmp_path), "--host", "127.0.0.1", "--port", str(port))
    assert len(told) == 1
    assert "is no checkpoint: it has no config.json" in told[0]
    assert f"(without a model: {told[0].removesuffix('.')})" in capsys.readouterr().out


@pytest.fixture
def bundled(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two tiny models in the place of the bundled ones, `tiny` of a person and `robot`."""
    for name in ("MODEL_ID", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    robot = save_own_robot(tmp_path / "robot")
    monkeypatch.setattr(app, "BUNDLED", tiny_checkpoint)
    monkeypatch.setattr(app, "BUNDLED_ROBOT", robot)
    return str(tiny_checkpoint), str(robot)


def names(reference: str) -> list[str]:
    return [model.name for model in app.load_models(reference, "cpu")]


def test_a_checkpoint_takes_the_place_of_the_bundled_one_of_its_kind(bundled: tuple[str, str], tmp_path: Path) -> None:
    mine = str(save_own_robot(tmp_path / "mine"))
    assert names(bundled[0]) == ["tiny", "robot"]
    assert names(mine) == ["mine", "tiny"]


@pytest.mark.parametrize("told_by", ["SPACE_ID", "MODEL_ID"])
def test_a_page_that_is_there_for_one_model_shows_no_other(
    bundled: tuple[str, str], told_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(told_by, "alice/page")
    assert names(bundled[1]) == ["robot"]


def test_where_there_is_no_bundled_robot_the_page_goes_without_and_that_is_said(
    bundled: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "BUNDLED_ROBOT", tmp_path / "none")
    assert names(bundled[0]) == ["tiny"]
    assert caplog.messages == [f"There is no folder {tmp_path / 'none'}, and so no second tab for its model."]
