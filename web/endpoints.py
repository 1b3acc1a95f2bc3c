"""What programs call: the endpoints `/generate` and `/generate_robot`; their components are on no one's page."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from cvae.checkpoint import Checkpoint
from web import person_tab, robot_tab
from web.handling import MODEL_QUEUE
from web.prediction import Step
from web.session import Session

Answer = tuple[str, str, str | None, dict[str, Any]]
"""Paths of the GIF, the MP4 and the PSNR, and a summary."""


def answer(steps: Iterator[Step]) -> Answer:
    """A whole video at once."""
    *_, last = steps
    view, made = last.view, last.downloads
    assert made is not None
    summary = {"frames": view.total, "fps": view.fps, "mean_psnr": view.mean, "psnr": view.psnr, "notes": view.notes}
    return str(made.gif), str(made.mp4), str(made.psnr) if made.psnr else None, summary


def add_person_endpoint(checkpoint: Checkpoint) -> None:
    """The endpoint `/generate`."""

    def generate(
        first_frame: Any,
        poses: Any,
        truth: Any = None,
        sample: Any = "mean",
        seed: Any = 0,
        retarget: Any = True,
        fps: Any = 0,
    ) -> Answer:
        """Predict the video of a person who takes the given poses.

        `poses` is one file: a video of a person, skeletons (a zip of pictures, a GIF, a video; on white or COCO-18 on
        black) or key points (a zip of OpenPose JSON, one JSON list, a .npz). `first_frame` is a picture that the first
        pose belongs to; None takes the first frame of the video of a person. `truth`, the real video in any of these
        forms, adds the PSNR of every frame; it is known where the video brought the first frame. `sample` is "mean"
        for the most likely video or "prior" for a random one, which `seed` decides. `retarget` fits poses from a video
        to the person of another first frame. `fps` is the frame rate, 0 for that of the poses. Back come the video as
        GIF and as MP4, the PSNR as CSV (None without a truth), and frames, fps, mean_psnr, psnr and notes.
        """
        files = (first_frame, poses, truth)
        return answer(person_tab.on_generate(checkpoint, Session(), *files, sample, seed, fps, retarget))

    fitted = _hidden(gr.Checkbox, "Fit the poses to the person of the first frame", value=True)
    inputs = [*map(_file, ("First frame", "Poses", "Ground truth")), *_sampling(checkpoint), fitted, _rate()]
    _add(generate, inputs, "generate")


def add_robot_endpoint(checkpoint: Checkpoint) -> None:
    """The endpoint `/generate_robot`."""

    def generate_robot(
        frames: Any, actions: Any, truth: Any = None, sample: Any = "mean", seed: Any = 0, fps: Any = 0
    ) -> Answer:
        """Predict the video of a robot that takes the given actions.

        `frames` is one file: a zip of pictures, a GIF or a video with the frames that the video begins with, two or
        more; None takes those that lie beside the actions. `actions` is one file: a CSV with a row for every frame, the
        given ones too, of 4 numbers of the action and 3 of the hand's position; or a zip of a whole trajectory with
        actions.csv, endeffector_positions.csv and 0.png, 1.png, ..., whose frames are then the truth. `truth`, the real
        video, adds the PSNR of every predicted frame. `sample` is "mean" for the most likely video or "prior" for a
        random one, which `seed` decides. `fps` is the frame rate, 0 for that of the frames. Back come the video as GIF
        and as MP4, the PSNR as CSV (None without a truth), and frames, fps, mean_psnr, psnr and notes.
        """
        return answer(robot_tab.on_generate(checkpoint, Session(), frames, actions, truth, sample, seed, fps))

    inputs = [*map(_file, ("Given frames", "Actions", "Ground truth")), *_sampling(checkpoint), _rate()]
    _add(generate_robot, inputs, "generate_robot")


def _hidden(kind: Any, label: str, **options: Any) -> Any:
    return kind(label=label, visible=False, **options)


def _file(label: str) -> Any:
    return _hidden(gr.File, label)


def _sampling(checkpoint: Checkpoint) -> list[Any]:
    sample = _hidden(gr.Radio, "Sample", choices=["mean", "prior"], value=checkpoint.config.sampling.sample)
    return [sample, _hidden(gr.Number, "Seed", value=0, precision=0)]


def _rate() -> Any:
    return _hidden(gr.Number, "Frame rate", value=0)


def _add(function: Callable[..., Answer], inputs: list[Any], name: str) -> None:
    summary = _hidden(gr.JSON, "Summary")
    gr.on(
        triggers=[],
        fn=function,
        inputs=inputs,
        outputs=[*map(_file, ("GIF", "MP4", "PSNR of every frame")), summary],
        api_name=name,
        preprocess=False,
        **MODEL_QUEUE,
    )
