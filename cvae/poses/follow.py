"""One person over time, out of all that are seen in a sequence."""

from functools import partial

import numpy as np

from cvae.poses.skeleton import JOINTS


def follow(people: list[np.ndarray | None]) -> np.ndarray:
    """Follows one person.

    It is the largest one of the first frame with anybody, and afterwards the one nearest to where it was last seen:
    by the mean distance of the joints that both show, or of their middles if they share none.

    Args:
        people: For each frame EDN-23 key points `(P, 23, 3)`, or None where nobody was seen.

    Returns:
        `(T, 23, 3)`, zeros where nobody was seen.
    """
    followed = np.zeros((len(people), len(JOINTS), 3))
    last: np.ndarray | None = None
    for index, candidates in enumerate(people):
        shown = [person for person in candidates if person.any()] if candidates is not None else []
        if shown:
            last = max(shown, key=_extent) if last is None else min(shown, key=partial(_distance, last))
            followed[index] = last
    return followed


def _extent(person: np.ndarray) -> float:
    return float(np.hypot(*np.ptp(person[person[:, 2] > 0, :2], axis=0)))


def _distance(person: np.ndarray, other: np.ndarray) -> float:
    here, there = person[:, 2] > 0, other[:, 2] > 0
    both = here & there
    if not both.any():
        return float(np.hypot(*(person[here, :2].mean(axis=0) - other[there, :2].mean(axis=0))))
    return float(np.hypot(*(person[both, :2] - other[both, :2]).T).mean())
