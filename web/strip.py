"""What was understood of an uploaded clip: a few of its frames side by side, and what the user should know."""

import html

import numpy as np

from cvae.video import Clip
from web.player import data_url

SHOWN = 10


def clip_strip(clip: Clip, noun: str) -> str:
    """HTML of the strip; `noun` is what a frame of this clip is called ("pose")."""
    count = len(clip.frames)
    picks = np.unique(np.linspace(0, count - 1, num=min(SHOWN, count)).round().astype(int))
    picture = data_url(np.concatenate(list(clip.frames[picks]), axis=1))
    text = f"{count} {noun}{'s' if count > 1 else ''}"
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in clip.notes)
    return f'<img src="{picture}" alt="{text}, from first to last"><p>{text}</p>{notes}'
