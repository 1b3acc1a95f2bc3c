import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cvae import request
from cvae.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from cvae.config import DataConfig, SVGConfig
from cvae.errors import InputError
from cvae.poses.keypoints import Keypoints
from cvae.poses.skeleton import draw_skeleton
from cvae.poses.source import Poses
from cvae.video import read_clip
from tests.conftest import moving_square, random_model, write_pictures
from tests.hub.robot import robot_config
from web import prediction, session
from web.person_inputs import PersonInputs
from web.prediction import Step, predict
from web.session import Session


@pytest.fixture
def inputs(tmp_path: Path) -> PersonInputs:
    frames, poses = moving_square(8)
    truth = sorted(write_pictures(tmp_path / "truth", frames).iterdir())
    return PersonInputs(
        first_frame=truth[0], poses=sorted(write_pictures(tmp_path / "poses", poses).iterdir()), truth=truth
    )


def run(checkpoint: Checkpoint, inputs: PersonInputs) -> list[Step]:
    return list(predict(checkpoint, Session(), inputs))


def test_run_shows_frames_while_they_are_made_and_then_the_result(checkpoint: Checkpoint, inputs: PersonInputs) -> None:
    first, *others, shown, last = run(checkpoint, inputs)
    assert first.view.status == "Reading the files …"
    live = [step for step in others if not step.view.status.startswith("Reading")]  # that may be said more than once
    assert live
    assert live[0].view.live is not None
    assert live[0].view.live["frame"] == 1
    assert live[0].view.status.startswith("Frame 1 of 7, ")
    assert list(live[0].view.live["pictures"]) == ["prediction", "pose", "truth"]
    assert shown.view.sheets is not None
    assert shown.downloads is None
    assert last.view.phase == "done"
    assert last.downloads is not None


def test_result_has_every_frame_and_its_psnr(checkpoint: Checkpoint, inputs: PersonInputs) -> None:
    *_, last = run(checkpoint, inputs)
    view, made = last.view, last.downloads
    assert made is not None
    assert made.psnr is not None
    assert view.sheets is not None
    assert (view.total, view.width, view.height, len(view.psnr)) == (7, 32, 16, 7)
    sheet = np.array(Image.open(view.sheets["prediction"][0]))
    truth = np.array(Image.open(view.sheets["truth"][0]))
    assert np.array_equal(sheet[:, :32], truth[:, :32])  # frame 0 is the given one
    error = ((sheet[:, 32:64] / 255.0 - truth[:, 32:64] / 255.0) ** 2).mean()
    assert view.psnr[0] == pytest.approx(-10 * np.log10(error), abs=1e-3)
    assert view.mean == pytest.approx(np.mean(view.psnr))
    assert f"mean PSNR {view.mean:.2f} dB" in view.status
    assert len(made.psnr.read_text().splitlines()) == 8


def test_without_truth_there_is_no_psnr(checkpoint: Checkpoint, inputs: PersonInputs) -> None:
    *_, last = run(checkpoint, replace(inputs, truth=()))
    assert last.view.tracks == ("prediction", "pose")
    assert last.view.psnr == ()
    assert last.view.mean is None
    assert last.downloads is not None
    assert last.downloads.psnr is None


def test_stop_keeps_what_is_made(checkpoint: Checkpoint, inputs: PersonInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction, "LIVE_INTERVAL", 0.0)
    session = Session()
    for step in predict(checkpoint, session, inputs):
        if step.view.live and step.view.live["frame"] == 3:
            session.stop = True
        last = step
    assert last.view.status.startswith("Stopped after 3 of 7 frames, mean PSNR ")
    assert len(last.view.psnr) == 3
    assert last.downloads is not None
    assert len(read_clip(last.downloads.mp4).frames) == 4


def test_time_limit_ends_a_run_with_what_it_has(
    checkpoint: Checkpoint, inputs: PersonInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction, "MAX_SECONDS", 0.0)
    *_, last = run(checkpoint, inputs)
    assert last.view.status.startswith("Stopped after 1 of 7 frames: a run may take 0 s, mean PSNR ")


def test_session_is_free_again_when_the_page_is_closed(checkpoint: Checkpoint, inputs: PersonInputs) -> None:
    session = Session()
    steps = predict(checkpoint, session, inputs)
    next(steps), next(steps)
    assert session.running
    steps.close()  # type: ignore[attr-defined]
    assert not session.running


def test_resized_input_is_told(checkpoint: Checkpoint, inputs: PersonInputs, tmp_path: Path) -> None:
    large = sorted(write_pictures(tmp_path / "large", moving_square(8, 32, 64)[1]).iterdir())
    *_, last = run(checkpoint, replace(inputs, poses=large))
    assert any("64x32" in note for note in last.view.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first_frame": None}, "There is no first frame, and the poses are skeletons on white; expected a picture"),
        ({"retarget": 1}, "retarget is true or false; got 1"),
        ({"poses": []}, "no poses"),
        ({"sample": "best"}, "sample is one of prior, mean; got 'best'"),
        ({"seed": -1}, "seed is a whole number"),
        ({"seed": "x"}, "seed is a whole number"),
        ({"seed": float("nan")}, "seed is a whole number"),
        ({"seed": 0.5}, "seed is a whole number from 0 to 4294967295; got 0.5"),
        ({"seed": True}, "seed is a whole number from 0 to 4294967295; got True"),
        ({"seed": None}, "seed is a whole number"),
        ({"seed": 2**32}, "seed is a whole number"),
        ({"seed": "x" * 10_000}, r"got 'xxx[x.]{0,30}xxx'\.$"),
        ({"fps": True}, "frame rate is 1 to 60"),
        ({"fps": 0.5}, "frame rate is 1 to 60"),
        ({"fps": None}, "frame rate is 1 to 60"),
        ({"fps": 1000}, "frame rate is 1 to 60"),
    ],
)
def test_wrong_input_is_refused_with_a_sentence(
    checkpoint: Checkpoint, inputs: PersonInputs, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(checkpoint, replace(inputs, **change))


def test_frame_rate_is_that_which_the_user_asks_for(checkpoint: Checkpoint, inputs: PersonInputs) -> None:
    *_, last = run(checkpoint, replace(inputs, fps=7))
    assert last.view.fps == 7
    assert last.downloads is not None
    assert read_clip(last.downloads.mp4).fps == pytest.approx(7, abs=0.1)


def test_seed_decides_a_random_video(checkpoint: Checkpoint, inputs: PersonInputs) -> None:
    def psnr(seed: int) -> tuple[float, ...]:
        *_, last = run(checkpoint, replace(inputs, sample="prior", seed=seed))
        return last.view.psnr

    assert psnr(1) == psnr(1) != psnr(2)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, inputs: PersonInputs) -> Poses:
    """The poses are found in a video of somebody who stands straight and comes nearer, which takes a while."""
    points = np.zeros((8, 23, 3))
    for joint, y in ((0, 4), (7, 8), (8, 9), (9, 10), (10, 12)):
        points[:, joint] = (16, y, 1)
    points[4:, :, :2] *= 1.1
    found = Poses(
        title="a video of a person",
        content=Keypoints(points=points, canvas=(16, 32), fps=12.5, notes=("Somebody is there.",)),
        video=moving_square(8)[0],
    )

    def read(*_: Any, size: tuple[int, int], watch: Any) -> Poses:
        for frame in range(20):
            watch(frame + 1, 20)
            time.sleep(0.002)
        return found

    monkeypatch.setattr(session, "read_poses", read)
    return found


def skeletons(last: Step) -> np.ndarray:
    """The first pose that the network got."""
    assert last.view.sheets is not None
    return np.array(Image.open(last.view.sheets["pose"][0]))[: last.view.height, : last.view.width]


def test_video_of_a_person_brings_first_frame_truth_and_rate(
    checkpoint: Checkpoint, inputs: PersonInputs, person: Poses
) -> None:
    steps = run(checkpoint, replace(inputs, first_frame=None, truth=()))
    view = steps[-1].view
    assert any(step.view.status.startswith("Reading: frame ") for step in steps)
    assert view.sheets is not None
    assert person.video is not None
    assert np.array_equal(np.array(Image.open(view.sheets["truth"][0]))[:16, :32], person.video[0])
    assert (len(view.psnr), view.fps, view.notes) == (7, 12.5, ("Somebody is there.",))


def test_poses_of_a_person_are_fitted_to_the_first_frame_unless_that_is_unwanted(
    checkpoint: Checkpoint, inputs: PersonInputs, person: Poses, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(person.content, Keypoints)
    smaller = person.content.points[0] * [1, 0.5, 1]
    monkeypatch.setattr(request, "find_person", lambda _: smaller)
    *_, fitted = run(checkpoint, replace(inputs, truth=()))
    *_, kept = run(checkpoint, replace(inputs, truth=(), retarget=False))
    assert np.array_equal(skeletons(kept), draw_skeleton(person.content.points[0], (16, 32)))
    assert not np.array_equal(skeletons(fitted), skeletons(kept))
    low, high = np.flatnonzero((skeletons(fitted) < 250).any(axis=(1, 2)))[[0, -1]]
    assert (low, high) == pytest.approx((2, 6), abs=1)
    assert fitted.view.psnr == ()


def test_stop_ends_the_search_for_the_person(checkpoint: Checkpoint, inputs: PersonInputs, person: Poses) -> None:
    session = Session()
    for step in predict(checkpoint, session, replace(inputs, first_frame=None)):
        session.stop = "Reading: frame" in step.view.status
        last = step
    assert (last.view.phase, last.view.status) == ("idle", "Stopped before the first frame.")
    assert not session.running


def test_a_recurrent_network_begins_with_frames_of_the_video_of_a_person(
    inputs: PersonInputs, person: Poses, tmp_path: Path
) -> None:
    config = robot_config()
    assert isinstance(config.model, SVGConfig)
    options = replace(config.model.options, condition="keypoints")
    told = replace(config.model, options=options, low=(0.0,) * 69, high=(1.0,) * 69, coarsest=(4, 8))
    config = replace(config, model=told, data=DataConfig(height=16, width=32))
    save_checkpoint(tmp_path / "svg", config, random_model(config), {})
    loaded = load_checkpoint(tmp_path / "svg")
    *_, last = run(loaded, replace(inputs, first_frame=None, truth=()))
    assert (last.view.given, last.view.total, last.view.tracks) == (2, 6, ("prediction", "pose", "truth"))
    with pytest.raises(InputError, match="begins with 2 frames of the person, and one was given"):
        run(loaded, inputs)
