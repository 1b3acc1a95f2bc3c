"""The handlers of the tab of robots, as plain functions on a tiny model."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from cvae.checkpoint import Checkpoint
from cvae.config import SVGConfig
from cvae.video import read_clip
from tests.web.conftest import sent
from tests.web.robots import FRAMES, HIGH, LOW, own_rows
from web import driving, prediction, robot_tab
from web.driving import drive
from web.endpoints import answer
from web.examples import find_robots
from web.handling import on_stop
from web.panels import updates
from web.prediction import Step
from web.robot_inputs import RobotInputs
from web.session import Session
from web.steering import MOST_STEPS, Trip

ASIDE = (3, 0, 0, 40)
"""Of the sliders: 3 cm to the right."""


@pytest.fixture
def files(trajectory: Path) -> tuple[Any, Any, Any]:
    """Two given frames, both tables, and the truth."""
    pictures = [trajectory / f"{number}.png" for number in range(FRAMES)]
    return sent(pictures[:2]), sent(trajectory.glob("*.csv")), sent(pictures)


def generate(robot: Checkpoint, files: Any, sample: Any = "mean", seed: Any = 0, fps: Any = 0) -> list[Step]:
    return list(robot_tab.on_generate(robot, Session(), *files, sample, seed, fps))


def test_generate_predicts_what_follows_the_given_frames(robot: Checkpoint, files: Any) -> None:
    *_, last = generate(robot, files)
    view, made = last.view, last.downloads
    assert (view.given, view.total, len(view.psnr), view.fps) == (2, FRAMES - 2, FRAMES - 2, 5)
    assert view.tracks == ("prediction", "truth", "hand") and view.at is None
    assert made is not None and made.psnr is not None
    assert made.psnr.read_text().splitlines()[1].startswith("2,")
    assert len(read_clip(made.mp4).frames) == FRAMES


def test_live_frames_are_counted_from_the_given_ones(
    robot: Checkpoint, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "LIVE_INTERVAL", 0.0)
    live = [step.view for step in generate(robot, files) if step.view.live]
    assert [view.live["frame"] for view in live if view.live] == [2, 3, 4, 5]
    assert live[0].status.startswith("Frame 1 of 4, ")
    assert live[0].live is not None and list(live[0].live["pictures"]) == ["prediction", "truth"]


def test_a_whole_trajectory_brings_frames_and_truth(robot: Checkpoint, trajectory: Path) -> None:
    *_, last = generate(robot, (None, sent(trajectory.iterdir()), None))
    assert len(last.view.psnr) == FRAMES - 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actions": None}, "There are no actions: upload a table"),
        ({"frames": None}, "There are no given frames; expected 2"),
        ({"truth": "abc"}, "expected an upload"),
        ({"sample": "best"}, "sample is one of"),
        ({"seed": 0.5}, "seed is a whole number"),
        ({"fps": 1000}, "frame rate is 1 to 60"),
    ],
)
def test_wrong_input_is_told_on_the_page_in_a_sentence(
    robot: Checkpoint, files: Any, change: dict[str, Any], message: str
) -> None:
    given = dict(zip(("frames", "actions", "truth"), files, strict=True)) | {"sample": "mean", "seed": 0, "fps": 0}
    steps = []
    with pytest.raises(gr.Error, match=message) as caught:
        for step in robot_tab.on_generate(robot, Session(), **given | change):
            steps.append(step)
    assert not caught.value.print_exception
    assert message.split(":")[0] in steps[-1].view.status
    assert updates(steps[-1])[1].interactive


def test_a_program_gets_the_video_and_its_psnr(robot: Checkpoint, files: Any) -> None:
    gif, mp4, psnr, summary = answer(robot_tab.on_generate(robot, Session(), *files, "prior", 3, 12.5))
    assert Path(gif).exists() and Path(mp4).exists() and psnr is not None
    assert (summary["frames"], summary["fps"], len(summary["psnr"])) == (4, 12.5, 4)


# Steering ------------------------------------------------------------------------------------------------


def steer(robot: Checkpoint, session: Session, files: Any, *sliders: Any, sample: str = "prior") -> Step:
    *_, last = robot_tab.on_step(robot, session, *files[:2], sample, 0, 0, *sliders or ASIDE)
    return last


def change(robot: Checkpoint, session: Session, files: Any, how: Any) -> Step:
    *_, last = robot_tab.on_steering(robot, how, session, *files[:2], "prior", 0, 0)
    return last


def sheet(step: Step) -> np.ndarray:
    """The frames of a view, `(T, 16, 16, 3)`."""
    assert step.view.sheets is not None
    row = np.array(Image.open(step.view.sheets["prediction"][0]))
    count = step.view.given + step.view.total
    return np.stack([row[:16, 16 * number : 16 * number + 16] for number in range(count)])


def test_each_step_adds_one_frame_and_leaves_those_before_as_they_were(robot: Checkpoint, files: Any) -> None:
    session = Session()
    steps = [steer(robot, session, files) for _ in range(3)]
    assert [step.view.total for step in steps] == [1, 2, 3]
    assert [step.view.at for step in steps] == [2, 3, 4]
    assert len({step.view.run for step in steps}) == 1
    assert np.array_equal(sheet(steps[0]), sheet(steps[2])[:3])
    assert steps[2].view.status == "Step 3 of at most 100"
    assert steps[2].view.hand is not None
    assert steps[2].view.hand["places"][-1] == pytest.approx([1 + 3 * 3, 0, 10])
    assert steps[2].downloads is not None and steps[2].downloads.psnr is None


def test_the_frame_depends_on_where_the_hand_is_sent(robot: Checkpoint, files: Any) -> None:
    right, left = (steer(robot, Session(), files, x, 0, 0, 40) for x in (7, -7))
    assert np.array_equal(sheet(right)[:2], sheet(left)[:2])
    assert not np.array_equal(sheet(right)[2], sheet(left)[2])


def test_steps_are_the_video_of_the_same_actions(robot: Checkpoint, files: Any, tmp_path: Path) -> None:
    session = Session()
    for _ in range(2):
        steered = steer(robot, session, files, sample="mean")
    rows = [[0.01, 0, 0, 0.5, 0, 0, 0.1], [0.03, 0, 0, 0.4, 0.01, 0, 0.1], [0.03, 0, 0, 0.4, 0.04, 0, 0.1]]
    np.savetxt(tmp_path / "rows.csv", [*rows, [0, 0, 0, 0, 0.07, 0, 0.1]], delimiter=",")
    *_, generated = generate(robot, (files[0], sent([tmp_path / "rows.csv"]), None))
    assert np.array_equal(sheet(steered), sheet(generated))


def test_undo_and_start_over_show_what_was_before(robot: Checkpoint, files: Any) -> None:
    session = Session()
    first = steer(robot, session, files)
    steer(robot, session, files)
    assert np.array_equal(sheet(change(robot, session, files, Trip.undo)), sheet(first))
    begun = change(robot, session, files, Trip.restart)
    assert (begun.view.total, begun.view.at, begun.view.run) == (0, 1, first.view.run)
    assert begun.view.status == "Start: the last given frame"


def test_other_files_begin_another_trip(robot: Checkpoint, files: Any, trajectory: Path) -> None:
    session = Session()
    first = steer(robot, session, files)
    other = steer(robot, session, (sent([trajectory / f"{number}.png" for number in range(3)]), files[1]))
    assert (other.view.given, other.view.total) == (3, 1)
    assert other.view.run != first.view.run


def test_after_another_video_was_generated_the_next_step_is_a_first_one(robot: Checkpoint, files: Any) -> None:
    session = Session()
    steer(robot, session, files)
    list(robot_tab.on_generate(robot, session, *files, "mean", 0, 0))
    assert steer(robot, session, files).view.total == 1


def test_it_is_said_where_the_hand_is_stopped(robot: Checkpoint, files: Any) -> None:
    session = Session()
    for _ in range(3):
        last = steer(robot, session, files, 0, 0, -6.5, 40)
    assert last.view.status == "Step 3 of at most 100: the hand can go no further"


@pytest.mark.parametrize("scale", [0.001, 1, 1000])
def test_it_is_said_where_the_hand_is_stopped_in_whatever_unit(
    robot: Checkpoint, trajectory: Path, scale: float, tmp_path: Path
) -> None:
    model, tables = robot.config.model, own_rows() + np.float32([0, 0, 0, 0, 0.0537, 0, 0])
    assert isinstance(model, SVGConfig)
    low, high = (tuple(scale * number for number in limits) for limits in (LOW, HIGH))
    config = replace(robot.config, model=replace(model, low=low, high=high))
    np.savetxt(tmp_path / "rows.csv", scale * tables, delimiter=",")
    files = RobotInputs(frames=[trajectory / "0.png", trajectory / "1.png"], actions=[tmp_path / "rows.csv"])
    session, told = Session(), []
    for _ in range(6):
        change = partial(Trip.step, action=(0.0333 * scale, 0.0, 0.0, 0.5 * scale))
        *_, last = drive(replace(robot, config=config), session, files, change)
        told.append("no further" in last.view.status)
    assert told == [False] * 4 + [True] * 2


def test_stop_during_steering_leaves_the_video(robot: Checkpoint, files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "INTERVAL", 0.0)
    session = Session()
    for _ in range(3):
        steer(robot, session, files)
    steps = robot_tab.on_step(robot, session, *files[:2], "prior", 0, 0, *ASIDE)
    first = next(step for step in steps if step.view.status == "Frame 1 of 4")
    assert robot_tab.steering_updates(first)[1].interactive
    on_stop(session)
    (last,) = steps
    assert (last.view.status, last.view.keeps) == ("Stopped.", True)
    assert not robot_tab.steering_updates(last)[1].interactive
    assert session.trip is not None and len(session.trip.actions) == 3


def test_stop_ends_a_long_reading_before_steering(
    robot: Checkpoint, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_slowly(*args: Any, watch: Any, **options: Any) -> None:
        for number in range(10_000):
            time.sleep(0.001)
            watch(number, 10_000)

    monkeypatch.setattr(driving, "read_start", read_slowly)
    session = Session()
    steps = robot_tab.on_step(robot, session, *files[:2], "prior", 0, 0, *ASIDE)
    assert robot_tab.steering_updates(next(steps))[1].interactive
    on_stop(session)
    assert [step.view.status for step in steps][-1] == "Stopped."
    assert session.trip is None


def test_a_step_that_takes_too_long_is_given_up_and_leaves_the_video(
    robot: Checkpoint, files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    for _ in range(2):
        steer(robot, session, files)
    monkeypatch.setattr(prediction, "MAX_SECONDS", 0.0)
    with pytest.raises(gr.Error, match="These steps took more than 300 s; undo some, or start over"):
        steer(robot, session, files)
    assert session.trip is not None and len(session.trip.actions) == 2


@pytest.mark.parametrize(
    ("sliders", "message"),
    [
        ((8, 0, 0, 0), r"Left − / right \+ \(cm\) is -7.5 to 7.5; got 8"),
        ((0, "1", 0, 0), "got '1'"),
        ((0, 0, float("nan"), 0), "got nan"),
        ((0, 0, 0, None), r"Gripper open \(%\) is 0 to 100; got None"),
    ],
)
def test_a_step_beyond_the_sliders_is_refused_and_leaves_the_video(
    robot: Checkpoint, files: Any, sliders: Any, message: str
) -> None:
    session, steps = Session(), []
    steer(robot, session, files)
    with pytest.raises(gr.Error, match=message):
        for step in robot_tab.on_step(robot, session, *files[:2], "mean", 0, 0, *sliders):
            steps.append(step)
    assert steps[-1].view.keeps
    assert session.trip is not None and len(session.trip.actions) == 1


def test_after_the_last_step_there_is_a_sentence(robot: Checkpoint, files: Any) -> None:
    session = Session()
    steer(robot, session, files)
    assert session.trip is not None
    session.trip = Trip(files=session.trip.files, actions=session.trip.actions * MOST_STEPS)
    with pytest.raises(gr.Error, match="the most that are possible"):
        steer(robot, session, files)


def test_without_files_it_is_said_where_steering_begins(robot: Checkpoint) -> None:
    with pytest.raises(gr.Error, match="or click an example"):
        steer(robot, Session(), (None, None))


def test_steering_leaves_the_downloads_until_there_are_new_ones(robot: Checkpoint, files: Any) -> None:
    *_, shown, last = robot_tab.on_step(robot, Session(), *files[:2], "mean", 0, 0, *ASIDE)
    assert robot_tab.steering_updates(shown)[2:] == [gr.skip()] * 5
    assert robot_tab.steering_updates(last)[2].visible


def test_example_fills_given_frames_actions_and_truth(trajectory: Path) -> None:
    frames, actions, truth = robot_tab.on_example(find_robots(trajectory.parent, 2), Session(), 0)
    assert [Path(path).name for path in frames] == ["0.png", "1.png"]
    assert [Path(path).name for path in actions] == ["actions.csv", "endeffector_positions.csv"]
    assert len(truth) == FRAMES
