"""What is the same for everything that users start: who may run when, and how a fault is told."""

import html
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from cvae.errors import InputError
from web.player import PlayerView
from web.prediction import Step
from web.session import Session

MODEL_QUEUE: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "preprocess": False}
UNFORESEEN = "Something went wrong on the server; its log says what."

logger = logging.getLogger(__name__)


def told(work: Callable[[], Iterator[Step]], *, keeps: bool = False) -> Iterator[Step]:
    """What the work yields; what went wrong is shown on the page and ends it.

    Args:
        work: Begins it.
        keeps: Whether the player goes on showing what it shows.
    """

    def fault(sentence: str) -> Step:
        return Step(PlayerView(phase="error", status=sentence, keeps=keeps))

    try:
        yield from work()
    except InputError as error:
        yield fault(str(error))
        raise page_error(error) from None
    except gr.Error as error:  # of ZeroGPU, whose words are for the visitor: no GPU is free, or theirs is used up
        yield fault(error.title)
        raise
    except Exception as error:
        logger.exception("A run failed.")
        yield fault(UNFORESEEN)
        raise page_error(UNFORESEEN) from error


def page_error(message: object) -> gr.Error:
    """What is shown as a toast; the page reads it as HTML, so that file names in it are made harmless."""
    return gr.Error(html.escape(str(message), quote=False), print_exception=False, title="This did not work")


def on_stop(session: Session) -> None:
    """Let a run, a step of steering or a search for poses end after the frame at hand; what a run made is kept."""
    session.stop = True
