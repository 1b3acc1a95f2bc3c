"""What was understood of uploaded poses, as HTML: a few of them side by side, and what the user should know."""

import html

import cv2
import numpy as np

from cvae.inputs import width_by_height
from cvae.poses.keypoints import Keypoints
from cvae.poses.skeleton import draw_skeletons
from cvae.poses.source import Poses
from web.player import data_url
from web.worker import Progress

HEIGHT = 192
"""Of a drawn skeleton in the strip, pixels; the page shows it at half of that or less."""
_THICKER = np.ones((3, 3), np.uint8)
"""Shown small, lines would fade: every pixel takes the darkest around it."""
_MARGIN = 0.1
"""Around key points of which nobody says how large their picture is, in shares of their extent."""


def sentence_strip(sentence: str) -> str:
    """Nothing but a sentence."""
    return f"<p>{html.escape(sentence)}</p>"


def fault_strip(sentence: str) -> str:
    """Why there are no poses."""
    return f'<p class="fault">{html.escape(sentence)}</p>'


def progress_strip(progress: Progress) -> str:
    """How far the reading is."""
    value = "" if progress.share is None else f' value="{progress.share:.3f}"'
    return f'{sentence_strip(progress.sentence)}<progress aria-label="Reading the poses"{value}></progress>'


def poses_strip(came: Poses, size: tuple[int, int]) -> str:
    """A few of the poses, above them the frames in which they were found, and what they were taken for.

    Args:
        came: The poses.
        size: Height and width that the network works at.
    """
    noun = "pose" if came.count == 1 else "poses"
    told = [f"{width_by_height(came.picture)} pixels"] if came.picture else []
    told += [f"{came.fps:.4g} frames a second", f"{came.count / came.fps:.1f} s long"] if came.fps else []
    text = html.escape(f"{came.count} {noun} from {came.title}" + (f" ({', '.join(told)})" if told else ""))
    rows = "" if came.video is None else _row(came.video[_picks(came.count, size)], "Frames of the video")
    if isinstance(came.content, Keypoints):
        rows += _row(_skeletons(came.content, size), text)
    else:
        rows += _row(came.content.frames[_picks(came.count, size)], text)
    return f"{rows}<p>{text}</p>" + "".join(f"<p>{html.escape(note)}</p>" for note in came.notes)


def _row(frames: np.ndarray, text: str) -> str:
    return f'<img src="{data_url(np.concatenate(list(frames), axis=1))}" alt="{text}, from first to last">'


def _picks(count: int, size: tuple[int, int]) -> np.ndarray:
    """Which frames are shown: more of narrow ones, the first and the last among them."""
    most = min(10, max(4, round(7 * size[0] / size[1])))
    return np.unique(np.linspace(0, count - 1, num=min(most, count)).round().astype(int))


def _skeletons(keypoints: Keypoints, size: tuple[int, int]) -> np.ndarray:
    known = keypoints if keypoints.canvas else _in_their_extent(keypoints)
    assert known.canvas is not None
    height, width = size if known.is_normalised else known.canvas
    shown = (HEIGHT, round(HEIGHT * min(8.0, max(1 / 8, width / height))))
    drawn = draw_skeletons(known.at(shown)[_picks(len(known.points), shown)], shown)
    return np.stack([cv2.erode(picture, _THICKER) for picture in drawn])


def _in_their_extent(keypoints: Keypoints) -> Keypoints:
    """On a canvas as large as they need: nobody says which picture they belong to."""
    is_seen = keypoints.points[..., 2:] > 0
    seen = keypoints.points[is_seen[..., 0], :2]
    if not len(seen):
        return Keypoints(points=keypoints.points, canvas=(1, 1))
    low, high = seen.min(axis=0), seen.max(axis=0)
    side = max(1.0, float((high - low).max()))
    extent = np.maximum(high - low, side / 4) + 2 * _MARGIN * side
    shift = (low + high - extent) / 2
    moved = np.where(is_seen, keypoints.points - [*shift, 0], 0)
    return Keypoints(points=moved, canvas=(float(extent[1]), float(extent[0])))
