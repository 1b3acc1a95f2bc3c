"""Bundled examples: finding them, and the cards that start them by one click.

Of a person each is a folder with one file each of `first_frame.*`, `poses.*` and, if it is known, `truth.*`, of any
kind that an upload may have; of a robot, a trajectory in the lab's layout. The folders' order is the cards' order; a
number in front of the name ("1-red-shirt") sorts them and is not shown.
"""

import base64
import html
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from cvae.errors import InputError
from cvae.pictures import is_stretched, read_picture
from web.handling import page_error
from web.results import new_folder
from web.session import Session

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
    """Something to try the model on."""

    title: str
    picture: Path
    """On its card."""
    inputs: tuple[list[Path], list[Path], list[Path]]
    """The files of the three inputs; of the last, the truth, perhaps none."""


def find_dancers(folder: Path) -> list[Example]:
    """The examples of persons in `folder`; none where there is no such folder.

    Raises:
        InputError: If one lacks its first frame or its poses.
    """
    return _find(folder, _read_dancer)


def find_robots(folder: Path, past_frames: int) -> list[Example]:
    """The examples of robots in `folder`, with as many given frames as the network needs; none where there is none.

    Raises:
        InputError: If one lacks its tables or enough frames.
    """
    return _find(folder, lambda place: _read_robot(place, past_frames))


def _find(folder: Path, read: Callable[[Path], Example]) -> list[Example]:
    return [read(place) for place in sorted(folder.glob("*")) if place.is_dir()]


def _title(place: Path) -> str:
    return re.sub(r"^\d+[-_ ]", "", place.name).replace("-", " ").replace("_", " ").capitalize()


def _read_dancer(place: Path) -> Example:
    first_frame, poses, truth = (sorted(place.glob(f"{part}.*"))[:1] for part in ("first_frame", "poses", "truth"))
    if not first_frame or not poses:
        raise InputError(f"The example {place.name} lacks first_frame.png or its poses.")
    return Example(title=_title(place), picture=first_frame[0], inputs=(first_frame, poses, truth))


def _read_robot(place: Path, past_frames: int) -> Example:
    frames = sorted(place.glob("*.png"), key=lambda path: (len(path.name), path.name))
    tables = sorted(place.glob("*.csv"))
    if len(tables) != 2 or len(frames) <= past_frames:
        raise InputError(f"The example {place.name} lacks actions.csv, endeffector_positions.csv or enough frames.")
    return Example(title=_title(place), picture=frames[0], inputs=(frames[:past_frames], tables, frames))


def fitting(examples: Sequence[Example], size: tuple[int, int]) -> list[Example]:
    """Those whose picture has the shape of a model's frames, height and width; others would be stretched."""
    return [example for example in examples if not is_stretched(read_picture(example.picture).shape[:2], size)]


def clicked(examples: Sequence[Example], session: Session, index: Any) -> tuple[list[Path], list[Path], list[Path]]:
    """The files of a clicked example, in Gradio's cache, the only place from which the browser may have them.

    Raises:
        gr.Error: If it is none, or something runs.
    """
    if session.running:
        raise page_error("A prediction is running; stop it first, or wait for its end.")
    if not isinstance(index, int) or not 0 <= index < len(examples):
        raise page_error("There is no such example.")
    folder = new_folder()
    first, second, truth = ([Path(shutil.copy(path, folder)) for path in files] for files in examples[index].inputs)
    return first, second, truth


def build_cards(examples: Sequence[Example], heading: str, elem_id: str) -> gr.HTML:
    """A heading, and one button per example; a click is the event `pick`, whose data has the `index`."""
    gr.HTML(f"<h2>{html.escape(heading)}</h2>", elem_classes="examples-title")
    cards = [
        CARD.format(
            index=index,
            title=html.escape(example.title),
            picture=base64.b64encode(example.picture.read_bytes()).decode(),
        )
        for index, example in enumerate(examples)
    ]
    return gr.HTML(
        f'<div class="examples">{"".join(cards)}</div>',
        css_template=CSS,
        js_on_load=JAVASCRIPT,
        apply_default_css=False,
        elem_id=elem_id,
    )
