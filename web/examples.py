"""Bundled examples: finding them, and the cards that start them by one click.

Each is a folder `examples/NAME` with one file each of `first_frame.*`, `poses.*` and, if it is known, `truth.*`,
of any kind that an upload may have. The folders' order is the cards' order; a number in front of the name
("1-red-shirt") sorts them and is not shown.
"""

import base64
import html
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gradio as gr

from cvae.errors import InputError
from cvae.pictures import is_stretched, read_picture
from web.results import new_folder

CARD = """<button type="button" class="example" data-index="{index}">
<img src="data:image/png;base64,{picture}" alt=""><span>{title}</span></button>"""

CSS = """
.examples { display: flex; flex-wrap: wrap; gap: 12px; }
.example { display: flex; flex-direction: column; align-items: center; gap: 8px; padding: 10px 6px; cursor: pointer;
  flex: 1 1 92px; max-width: 200px; font: inherit; color: var(--body-text-color);
  background: var(--background-fill-primary);
  border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg); }
.example:hover { background: var(--background-fill-secondary); border-color: var(--color-accent); }
.example:focus-visible { outline: 2px solid var(--color-accent); outline-offset: 2px; }
.example img { width: 100%; height: auto; max-height: 160px; margin: 0; object-fit: contain;
  image-rendering: pixelated; border-radius: 4px; }
"""

JAVASCRIPT = """
element.addEventListener('click', (event) => {
  const card = event.target.closest('.example');
  if (!card) return;
  if (event.detail) card.blur();  // clicked, not typed: leave the space bar to the player
  trigger('pick', { index: Number(card.dataset.index) });
});
"""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A dancer to try the model on."""

    title: str
    first_frame: Path
    poses: Path
    truth: Path | None


def find_examples(folder: Path) -> list[Example]:
    """The examples in `folder`; none where there is no such folder.

    Raises:
        InputError: If one lacks its first frame or its poses.
    """
    return [_read(place) for place in sorted(folder.glob("*")) if place.is_dir()]


def _read(place: Path) -> Example:
    first_frame, poses, truth = (
        next(iter(sorted(place.glob(f"{part}.*"))), None) for part in ("first_frame", "poses", "truth")
    )
    if first_frame is None or poses is None:
        raise InputError(f"The example {place.name} lacks first_frame.png or its poses.")
    title = re.sub(r"^\d+[-_ ]", "", place.name).replace("-", " ").replace("_", " ").capitalize()
    return Example(title=title, first_frame=first_frame, poses=poses, truth=truth)


def fitting(examples: Sequence[Example], size: tuple[int, int]) -> list[Example]:
    """Those whose first frame has the shape of a model's frames, height and width; others would be stretched."""
    return [example for example in examples if not is_stretched(read_picture(example.first_frame).shape[:2], size)]


def copy_to_cache(example: Example) -> Example:
    """The example with its files in Gradio's cache, the only place from which they may be given to the browser."""
    folder = new_folder()

    def copy(path: Path) -> Path:
        return Path(shutil.copy(path, folder))

    truth = copy(example.truth) if example.truth else None
    return replace(example, first_frame=copy(example.first_frame), poses=copy(example.poses), truth=truth)


def build_cards(examples: Sequence[Example]) -> gr.HTML:
    """One button per example; a click is the event `pick`, whose data has the `index`."""
    cards = [
        CARD.format(
            index=index,
            title=html.escape(example.title),
            picture=base64.b64encode(example.first_frame.read_bytes()).decode(),
        )
        for index, example in enumerate(examples)
    ]
    return gr.HTML(
        f'<div class="examples">{"".join(cards)}</div>',
        css_template=CSS,
        js_on_load=JAVASCRIPT,
        apply_default_css=False,
        elem_id="examples",
    )
