"""Taking the jitter out of found key points, without lag."""

import numpy as np

WIDTH = 0.04
"""Seconds: one standard deviation of the weights."""


def smooth(points: np.ndarray, times: np.ndarray, pieces: np.ndarray, *, width: float = WIDTH) -> np.ndarray:
    """Puts each joint on a line fitted to its neighbours in time, near ones weighing more.

    A line, and not a mean, so that a joint in steady motion stays where it is, beside a gap and at the ends too.

    Args:
        points: `(T, 23, 3)`: x, y and confidence, which is 0 where a joint is missing.
        times: `(T,)`, seconds, never falling.
        pieces: `(T,)`: neighbours are frames of the same piece; a new one begins where the person was lost.
        width: Standard deviation of the weights, seconds.

    Returns:
        `(T, 23, 3)`, with other x and y; missing joints stay missing and confidences as they are.

    Source: Cleveland 1979, Robust locally weighted regression (JASA 74:829), with Gaussian weights.
    """
    seen = points[..., 2] > 0
    # Sums over the neighbours: of the weights, times the distance in time, times its square; of weighted x and y.
    total, first, second = (np.zeros((*seen.shape, 1)) for _ in range(3))
    place, motion = (np.zeros((*seen.shape, 2)) for _ in range(2))
    reach = _reach(times, 3 * width)
    for offset in range(-reach, reach + 1):
        here = slice(max(0, -offset), len(points) - max(0, offset))
        there = slice(max(0, offset), len(points) - max(0, -offset))
        later = (times[there] - times[here])[:, None, None]
        weight = np.exp(-((later / width) ** 2) / 2) * seen[there, :, None]
        weight = weight * (pieces[there] == pieces[here])[:, None, None]
        total[here] += weight
        first[here] += weight * later
        second[here] += weight * later**2
        place[here] += weight * points[there, :, :2]
        motion[here] += weight * later * points[there, :, :2]
    spread = total * second - first**2
    can_fit = seen[..., None] & (spread > 1e-9 * total**2 * width**2)  # else it is alone
    fitted = (second * place - first * motion) / np.where(can_fit, spread, 1)
    return np.concatenate([np.where(can_fit, fitted, points[..., :2]), points[..., 2:]], axis=-1)


def _reach(times: np.ndarray, seconds: float) -> int:
    """The most frames that lie within `seconds` after one of them."""
    after = np.searchsorted(times, times + seconds, side="right") - 1 - np.arange(len(times))
    return int(after.max(initial=0))
