"""The page's handlers as plain functions on a tiny model, and its command line."""

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import gradio as gr
import pytest

import app
from cvae.checkpoint import BUNDLED, Checkpoint, load_checkpoint, save_checkpoint
from cvae.cli import run_options
from cvae.config import Config, DataConfig, Lab4Config, SamplingConfig
from tests.conftest import moving_square, random_model, write_pictures
from web.examples import Example
from web.panels import updates
from web.prediction import Step
from web.session import Session


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))


def sent(folder: Path) -> list[dict[str, str]]:
    """Pictures as the browser names them after an upload."""
    return [{"path": str(path)} for path in sorted(folder.iterdir())]


@pytest.fixture
def frames(tmp_path: Path) -> list[dict[str, str]]:
    return sent(write_pictures(tmp_path / "frames", moving_square(6)[0]))


@pytest.fixture
def poses(tmp_path: Path) -> list[dict[str, str]]:
    return sent(write_pictures(tmp_path / "poses", moving_square(6)[1]))


def steps_and_error(*arguments: Any) -> tuple[list[Step], gr.Error]:
    steps = []
    with pytest.raises(gr.Error) as caught:
        for step in app.on_generate(*arguments):
            steps.append(step)
    return steps, caught.value


def test_generate_turns_uploads_into_a_video(checkpoint: Checkpoint, frames: Any, poses: Any) -> None:
    *_, last = app.on_generate(checkpoint, Session(), frames[0], poses, frames, "mean", 0, 0, True)
    assert last.view.total == len(last.view.psnr) == 5


def test_a_network_of_the_lab_runs_on_the_page_and_draws_its_latents(tmp_path: Path, frames: Any, poses: Any) -> None:
    config = Config(
        model=Lab4Config(frame_channels=8, label_channels=4, latent_channels=4, decoder_channels=8),
        data=DataConfig(height=16, width=32),
        sampling=SamplingConfig(sample="prior"),
    )
    save_checkpoint(tmp_path / "lab", config, random_model(config), {})
    loaded = load_checkpoint(tmp_path / "lab")
    sheets = []
    for seed in (0, 1):
        *_, last = app.on_generate(loaded, Session(), frames[0], poses, frames, "prior", seed, 0, True)
        assert len(last.view.psnr) == 5
        sheets.append(Path(last.view.sheets["prediction"][0]).read_bytes())
    assert sheets[0] != sheets[1]


def test_wrong_file_is_told_on_the_page_without_a_traceback(checkpoint: Checkpoint, poses: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("just text")
    steps, error = steps_and_error(
        checkpoint, Session(), {"path": str(tmp_path / "notes.png")}, poses, None, "mean", 0, 0, True
    )
    assert "notes.png" in steps[-1].view.status
    assert "is text; expected a picture" in error.message
    assert not error.print_exception
    assert updates(steps[-1])[1].interactive  # Generate can be pressed again


def test_unforeseen_fault_is_told_without_its_details(
    checkpoint: Checkpoint, frames: Any, poses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret path")

    monkeypatch.setattr(app, "predict", broken)
    steps, error = steps_and_error(checkpoint, Session(), frames[0], poses, None, "mean", 0, 0, True)
    assert "secret" not in steps[-1].view.status + error.message
    assert "log" in error.message


@pytest.mark.parametrize("wrong", ["abc", {"path": 5}, [1, 2]])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_malformed_files_of_a_program_are_told_in_a_sentence(
    checkpoint: Checkpoint, frames: Any, poses: Any, wrong: Any, place: int
) -> None:
    files = [frames[0], poses, None]
    files[place] = wrong
    with pytest.raises(gr.Error, match="expected an upload") as caught:
        app.on_api(checkpoint, files[0], files[1], files[2], "mean", 0, True, 0)
    assert not caught.value.print_exception
    steps, _ = steps_and_error(checkpoint, Session(), *files, "mean", 0, 0, True)
    assert updates(steps[-1])[1].interactive


def test_malformed_poses_are_told_on_the_page(checkpoint: Checkpoint) -> None:
    with pytest.raises(gr.Error, match="expected an upload"):
        app.on_upload(Session(), "abc")
    with pytest.raises(gr.Error, match="expected an upload"):
        list(app.on_poses(checkpoint, Session(), "abc"))


def test_message_shows_a_file_name_as_text() -> None:
    assert app.page_error('"<img onerror=x>" is bad').message == '"&lt;img onerror=x&gt;" is bad'


def test_uploaded_poses_are_shown(checkpoint: Checkpoint, poses: Any) -> None:
    session = Session()
    assert app.on_upload(session, poses).visible
    (first, stop), *_, (shown, idle) = app.on_poses(checkpoint, session, poses)
    assert first.visible
    assert stop.interactive
    assert "6 poses" in shown.value
    assert not idle.interactive


def test_strip_goes_with_the_poses(checkpoint: Checkpoint, poses: Any) -> None:
    session = Session()
    app.on_upload(session, poses)
    assert not app.on_upload(session, None).visible
    assert session.uploaded == []
    assert [strip for strip, _ in app.on_poses(checkpoint, session, None)] == [gr.skip()]


def test_unreadable_poses_are_told_at_once(checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "poses.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    files, session, strips = [{"path": str(tmp_path / "poses.zip")}], Session(), []
    app.on_upload(session, files)
    with pytest.raises(gr.Error, match="holds no files"):
        for strip, _ in app.on_poses(checkpoint, session, files):
            strips.append(strip)
    assert "holds no files" in strips[-1].value


def test_unforeseen_fault_in_poses_is_told_without_its_details(
    checkpoint: Checkpoint, poses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret path")

    monkeypatch.setattr(app, "show_poses", broken)
    with pytest.raises(gr.Error, match="its log says what"):
        for step in app.on_poses(checkpoint, Session(), poses):
            strip, stop = step
    assert "its log says what" in strip.value
    assert not stop.interactive


def test_poses_that_nobody_looked_at_are_told() -> None:
    assert "too many people" in app.on_unread_poses(app.WAITING)
    assert app.on_unread_poses("<p>a fault</p>") == "<p>a fault</p>"


def test_example_fills_the_inputs_with_files_that_the_browser_may_have(tmp_path: Path) -> None:
    for name in ("first_frame.png", "poses.zip"):
        (tmp_path / name).write_text(name)
    example = Example(title="A", first_frame=tmp_path / "first_frame.png", poses=tmp_path / "poses.zip", truth=None)
    session = Session()
    first_frame, (poses,), truth, _ = app.on_example([example], session, 0)
    assert session.uploaded == [Path(poses)]  # so that they are kept between runs
    assert Path(first_frame).read_text() == "first_frame.png"
    assert Path(poses).read_text() == "poses.zip"
    assert truth is None
    assert (tmp_path / "cache") in Path(first_frame).parents


def test_example_waits_for_the_run_at_hand(tmp_path: Path) -> None:
    with pytest.raises(gr.Error, match="is running"):
        app.on_example([], Session(running=True), 0)


@pytest.mark.parametrize("index", [-1, 0, "0", None, 1.5])
def test_an_example_that_is_not_there_is_told(index: Any) -> None:
    with pytest.raises(gr.Error, match="no such example"):
        app.on_example([], Session(), index)


def test_a_program_may_choose_the_rate(checkpoint: Checkpoint, frames: Any, poses: Any) -> None:
    *_, summary = app.on_api(checkpoint, frames[0], poses, None, "mean", 0, True, 12.5)
    assert summary["fps"] == 12.5


def test_stop_reaches_the_run_of_this_session() -> None:
    session = Session(running=True)
    app.on_stop(session)
    assert session.stop


def test_live_frames_change_the_player_alone(checkpoint: Checkpoint, frames: Any, poses: Any) -> None:
    first, *others = app.on_generate(checkpoint, Session(), frames[0], poses, None, "mean", 0, 0, True)
    live = next(step for step in others if step.view.live)
    player, *rest = updates(live)
    assert player["live"]["frame"] == 1
    # nothing is left out, since Gradio's client would take it from an update that the page has not shown yet
    assert [update.constructor_args for update in rest[:3]] == [
        update.constructor_args for update in updates(first)[1:4]
    ]


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


def test_title_names_the_model_and_what_must_be_known_of_it(checkpoint: Checkpoint) -> None:
    named = replace(checkpoint, name="alice/<b>@0123456789ab")
    assert "Model: alice/&lt;b&gt;@0123456789ab, 32x16 pixels.</p>" in app.title(named, None)
    assert "pixels. It is a copy &amp; old.</p>" in app.title(named, "It is a copy & old.")


def test_what_zero_gpu_says_reaches_the_visitor(
    checkpoint: Checkpoint, frames: Any, poses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Any:
        raise gr.Error("Try again in 1:00.", title="GPU quota exceeded", print_exception=False)

    monkeypatch.setattr(app, "predict", refused)
    steps, error = steps_and_error(checkpoint, Session(), frames[0], poses, None, "mean", 0, 0, True)
    assert steps[-1].view.status == "GPU quota exceeded"
    assert error.message == "Try again in 1:00."
    assert updates(steps[-1])[1].interactive
