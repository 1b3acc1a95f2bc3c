"""The player: live frames, then prediction, truth and pose or hand in step with a scrubber and a PSNR curve."""

import base64
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import gradio as gr
import numpy as np
from gradio.data_classes import FileData
from PIL import Image

FOLDER = Path(__file__).parent
Track = Literal["prediction", "truth", "pose", "hand"]


@dataclass(frozen=True, kw_only=True)
class PlayerView:
    """All that the player shows at one moment; `player.js` reads it as JSON."""

    phase: Literal["idle", "running", "done", "error"] = "idle"
    """What the page is at; sets colours only."""
    status: str = ""
    """The line above the stage."""
    notes: tuple[str, ...] = ()
    """What the user should know about the input."""
    run: str = ""
    """Another word for every run, so that the player knows when to start afresh."""
    tracks: tuple[Track, ...] = ()
    """The pictures side by side."""
    width: int = 0
    """Width W of a frame in pixels."""
    height: int = 0
    """Height H of a frame in pixels."""
    fps: float = 0.0
    """Frames a second when playing."""
    given: int = 1
    """How many frames are given; they come first, frame 0 the first of them."""
    total: int = 0
    """How many frames are predicted after those."""
    live: dict[str, Any] | None = None
    """From `live_frame`: the newest frame of a run."""
    psnr: tuple[float, ...] = ()
    """dB of the predicted frames, as far as they are made."""
    mean: float | None = None
    """Mean of `psnr` when the run is over."""
    sheets: dict[Track, list[str]] | None = None
    """Paths of the sprite sheets of every track when the run is over."""
    columns: int = 0
    """Frames side by side in a sprite sheet."""
    per_sheet: int = 0
    """Frames in a sprite sheet; the last one may hold fewer."""
    hand: dict[str, Any] | None = None
    """From `hand_path`: where a robot's hand is."""
    at: int | None = None
    """The frame to stop at when the sheets have come; None plays from the beginning."""
    keeps: bool = False
    """Whether all but phase and status stays as the player shows it, whatever else is said here."""

    def payload(self) -> dict[str, Any]:
        """The view as gr.HTML takes it, its files marked so that Gradio serves them."""
        value = asdict(self)
        if self.sheets is not None:
            value["sheets"] = {
                track: [FileData(path=path).model_dump() for path in paths] for track, paths in self.sheets.items()
            }
        return value


def build_player(elem_id: str, hint: str) -> gr.HTML:
    """The component; its value is a `PlayerView.payload()`.

    Args:
        elem_id: Of the page's element.
        hint: What to do so that something is shown, as HTML.
    """
    return gr.HTML(
        PlayerView().payload(),
        html_template=(FOLDER / "player.html").read_text().replace("HINT", hint),
        css_template=(FOLDER / "player.css").read_text(),
        js_on_load="".join((FOLDER / name).read_text() for name in ("drawing.js", "hand.js", "player.js")),
        apply_default_css=False,
        elem_id=elem_id,
    )


def run_failed(elem_id: str) -> str:
    """What the page tells this player when a run failed, be it before the run could say so itself: the queue was full.

    JavaScript, for an event.
    """
    return f"() => {{ document.dispatchEvent(new CustomEvent('run-failed', {{ detail: '{elem_id}' }})); }}"


def live_frame(frame: int, pictures: dict[Track, np.ndarray]) -> dict[str, Any]:
    """Frame number `frame` of every track, each picture `(H, W, 3)` uint8, for `PlayerView.live`."""
    return {"frame": frame, "pictures": {track: data_url(picture) for track, picture in pictures.items()}}


def data_url(picture: np.ndarray) -> str:
    """A picture, `(H, W, 3)` uint8, as a lossless PNG inside a URL."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
