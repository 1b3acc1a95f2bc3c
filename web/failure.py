"""The page of a server that has no model to show, because it could not be loaded."""

import html
import re
from collections.abc import Generator

import gradio as gr
import numpy as np

from web.gpu import on_gpu

_PAGE = """<h1>Marionette</h1><h2>The model cannot be loaded</h2><p id="reason">{reason}</p>
<p>The owner of this page can put that right and restart it. What to look at: the variable MODEL_ID, which names the
model as user/name or user/name@revision, and, where the model is private or gated, the secret HF_TOKEN.</p>"""
_FOLDERS = re.compile(r"""(?<![^\s"'(])/([^\s"'/]+/)+""")


def build_failure_page(reason: str) -> gr.Blocks:
    """Lay out a page that tells the reason, one sentence, and nothing else."""
    # A ZeroGPU Space in which nothing uses the GPU would be ended.
    on_gpu(_predict_nothing)
    with gr.Blocks(title="Marionette", analytics_enabled=False) as page:
        gr.HTML(failure_text(reason), elem_id="title")
    return page


def failure_text(reason: str) -> str:
    """What stands on that page, as HTML; of a path on this machine just the end."""
    return _PAGE.format(reason=html.escape(_FOLDERS.sub("", reason)))


def _predict_nothing(*_: object) -> Generator[np.ndarray]:
    yield from ()
