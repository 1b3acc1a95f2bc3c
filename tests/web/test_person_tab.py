"""The handlers of the tab of persons, as plain functions on a tiny model."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from cvae.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from cvae.config import Config, DataConfig, Lab4Config, SamplingConfig
from tests.conftest import random_model
from web import person_tab
from web.endpoints import answer
from web.examples import Example
from web.handling import on_stop, page_error
from web.panels import updates
from web.prediction import Step
from web.session import Session


def steps_and_error(*arguments: Any) -> tuple[list[Step], gr.Error]:
    steps = []
    with pytest.raises(gr.Error) as caught:
        for step in person_tab.on_generate(*arguments):
            steps.append(step)
    return steps, caught.value


def test_generate_turns_uploads_into_a_video(checkpoint: Checkpoint, frames: Any, poses: Any) -> None:
    *_, last = person_tab.on_generate(checkpoint, Session(), frames[0], poses, frames, "mean", 0, 0, True)
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
        *_, last = person_tab.on_generate(loaded, Session(), frames[0], poses, frames, "prior", seed, 0, True)
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

    monkeypatch.setattr(person_tab, "predict", broken)
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
        answer(person_tab.on_generate(checkpoint, Session(), *files, "mean", 0, 0, True))
    assert not caught.value.print_exception
    steps, _ = steps_and_error(checkpoint, Session(), *files, "mean", 0, 0, True)
    assert updates(steps[-1])[1].interactive


def test_malformed_poses_are_told_on_the_page(checkpoint: Checkpoint) -> None:
    with pytest.raises(gr.Error, match="expected an upload"):
        person_tab.on_upload(Session(), "abc")
    with pytest.raises(gr.Error, match="expected an upload"):
        list(person_tab.on_poses(checkpoint, Session(), "abc"))


def test_message_shows_a_file_name_as_text() -> None:
    assert page_error('"<img onerror=x>" is bad').message == '"&lt;img onerror=x&gt;" is bad'


def test_uploaded_poses_are_shown(checkpoint: Checkpoint, poses: Any) -> None:
    session = Session()
    assert person_tab.on_upload(session, poses).visible
    (first, stop), *_, (shown, idle) = person_tab.on_poses(checkpoint, session, poses)
    assert first.visible
    assert stop.interactive
    assert "6 poses" in shown.value
    assert not idle.interactive


def test_strip_goes_with_the_poses(checkpoint: Checkpoint, poses: Any) -> None:
    session = Session()
    person_tab.on_upload(session, poses)
    assert not person_tab.on_upload(session, None).visible
    assert session.uploaded == []
    assert [strip for strip, _ in person_tab.on_poses(checkpoint, session, None)] == [gr.skip()]


def test_unreadable_poses_are_told_at_once(checkpoint: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "poses.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    files, session, strips = [{"path": str(tmp_path / "poses.zip")}], Session(), []
    person_tab.on_upload(session, files)
    with pytest.raises(gr.Error, match="holds no files"):
        for strip, _ in person_tab.on_poses(checkpoint, session, files):
            strips.append(strip)
    assert "holds no files" in strips[-1].value


def test_unforeseen_fault_in_poses_is_told_without_its_details(
    checkpoint: Checkpoint, poses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret path")

    monkeypatch.setattr(person_tab, "show_poses", broken)
    with pytest.raises(gr.Error, match="its log says what"):
        for step in person_tab.on_poses(checkpoint, Session(), poses):
            strip, stop = step
    assert "its log says what" in strip.value
    assert not stop.interactive


def test_poses_that_nobody_looked_at_are_told() -> None:
    assert "too many people" in person_tab.on_unread_poses(person_tab.WAITING)
    assert person_tab.on_unread_poses("<p>a fault</p>") == "<p>a fault</p>"


def test_example_fills_the_inputs_with_files_that_the_browser_may_have(tmp_path: Path) -> None:
    for name in ("first_frame.png", "poses.zip"):
        (tmp_path / name).write_text(name)
    first, second = tmp_path / "first_frame.png", tmp_path / "poses.zip"
    example = Example(title="A", picture=first, inputs=([first], [second], []))
    session = Session()
    first_frame, (poses,), truth, _ = person_tab.on_example([example], session, 0)
    assert session.uploaded == [Path(poses)]  # so that they are kept between runs
    assert Path(first_frame).read_text() == "first_frame.png"
    assert Path(poses).read_text() == "poses.zip"
    assert truth is None
    assert (tmp_path / "cache") in Path(first_frame).parents


def test_example_waits_for_the_run_at_hand(tmp_path: Path) -> None:
    with pytest.raises(gr.Error, match="is running"):
        person_tab.on_example([], Session(running=True), 0)


@pytest.mark.parametrize("index", [-1, 0, "0", None, 1.5])
def test_an_example_that_is_not_there_is_told(index: Any) -> None:
    with pytest.raises(gr.Error, match="no such example"):
        person_tab.on_example([], Session(), index)


def test_a_program_may_choose_the_rate(checkpoint: Checkpoint, frames: Any, poses: Any) -> None:
    *_, summary = answer(person_tab.on_generate(checkpoint, Session(), frames[0], poses, None, "mean", 0, 12.5, True))
    assert summary["fps"] == 12.5


def test_stop_reaches_the_run_of_this_session() -> None:
    session = Session(running=True)
    on_stop(session)
    assert session.stop


def test_live_frames_change_the_player_alone(checkpoint: Checkpoint, frames: Any, poses: Any) -> None:
    first, *others = person_tab.on_generate(checkpoint, Session(), frames[0], poses, None, "mean", 0, 0, True)
    live = next(step for step in others if step.view.live)
    player, *rest = updates(live)
    assert player["live"]["frame"] == 1
    # nothing is left out, since Gradio's client would take it from an update that the page has not shown yet
    assert [update.constructor_args for update in rest[:3]] == [
        update.constructor_args for update in updates(first)[1:4]
    ]


def test_what_zero_gpu_says_reaches_the_visitor(
    checkpoint: Checkpoint, frames: Any, poses: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Any:
        raise gr.Error("Try again in 1:00.", title="GPU quota exceeded", print_exception=False)

    monkeypatch.setattr(person_tab, "predict", refused)
    steps, error = steps_and_error(checkpoint, Session(), frames[0], poses, None, "mean", 0, 0, True)
    assert steps[-1].view.status == "GPU quota exceeded"
    assert error.message == "Try again in 1:00."
    assert updates(steps[-1])[1].interactive
