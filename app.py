"""The page: a person's first frame and poses, or a robot's first frames and actions in, the predicted video out.

`python app.py` serves it on http://127.0.0.1:7860, and serves programs under the names `/generate` and
`/generate_robot`. On a Space of the Hugging Face Hub (where SPACE_ID is set) it serves everybody the model that
MODEL_ID names.
"""

from web.gpu import network  # isort: skip  # before all that could touch CUDA

import logging
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from cvae.checkpoint import BUNDLED, BUNDLED_ROBOT
from cvae.cli import run_options
from cvae.device import pick_device
from cvae.errors import InputError
from cvae.inputs import LIMITS
from hub.pull import local_checkpoint
from hub.space_folder import MODEL_FILE
from web.endpoints import add_person_endpoint, add_robot_endpoint
from web.examples import find_dancers, find_robots, fitting
from web.failure import build_failure_page
from web.handling import PRIVATE, UNFORESEEN
from web.person_tab import build_person_tab
from web.robot_tab import build_robot_tab
from web.served import Served
from web.theme import CSS, build_theme
from web.title import title
from web.uploads import RefuseFileAddresses

HERE = Path(__file__).parent
DANCERS, ROBOTS = HERE / "examples" / "dancers", HERE / "examples" / "robots"

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
    """Serve the page on this machine."""

    checkpoint: str = field(default_factory=lambda: named_model() or str(BUNDLED))
    """Folder with config.json and model.safetensors, or a model of the Hub as user/name or user/name@revision. It takes
    the place of the bundled model of its kind, for persons or for robots. The environment variable MODEL_ID sets the
    default, and leaves the other kind away."""
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
    """The page of the models, and which these are, in words.

    Raises:
        InputError: If a checkpoint cannot be used or the device is not there.
    """
    device = pick_device(options.device)
    models = load_models(options.checkpoint, device)
    told = "; ".join(f"{model.name}, {model.width_by_height} pixels" for model in models)
    return build_page(models), f"{told}, on {device}"


def load_models(reference: str, device: str) -> list[Served]:
    """The model that was asked for and, where the page is not there for it alone, the bundled one of the other kind.

    Raises:
        InputError: If a checkpoint cannot be used.
    """
    first = load_model(reference, device)
    other = BUNDLED_ROBOT if first.kind == "person" else BUNDLED
    if on_space() or named_model():
        return [first]
    if not other.is_dir():
        logger.warning("There is no folder %s, and so no second tab for its model.", other)
        return [first]
    return [first, load_model(str(other), device)]


def load_model(reference: str, device: str) -> Served:
    """A model, ready for use.

    Raises:
        InputError: If the checkpoint cannot be used.
    """
    fetched = local_checkpoint(reference)
    return Served(fetched.load().at_full_speed(device), fetched.note)


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


# The page ------------------------------------------------------------------------------------------------


def build_page(models: Sequence[Served]) -> gr.Blocks:
    """Lay out the page of one model, or of one of each kind, in tabs of which the first model's is open."""
    for model in models:
        network(model.checkpoint)
    with gr.Blocks(title="Marionette", analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        gr.HTML(title(models), elem_id="title")
        if len(models) == 1:
            build_tab(models[0])
        else:
            with gr.Tabs(selected=models[0].kind, elem_id="tabs"):
                for model in sorted(models, key=lambda model: model.kind):
                    with gr.Tab(model.kind.capitalize(), id=model.kind):
                        build_tab(model)
        page.load(lambda: None, queue=False, **PRIVATE)  # a session's first event costs 0.5 s: before the first click
        for model in models:
            add_endpoint = add_person_endpoint if model.kind == "person" else add_robot_endpoint
            add_endpoint(model.checkpoint)
    return page


def build_tab(model: Served) -> None:
    """Lay out the inside of a model's tab."""
    checkpoint = model.checkpoint
    network, size = checkpoint.config.model, checkpoint.config.data.size
    with gr.Column(elem_classes="workbench"):
        if model.kind == "robot":
            build_robot_tab(checkpoint, fitting(find_robots(ROBOTS, network.past_frames), size))
        else:
            has_poses = network.condition == "poses"  # the examples' poses are pictures
            build_person_tab(checkpoint, fitting(find_dancers(DANCERS), size) if has_poses else [])


if __name__ == "__main__":
    run_options(serve, "python app.py", sys.argv[1:])
