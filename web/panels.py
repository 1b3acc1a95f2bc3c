"""The two halves of the page: what the user gives, on the left, and what comes out, on the right."""

import html
from dataclasses import dataclass
from typing import Any

import gradio as gr

from cvae.checkpoint import Checkpoint
from web.player import build_player
from web.prediction import Step

POSES_HINT = (
    "A video of a person, skeletons (on white, or COCO-18 on black) or key points (OpenPose JSON, .npz): files or a "
    "zip. The first pose belongs to the first frame."
)
TRUTH_HINT = "The real video (a video, a GIF, pictures or a zip) to compare with: adds the PSNR of every frame."


@dataclass(frozen=True)
class InputPanel:
    """The inputs and the two buttons."""

    first_frame: gr.Image
    poses: gr.File
    strip: gr.HTML
    retarget: gr.Checkbox
    truth: gr.File
    sample: gr.Radio
    seed: gr.Number
    fps: gr.Number
    generate: gr.Button
    stop: gr.Button


def build_input_panel(checkpoint: Checkpoint) -> InputPanel:
    """Lay out the inputs in the order of their numbers."""
    size = checkpoint.config.data
    with gr.Column(elem_classes="input"):
        first_frame = gr.Image(
            label="1. First frame",
            type="filepath",
            sources=["upload", "webcam", "clipboard"],
            height=200,
            elem_id="first-frame",
        )
        _hint(
            f"It becomes {size.width}x{size.height} pixels (width x height), or, where poses are fitted, its part "
            "around the person: the larger the better. Not needed if the poses come from a video of the person."
        )
    with gr.Column(elem_classes="input"):
        poses = gr.File(label="2. Poses", file_count="multiple", height=84, elem_id="poses")
        _hint(POSES_HINT)
        strip = gr.HTML(visible=False, elem_classes="strip", elem_id="pose-strip")
        retarget = gr.Checkbox(
            True,
            label="Fit the poses to the person of the first frame",
            info="Where they come from a video of another person.",
            container=False,
            elem_id="retarget",
        )
    with gr.Column(elem_classes="input"):
        truth = gr.File(label="3. Ground truth (optional)", file_count="multiple", height=84, elem_id="truth")
        _hint(TRUTH_HINT)
    with gr.Accordion("Options", open=False):
        sample = gr.Radio(
            [("Most likely (mean of the prior)", "mean"), ("Random (drawn from the prior)", "prior")],
            value=checkpoint.config.sampling.sample,
            label="Sample",
        )
        with gr.Row():
            seed = gr.Number(0, label="Seed", info="Of a random sample.", precision=0, minimum=0, min_width=100)
            fps = gr.Number(0, label="Frame rate", info="1 to 60; 0: as the poses.", min_width=100)
    with gr.Row():
        generate = gr.Button("Generate", variant="primary", min_width=120, elem_id="generate")
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=120, elem_id="stop")
    return InputPanel(first_frame, poses, strip, retarget, truth, sample, seed, fps, generate, stop)


def _hint(text: str) -> None:
    gr.HTML(f"<p>{html.escape(text)}</p>", elem_classes="hint", apply_default_css=False)


@dataclass(frozen=True)
class ResultPanel:
    """The player, and below it what appears when a run is over."""

    player: gr.HTML
    files: gr.Row
    gif: gr.Image
    download_gif: gr.DownloadButton
    download_mp4: gr.DownloadButton
    download_psnr: gr.DownloadButton


def build_result_panel() -> ResultPanel:
    """Lay out the player and the files, these hidden at first."""
    player = build_player()
    with gr.Row(visible=False, elem_id="results") as files:
        gif = gr.Image(
            label="GIF",
            type="filepath",
            height=230,
            interactive=False,
            buttons=["fullscreen"],
            alt_text="The predicted video",
            elem_id="gif",
        )
        with gr.Column(min_width=200):
            download_gif = gr.DownloadButton("Download GIF", elem_id="download-gif")
            download_mp4 = gr.DownloadButton("Download MP4", elem_id="download-mp4")
            download_psnr = gr.DownloadButton("Download PSNR (CSV)", elem_id="download-psnr")
    return ResultPanel(player, files, gif, download_gif, download_mp4, download_psnr)


def outputs(inputs: InputPanel, results: ResultPanel) -> list[Any]:
    """The components that a run changes, in the order of `updates`."""
    return [
        results.player,
        inputs.generate,
        inputs.stop,
        results.files,
        results.gif,
        results.download_gif,
        results.download_mp4,
        results.download_psnr,
    ]


def updates(step: Step) -> list[Any]:
    """What a step of a run changes, in the order of `outputs`.

    Steps that follow each other fast say the same of the buttons: what a step leaves out, Gradio's client also takes
    from the step before if the page has not shown that yet.
    """
    player, running, files = step.view.payload(), step.view.phase == "running", step.downloads
    buttons = [gr.Button(interactive=not running), gr.Button(interactive=running)]
    if files is None:
        return [player, *buttons, gr.Row(visible=False), *[gr.skip()] * 4]
    gif, mp4, psnr = str(files.gif), str(files.mp4), str(files.psnr) if files.psnr else None
    return [player, *buttons, gr.Row(visible=True), gif, gif, mp4, gr.DownloadButton(value=psnr, visible=bool(psnr))]
