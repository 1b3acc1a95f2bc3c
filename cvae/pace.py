"""From the times at which frames are shown to frames at an even rate."""

import numpy as np

from cvae.errors import InputError

FASTEST = 240
"""Frames per second that a file may claim and be believed; frames of varying distance claim 1000 or 90000."""
SLOWEST = 0.1
"""Frames per second; what is slower is brought to it, since a GIF cannot show a frame for more than 11 minutes."""
_FASTEST_OF_UNEVEN = 60.0
_USUAL = (24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60000 / 1001, 60.0)
# Below a half, so that of two frames equally near to a tick the earlier is shown.
_NEAR = 0.49
# Ticks that a frame may be off at a claimed rate: a mean rate hides one frame left out of a dozen within half a tick.
_BORNE_OUT = 0.3
# Ticks; jitter hides the usual rate that a camera keeps to, while the exact delays of an animation may be of any rate.
_JITTER = 0.005


def check_fps(fps: float | None) -> None:
    """Refuse a rate that nobody can take frames at; None asks for none.

    Raises:
        InputError: It names the option --fps of the commands.
    """
    if fps is not None and not SLOWEST <= fps <= FASTEST:
        raise InputError(f"--fps is {fps:g}; expected {SLOWEST} to {FASTEST} frames per second.")


def usual_rate(shown: np.ndarray, claimed: float | None = None) -> float:
    """The rate of frames that are shown at given times.

    It is the claimed one where the times agree with it; else one whose ticks the frames keep to, though some ticks
    may lack a frame of their own; else that of the median distance, 0.1 to 60.

    Args:
        shown: `(N + 1,)` seconds, never falling: the start of each frame and the end of the last.
        claimed: What the file says, if it says anything.

    Returns:
        Frames per second, at least 0.1.
    """
    steps = np.diff(shown)
    if not (steps > 0).any():
        return claimed or 30.0
    if claimed and np.abs((shown - shown[0]) * claimed - np.arange(len(shown))).max() < _BORNE_OUT:
        return claimed
    step = float(np.median(steps[steps > 0]))
    ticks = np.maximum(1, np.round(steps / step)).sum()
    kept_to = round(float(ticks / (shown[-1] - shown[0])), 6)
    off = (shown - shown[0]) * kept_to
    jitters = np.abs(off - np.round(off)).max() > _JITTER
    for rate in (_usual(kept_to, within=0.01 if jitters else 0), kept_to):
        if SLOWEST <= rate <= FASTEST and (ticks_of_each(shown, rate) >= 1).all():
            return rate
    return max(SLOWEST, min(_FASTEST_OF_UNEVEN, _usual(1 / step, within=0.02)))


def _usual(rate: float, within: float) -> float:
    nearest = min(_USUAL, key=lambda usual: abs(usual - rate))
    return nearest if abs(nearest - rate) <= within * rate else rate


def ticks_of_each(shown: np.ndarray, rate: float) -> np.ndarray:
    """At how many ticks of an even rate each frame is shown, the first tick being the start of the first frame.

    Time stamps may be off by nearly half a tick, or half the median distance of the frames where that is less.

    Args:
        shown: `(N + 1,)` seconds, as above.
        rate: Ticks per second.

    Returns:
        `(N,)` int64: 0 for a frame that is left out, 2 for one that is shown twice.
    """
    position = (shown - shown[0]) * rate
    near = _NEAR * min(1.0, float(np.median(np.diff(position))))
    first = np.ceil(position[:-1] - near)
    end = max(1.0, float(np.round(position[-1])), float(first[-1]))
    return np.diff(np.append(first, end)).astype(np.int64)
