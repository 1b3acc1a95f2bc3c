"""The page: a first frame and poses in, the predicted video out, frame by frame.

`python app.py` serves it on http://127.0.0.1:7860, and serves programs under the name `/generate`. On a Space of the
Hugging Face Hub (where SPACE_ID is set) it serves everybody the model that MODEL_ID names.
"""

from web.gpu import network  # isort: skip  # before all that could touch CUDA

import html
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from cvae.checkpoint import BUNDLED, Checkpoint
from cvae.cli import run_options
from cvae.device import pick_device
from cvae.errors import InputError
from cvae.inputs import LIMITS
from hub.pull import local_checkpoint
from hub.space_folder import MODEL_FILE
from web.examples import Example, build_cards, copy_to_cache, find_examples, fitting
from web.failure import build_failure_page
from web.panels import build_input_panel, build_result_panel, outputs, updates
from web.player import RUN_FAILED, PlayerView
from web.poses import show_poses
from web.prediction import Inputs, Step, predict
from web.session import Session
from web.strip import fault_strip, sentence_strip
from web.theme import CSS, build_theme
from web.uploads import RefuseFileAddresses, uploaded_files

HERE = Path(__file__).parent
MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "preprocess": False}
TITLE = (
    "<h1>Marionette</h1><p>Give a picture of a person and a sequence of poses: the model predicts the video in which "
    'this person takes these poses.</p><p id="model">Model: {model}, {width}x{height} pixels.{note}</p>'
)
EXAMPLES = "Examples: generated dancers"
UNSEEN_EXAMPLES = "Examples: dancers that the model has never seen"
"""The same, as the bundled model sees them."""
UNFORESEEN = "Something went wrong on the server; its log says what."
WAITING = sentence_strip("Waiting for the model …")
REFUSED = fault_strip("These poses were not looked at: too many people are waiting. Generate will read them.")

logger = logging.getLogger(__name__)


def on_space() -> bool:
    """Whether this is a Space of the Hugging Face Hub."""
    return bool(os.environ.get("SPACE_ID"))


def named_model() -> str | None:
    """The model that this installation is there for: MODEL_ID, or what the folder of a Space says."""
    file = HERE / MODEL_FILE
    return os.environ.get("MODEL_ID") or (file.read_text().strip() if file.is_file() else None)


@dataclass(frozen=True)
class Options:
    """Serve the page of a model on this machine."""

    checkpoint: str = field(default_factory=lambda: named_model() or str(BUNDLED))
    """Folder with config.json and model.safetensors, or a model of the Hub as user/name or user/name@revision. The
    environment variable MODEL_ID sets the default."""
    port: int = 7860
    """Where the page is served."""
    host: str = field(default_factory=lambda: "0.0.0.0" if on_space() else "127.0.0.1")
    """Who may open it: 127.0.0.1 for this machine alone, 0.0.0.0 for the whole network."""
    device: str | None = None
    """`cpu` or `cuda`; the GPU where there is one, by default."""


def serve(options: Options) -> None:
    """Load the model, open the page, and stay until Ctrl-C.

    On a Space, and wherever MODEL_ID names the model, nobody reads the terminal: there the page itself tells why the
    model cannot be loaded.

    Raises:
        InputError: If the checkpoint cannot be used, the device is not there or the port is taken.
    """
    check_port(options.host, options.port)
    try:
        page, told = open_page(options)
    except Exception as error:
        if not on_space() and options.checkpoint != named_model():
            raise
        logger.error("The model cannot be loaded.", exc_info=not isinstance(error, InputError))
        reason = str(error) if isinstance(error, InputError) else UNFORESEEN
        page, told = build_failure_page(reason), f"without a model: {reason.removesuffix('.')}"
    launch(page, options.host, options.port)
    print(f"Marionette is ready on http://{options.host}:{options.port} ({told}). Ctrl-C ends it.", flush=True)
    page.block_thread()


def open_page(options: Options) -> tuple[gr.Blocks, str]:
    """The page of the model, and which model that is, in words.

    Raises:
        InputError: If the checkpoint cannot be used or the device is not there.
    """
    device = pick_device(options.device)
    fetched = local_checkpoint(options.checkpoint)
    checkpoint = fetched.load().at_full_speed(device)
    size = checkpoint.config.data
    page = build_page(checkpoint, fitting(find_examples(HERE / "examples"), size.size), fetched.note)
    return page, f"{checkpoint.name}, {size.width}x{size.height} pixels, on {device}"


def check_port(host: str, port: int) -> None:
    """Make sure that the page can be served there, before time is spent on loading.

    Raises:
        InputError: If the port is taken, or the host is none of this machine's.
    """
    try:
        socket.create_server((host, port)).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"Port {port} of {host} cannot be used; choose another with --port.") from error


def launch(page: gr.Blocks, host: str, port: int) -> None:
    """Start the server in the background, with every limit that a public page needs."""
    page.queue(max_size=16)
    page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        theme=build_theme(),
        css=CSS,
        footer_links=["api"],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        max_file_size=LIMITS.max_bytes,
        state_session_capacity=1000,
        app_kwargs={"middleware": [Middleware(RefuseFileAddresses)]},
    )


# Handlers ------------------------------------------------------------------------------------------------


def on_generate(
    checkpoint: Checkpoint,
    session: Session,
    first_frame: Any,
    poses: Any,
    truth: Any,
    sample: Any,
    seed: Any,
    fps: Any,
    retarget: Any,
) -> Iterator[Step]:
    """Run the model; what went wrong is shown on the page and ends the run.

    Args:
        checkpoint: Which model.
        session: Whose run; its `stop` ends it.
        first_frame: As the browser sends files: `{"path": ...}`; None if the poses bring their own.
        poses: A list of these.
        truth: A list of these, or None.
        sample: One of `Sampling`.
        seed: A whole number.
        fps: Frames a second, or 0 for those of the poses.
        retarget: Whether poses of another person are fitted to the one in the first frame.
    """
    try:
        picture = uploaded_files(first_frame)
        inputs = Inputs(
            first_frame=picture[0] if picture else None,
            poses=uploaded_files(poses),
            truth=uploaded_files(truth),
            sample=sample,
            seed=seed,
            fps=fps,
            retarget=retarget,
        )
        yield from predict(checkpoint, session, inputs)
    except InputError as error:
        yield Step(PlayerView(phase="error", status=str(error)))
        raise page_error(error) from None
    except gr.Error as error:  # of ZeroGPU, whose words are for the visitor: no GPU is free, or theirs is used up
        yield Step(PlayerView(phase="error", status=error.title))
        raise
    except Exception as error:
        logger.exception("A run failed.")
        yield Step(PlayerView(phase="error", status=UNFORESEEN))
        raise page_error(UNFORESEEN) from error


def on_upload(session: Session, files: Any) -> Any:
    """Take note of other poses, so that a search in those before ends; the strip waits for the model."""
    try:
        session.uploaded = uploaded_files(files)
    except InputError as error:
        raise page_error(error) from None
    return gr.HTML(WAITING, visible=bool(session.uploaded))


def on_poses(checkpoint: Checkpoint, session: Session, files: Any) -> Iterator[list[Any]]:
    """Show what is understood of the poses, or why nothing is; Stop ends a long search.

    Yields:
        What the strip and the button Stop become.
    """
    reading = True
    try:
        for strip, reading in show_poses(session, uploaded_files(files), checkpoint.config.data.size):
            yield [gr.HTML(strip, visible=True), gr.Button(interactive=reading)]
        if reading:  # until other poses came, or none
            yield [gr.skip(), gr.Button(interactive=False)]
    except InputError as error:
        raise page_error(error) from None
    except Exception as error:
        logger.exception("Poses could not be read.")
        yield [gr.HTML(fault_strip(UNFORESEEN), visible=True), gr.Button(interactive=False)]
        raise page_error(UNFORESEEN) from error


def on_unread_poses(strip: str) -> str:
    """Say so where the reading of poses did not even begin: the queue was full."""
    return REFUSED if strip == WAITING else strip


def on_example(examples: Sequence[Example], session: Session, index: Any) -> list[Any]:
    """The clicked example as values of first frame, poses, ground truth and the strip of poses."""
    if session.running:
        raise page_error("A prediction is running; stop it first, or wait for its end.")
    if not isinstance(index, int) or not 0 <= index < len(examples):
        raise page_error("There is no such example.")
    example = copy_to_cache(examples[index])
    session.uploaded = [example.poses]
    truth = [str(example.truth)] if example.truth else None
    return [str(example.first_frame), [str(example.poses)], truth, gr.HTML(visible=False)]


def on_stop(session: Session) -> None:
    """Let a run or a search for poses end after the frame at hand; what is made is kept."""
    session.stop = True


def on_api(
    checkpoint: Checkpoint, first_frame: Any, poses: Any, truth: Any, sample: Any, seed: Any, retarget: Any, fps: Any
) -> tuple[str, str, str | None, dict[str, Any]]:
    """Predict a whole video at once, for programs."""
    *_, last = on_generate(checkpoint, Session(), first_frame, poses, truth, sample, seed, fps, retarget)
    view, made = last.view, last.downloads
    assert made is not None
    summary = {"frames": view.total, "fps": view.fps, "mean_psnr": view.mean, "psnr": view.psnr, "notes": view.notes}
    return str(made.gif), str(made.mp4), str(made.psnr) if made.psnr else None, summary


def page_error(message: object) -> gr.Error:
    """What is shown as a toast; the page reads it as HTML, so that file names in it are made harmless."""
    return gr.Error(html.escape(str(message), quote=False), print_exception=False, title="This did not work")


# The page ------------------------------------------------------------------------------------------------


def build_page(checkpoint: Checkpoint, examples: Sequence[Example], note: str | None = None) -> gr.Blocks:
    """Lay out the page and say which handler answers what.

    Args:
        checkpoint: Which model.
        examples: What a click starts.
        note: What visitors must know of the model.
    """
    network(checkpoint)
    with gr.Blocks(title="Marionette", analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        session = gr.State(Session())
        gr.HTML(title(checkpoint, note), elem_id="title")
        with gr.Row():
            with gr.Column(scale=1, min_width=320):
                given = build_input_panel(checkpoint)
            with gr.Column(scale=2, min_width=320):
                results = build_result_panel()

        def run_and_show(*values: Any) -> Iterator[list[Any]]:
            yield from map(updates, on_generate(checkpoint, *values))

        files = [given.first_frame, given.poses, given.truth]
        run: dict[str, Any] = {
            "fn": run_and_show,
            "inputs": [session, *files, given.sample, given.seed, given.fps, given.retarget],
            "outputs": outputs(given, results),
            **MODEL_QUEUE,
            **PRIVATE,
        }
        failed: dict[str, Any] = {"fn": None, "js": RUN_FAILED, **PRIVATE}
        given.generate.click(**run).failure(**failed)
        given.stop.click(on_stop, session, None, queue=False, **PRIVATE)
        changed = [given.poses.upload, given.poses.delete, given.poses.clear]
        upload: dict[str, Any] = {"inputs": [session, given.poses], "trigger_mode": "multiple", **PRIVATE}
        came = gr.on(changed, on_upload, outputs=given.strip, queue=False, **upload)
        read = came.success(partial(on_poses, checkpoint), outputs=[given.strip, given.stop], **upload, **MODEL_QUEUE)
        read.failure(on_unread_poses, given.strip, given.strip, queue=False, **PRIVATE)
        if examples:

            def fill(session: Session, event: gr.EventData) -> list[Any]:
                return on_example(examples, session, event.index)

            heading = UNSEEN_EXAMPLES if checkpoint.name == BUNDLED.name else EXAMPLES
            gr.HTML(f"<h2>{heading}</h2>", elem_id="examples-title")
            picked = build_cards(examples).pick(fill, session, [*files, given.strip], queue=False, **PRIVATE)
            picked.failure(**failed)
            picked.success(**run).failure(**failed)
        page.load(lambda: None, queue=False, **PRIVATE)  # a session's first event costs 0.5 s: before the first click
        add_endpoint(checkpoint)
    return page


def title(checkpoint: Checkpoint, note: str | None) -> str:
    """What stands above everything, as HTML."""
    size, said = checkpoint.config.data, f" {html.escape(note)}" if note else ""
    return TITLE.format(model=html.escape(checkpoint.name), width=size.width, height=size.height, note=said)


def add_endpoint(checkpoint: Checkpoint) -> None:
    """The endpoint `/generate` for programs; its components are on no one's page."""

    def generate(
        first_frame: Any,
        poses: Any,
        truth: Any = None,
        sample: Any = "mean",
        seed: Any = 0,
        retarget: Any = True,
        fps: Any = 0,
    ) -> tuple[str, str, str | None, dict[str, Any]]:
        """Predict the video of a person who takes the given poses.

        `poses` is one file: a video of a person, skeletons (a zip of pictures, a GIF, a video; on white or COCO-18 on
        black) or key points (a zip of OpenPose JSON, one JSON list, a .npz). `first_frame` is a picture that the first
        pose belongs to; None takes the first frame of the video of a person. `truth`, the real video in any of these
        forms, adds the PSNR of every frame; it is known where the video brought the first frame. `sample` is "mean"
        for the most likely video or "prior" for a random one, which `seed` decides. `retarget` fits poses from a video
        to the person of another first frame. `fps` is the frame rate, 0 for that of the poses. Back come the video as
        GIF and as MP4, the PSNR as CSV (None without a truth), and frames, fps, mean_psnr, psnr and notes.
        """
        return on_api(checkpoint, first_frame, poses, truth, sample, seed, retarget, fps)

    def hidden(kind: Any, label: str, **options: Any) -> Any:
        return kind(label=label, visible=False, **options)

    gr.on(
        triggers=[],
        fn=generate,
        inputs=[
            hidden(gr.File, "First frame"),
            hidden(gr.File, "Poses"),
            hidden(gr.File, "Ground truth"),
            hidden(gr.Radio, "Sample", choices=["mean", "prior"], value=checkpoint.config.sampling.sample),
            hidden(gr.Number, "Seed", value=0, precision=0),
            hidden(gr.Checkbox, "Fit the poses to the person of the first frame", value=True),
            hidden(gr.Number, "Frame rate", value=0),
        ],
        outputs=[
            hidden(gr.File, "GIF"),
            hidden(gr.File, "MP4"),
            hidden(gr.File, "PSNR of every frame"),
            hidden(gr.JSON, "Summary"),
        ],
        api_name="generate",
        preprocess=False,
        **MODEL_QUEUE,
    )


if __name__ == "__main__":
    run_options(serve, "python app.py", sys.argv[1:])
