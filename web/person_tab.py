"""The tab of persons: its layout, and which handler answers what."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import gradio as gr

from cvae.checkpoint import BUNDLED, Checkpoint
from cvae.errors import InputError
from web.examples import Example, build_cards, clicked
from web.handling import MODEL_QUEUE, PRIVATE, UNFORESEEN, on_stop, page_error, told
from web.panels import build_result_files, outputs, updates
from web.person_inputs import PersonInputs
from web.person_panel import PersonPanel, build_person_panel
from web.player import build_player, run_failed
from web.poses import show_poses
from web.prediction import Step, predict
from web.session import Session
from web.strip import fault_strip, sentence_strip
from web.uploads import uploaded_files

PLAYER = "player"
PLAYER_HINT = (
    "Click an example below, or give a first frame and poses, or a video of a person alone, then press <b>Generate</b>."
)
EXAMPLES = "Examples: generated dancers"
UNSEEN_EXAMPLES = "Examples: dancers that the model has never seen"
"""The same, as the bundled model sees them."""
WAITING = sentence_strip("Waiting for the model …")
REFUSED = fault_strip("These poses were not looked at: too many people are waiting. Generate will read them.")

logger = logging.getLogger(__name__)


def build_person_tab(checkpoint: Checkpoint, examples: Sequence[Example]) -> None:
    """Lay out the tab, inside of whatever is open."""
    session = gr.State(Session())
    with gr.Row():
        with gr.Column(scale=1, min_width=320):
            panel = build_person_panel(checkpoint)
        with gr.Column(scale=2, min_width=320):
            player = build_player(PLAYER, PLAYER_HINT)
            files = build_result_files()

    def run_and_show(*values: Any) -> Iterator[list[Any]]:
        yield from map(updates, on_generate(checkpoint, *values))

    options = panel.options
    run: dict[str, Any] = {
        "fn": run_and_show,
        "inputs": [session, *panel.files, options.sample, options.seed, options.fps, panel.retarget],
        "outputs": outputs(player, panel.buttons, files),
        **MODEL_QUEUE,
        **PRIVATE,
    }
    failed: dict[str, Any] = {"fn": None, "js": run_failed(PLAYER), **PRIVATE}
    panel.buttons.generate.click(**run).failure(**failed)
    panel.buttons.stop.click(on_stop, session, None, queue=False, **PRIVATE)
    _show_uploaded_poses(checkpoint, session, panel)
    if examples:

        def fill(session: Session, event: gr.EventData) -> list[Any]:
            return on_example(examples, session, event.index)

        heading = UNSEEN_EXAMPLES if checkpoint.name == BUNDLED.name else EXAMPLES
        cards = build_cards(examples, heading, "examples")
        picked = cards.pick(fill, session, [*panel.files, panel.strip], queue=False, **PRIVATE)
        picked.failure(**failed)
        picked.success(**run).failure(**failed)


def _show_uploaded_poses(checkpoint: Checkpoint, session: gr.State, panel: PersonPanel) -> None:
    changed = [panel.poses.upload, panel.poses.delete, panel.poses.clear]
    upload: dict[str, Any] = {"inputs": [session, panel.poses], "trigger_mode": "multiple", **PRIVATE}
    came = gr.on(changed, on_upload, outputs=panel.strip, queue=False, **upload)
    shown = [panel.strip, panel.buttons.stop]
    read = came.success(partial(on_poses, checkpoint), outputs=shown, **upload, **MODEL_QUEUE)
    read.failure(on_unread_poses, panel.strip, panel.strip, queue=False, **PRIVATE)


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

    def work() -> Iterator[Step]:
        picture = uploaded_files(first_frame)
        inputs = PersonInputs(
            first_frame=picture[0] if picture else None,
            poses=uploaded_files(poses),
            truth=uploaded_files(truth),
            sample=sample,
            seed=seed,
            fps=fps,
            retarget=retarget,
        )
        yield from predict(checkpoint, session, inputs)

    yield from told(work)


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
    first_frame, poses, truth = clicked(examples, session, index)
    session.uploaded = poses
    truths = [str(path) for path in truth] or None
    return [str(first_frame[0]), [str(path) for path in poses], truths, gr.HTML(visible=False)]
