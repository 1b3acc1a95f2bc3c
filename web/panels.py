"""What both tabs are made of: options, buttons, and the results on the right."""

import html
from dataclasses import dataclass
from typing import Any

import gradio as gr

from cvae.checkpoint import Checkpoint
from web.prediction import Step

TRUTH = "3. Ground truth (optional)"
TRUTH_HINT = "The real video (a video, a GIF, pictures or a zip) to compare with: adds the PSNR of every frame."


def hint(text: str) -> None:
    """A sentence below an input."""
    gr.HTML(f"<p>{html.escape(text)}</p>", elem_classes="hint", apply_default_css=False)


def upload(label: str, elem_id: str) -> gr.File:
    """A place for files."""
    return gr.File(label=label, file_count="multiple", height=84, elem_id=elem_id, elem_classes="upload")


@dataclass(frozen=True)
class Options:
    """What need not be touched."""

    sample: gr.Radio
    seed: gr.Number
    fps: gr.Number


def build_options(checkpoint: Checkpoint, fps_info: str) -> Options:
    """Lay them out, folded; `fps_info` says what a rate of 0 means."""
    with gr.Accordion("Options", open=False):
        sample = gr.Radio(
            [("Most likely (mean of the prior)", "mean"), ("Random (drawn from the prior)", "prior")],
            value=checkpoint.config.sampling.sample,
            label="Sample",
        )
        with gr.Row():
            seed = gr.Number(0, label="Seed", info="Of a random sample.", precision=0, minimum=0, min_width=100)
            fps = gr.Number(0, label="Frame rate", info=f"1 to 60; 0: {fps_info}.", min_width=100)
    return Options(sample, seed, fps)


@dataclass(frozen=True)
class Buttons:
    """What begins and ends a run."""

    generate: gr.Button
    stop: gr.Button


def build_buttons(prefix: str = "") -> Buttons:
    """Lay them out; `prefix` begins their ids."""
    with gr.Row():
        generate = gr.Button(
            "Generate", variant="primary", min_width=120, elem_id=f"{prefix}generate", elem_classes="begins"
        )
        stop = gr.Button("Stop", variant="stop", interactive=False, min_width=120, elem_id=f"{prefix}stop")
    return Buttons(generate, stop)


@dataclass(frozen=True)
class ResultFiles:
    """What appears when a run is over."""

    row: gr.Row
    gif: gr.Image
    download_gif: gr.DownloadButton
    download_mp4: gr.DownloadButton
    download_psnr: gr.DownloadButton


def build_result_files(prefix: str = "") -> ResultFiles:
    """Lay out the files, hidden at first; `prefix` begins their ids."""
    with gr.Row(visible=False, elem_id=f"{prefix}results") as row:
        gif = gr.Image(
            label="GIF",
            type="filepath",
            height=230,
            interactive=False,
            buttons=["fullscreen"],
            alt_text="The predicted video",
            elem_id=f"{prefix}gif",
            elem_classes="pixels",
        )
        with gr.Column(min_width=200):
            download_gif = gr.DownloadButton("Download GIF", elem_id=f"{prefix}download-gif")
            download_mp4 = gr.DownloadButton("Download MP4", elem_id=f"{prefix}download-mp4")
            download_psnr = gr.DownloadButton("Download PSNR (CSV)", elem_id=f"{prefix}download-psnr")
    return ResultFiles(row, gif, download_gif, download_mp4, download_psnr)


def file_outputs(files: ResultFiles) -> list[Any]:
    """The components of the files, in the order of `file_updates`."""
    return [files.row, files.gif, files.download_gif, files.download_mp4, files.download_psnr]


def file_updates(step: Step) -> list[Any]:
    """What the files of a step change, in the order of `file_outputs`; a step without any hides them."""
    files = step.downloads
    if files is None:
        return [gr.Row(visible=False), *[gr.skip()] * 4]
    gif, mp4, psnr = str(files.gif), str(files.mp4), str(files.psnr) if files.psnr else None
    return [gr.Row(visible=True), gif, gif, mp4, gr.DownloadButton(value=psnr, visible=bool(psnr))]


def outputs(player: gr.HTML, buttons: Buttons, files: ResultFiles) -> list[Any]:
    """The components that a run changes, in the order of `updates`."""
    return [player, buttons.generate, buttons.stop, *file_outputs(files)]


def updates(step: Step) -> list[Any]:
    """What a step of a run changes, in the order of `outputs`.

    Steps that follow each other fast say the same of the buttons: what a step leaves out, Gradio's client also takes
    from the step before if the page has not shown that yet.
    """
    running = step.view.phase == "running"
    buttons = [gr.Button(interactive=not running), gr.Button(interactive=running)]
    return [step.view.payload(), *buttons, *file_updates(step)]
