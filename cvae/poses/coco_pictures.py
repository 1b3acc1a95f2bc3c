"""Key points read back from pictures: COCO-18 skeletons on black, as ControlNet and DWPose draw them.

A limb is 60 % as bright as a joint and both carry their number as hue, so each coloured pixel says what it belongs to.
Discs of bright pixels and the ends of segments of dim ones are candidates for the joints; the choice among them is
the one whose limbs are really drawn, found exactly since the skeleton is a tree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cvae.errors import InputError
from cvae.inputs import quoted

JOINT_COUNT = 18
LIMBS = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17)),
)
"""A tree from the neck on: the joint nearer to it comes first. Limb i and joint i have the hue of i * 20 degrees."""

_LEAST_VALUE = 60  # darker is ground
_LEAST_SATURATION, _WHITE_SATURATION = 150, 60
_DISC_VALUE = 175  # between a limb, 153 (170 with the colours of a GIF), and a disc, 255
_SMOOTH_DISC_VALUE = 157  # a GIF has bright dots within limbs
_THIN = 3
_MOST_PAINTED = 0.3  # of a picture; skeletons take 0.01 to 0.15
_FACE_AREA = 20  # at least, of the white dots together, in squares of the radius
_NOSE, _NECK, _LEFT_HIP, _LEFT_KNEE, _LEFT_ANKLE = 0, 1, 11, 12, 13
_READABLE_JOINTS = 4
_READABLE_SHARE = 0.1
# What a candidate is worth, next to 1 for a whole disc and 1 or 2 for a limb that is drawn from end to end.
_COST = 0.4
_NEAR_LAST = 0.35
_FACE, _MEETING = 0.8, 0.1
_PAIRS = np.random.default_rng(0).random((20, 2))  # of pixels through which lines are tried
_ALONG = np.linspace(0.15, 0.85, 12)  # where a limb is probed: between its discs
_BLACK, _OTHER = -1000, 1000  # where the map of hues has none


@dataclass(frozen=True, kw_only=True)
class _Paint:
    """What is coloured in a picture; points are x and y, hues half degrees."""

    hues: np.ndarray
    """`(H, W)`, `_BLACK` or `_OTHER` where there is none."""
    discs: list[np.ndarray]
    """`(N, 3)` for each hue: bright pixels, x and y, and how well their hue fits, 0 to 1."""
    limbs: list[np.ndarray]
    """`(N, 2)` for each hue: dim pixels away from bright ones."""
    radius: float
    """Of a disc, which is half the width of a limb too."""
    face: np.ndarray | None
    """`(2,)`: the centre of the white dots, which hide the nose among them."""


def read_coco_pictures(frames: Iterable[np.ndarray], name: str) -> np.ndarray:
    """Finds the joints of one person in pictures of skeletons; of several people one is followed.

    Hands and faces may be drawn too, and the pictures may have been compressed. Measured on generated dancers: the
    joints found are off by 0.1 to 0.6 % of the person's height on average at 256 to 1024 pixels a side after H.264
    (crf 23) or GIF, and by up to 2 % where 256 pixels, hands and faces or limbs blended over discs come together.
    Eyes and ears under the white dots of a small face stay missing.

    Args:
        frames: uint8 RGB `(H, W, 3)` each; time grows with the pixels, and 512 a side are enough.
        name: Of what they come from, for messages.

    Returns:
        `(T, 18, 3)`, COCO-18: x and y in pixels and confidence 1, or three zeros for a joint that is not there.

    Raises:
        InputError: If a skeleton is found in none of the pictures, or in nearly none of those that are not black.
    """
    keypoints = []
    drawn = readable = 0
    last = np.zeros((JOINT_COUNT, 3))
    for frame in frames:
        points = np.zeros((JOINT_COUNT, 3))
        keypoints.append(points)
        value = cv2.max(cv2.max(frame[..., 0], frame[..., 1]), frame[..., 2])
        if value.max() <= _LEAST_VALUE:
            continue
        points[:] = _read(frame, value, last)
        last = np.where(points[:, 2:] > 0, points, last)
        drawn += 1
        readable += (points[:, 2] > 0).sum() >= _READABLE_JOINTS
    if not readable or readable < _READABLE_SHARE * drawn:
        raise InputError(
            f"A skeleton was found in {readable} of {len(keypoints)} pictures of {quoted(name)}; expected skeletons of "
            "18 joints (COCO) in rainbow colours on black, as ControlNet and DWPose draw them."
        )
    return np.array(keypoints).reshape(-1, JOINT_COUNT, 3)


def _read(frame: np.ndarray, value: np.ndarray, last: np.ndarray) -> np.ndarray:
    points = np.zeros((JOINT_COUNT, 3))
    paint = _sort_by_hue(frame, value)
    if paint is None:
        return points
    ends = [_fit_limb(pixels, paint.radius) for pixels in paint.limbs]
    candidates = [_candidates(joint, ends, paint) for joint in range(JOINT_COUNT)]
    for joint, point in enumerate(_choose(candidates, paint, last)):
        if point is not None:
            points[joint] = *point, 1
    return points


def _sort_by_hue(frame: np.ndarray, value: np.ndarray) -> _Paint | None:
    """None where the ground is not black or nothing has a colour."""
    columns, rows = cv2.findNonZero((value > _LEAST_VALUE).astype(np.uint8))[:, 0].T
    if len(rows) > _MOST_PAINTED * value.size:
        return None
    smooth = cv2.GaussianBlur(frame, (3, 3), 0)  # a GIF's dots and a video's noise have hues of their own
    colors = cv2.cvtColor(smooth[rows, columns][:, None], cv2.COLOR_RGB2HSV)[:, 0]
    map_of_hues = np.full(value.shape, _BLACK, np.int16)
    map_of_hues[rows, columns] = _OTHER
    kept = colors[:, 1] > _LEAST_SATURATION
    if not kept.any():
        return None
    white = (colors[:, 1] < _WHITE_SATURATION) & (colors[:, 2] > _DISC_VALUE)
    face = np.array([columns[white].mean(), rows[white].mean()]) + 0.5 if white.any() else None
    rows, columns, hues = rows[kept], columns[kept], colors[kept, 0].astype(np.int16)
    smooth_value = colors[kept, 2]
    map_of_hues[rows, columns] = hues
    mask = np.zeros(value.shape, np.uint8)
    mask[rows, columns] = 1
    radius = float(np.percentile(cv2.distanceTransform(mask, cv2.DIST_L2, 3)[rows, columns], 97))
    is_disc = value[rows, columns] > _DISC_VALUE
    if radius > _THIN:  # smoothing leaves discs of a thin brush too dim
        is_disc &= smooth_value > _SMOOTH_DISC_VALUE
    mask[rows[~is_disc], columns[~is_disc]] = 0
    is_limb = cv2.dilate(mask, np.ones((3, 3), np.uint8))[rows, columns] == 0
    centres = np.stack([columns, rows], axis=1) + 0.5
    discs, hues_of_discs = centres[is_disc], hues[is_disc]
    limbs, numbers = centres[is_limb], (hues[is_limb] + 5) // 10 % JOINT_COUNT
    return _Paint(
        hues=map_of_hues,
        discs=[_weighted(discs, hues_of_discs, index) for index in range(JOINT_COUNT)],
        limbs=[limbs[numbers == index] for index in range(len(LIMBS))],
        radius=max(radius, 1.0),
        face=face if white.sum() > _FACE_AREA * radius**2 else None,
    )


def _off(hues: np.ndarray, index: int) -> np.ndarray:
    """How far hues are from that of joint or limb `index`, half degrees."""
    return np.abs((hues - 10 * index + 90) % 180 - 90)


def _weighted(points: np.ndarray, hues: np.ndarray, index: int) -> np.ndarray:
    weights = np.clip(2 - _off(hues, index) / 5, 0, 1)
    return np.column_stack([points, weights])[weights > 0.3]


def _fit_limb(pixels: np.ndarray, radius: float) -> np.ndarray | None:
    """The ends `(2, 2)` of the segment along which most pixels of a hue lie."""
    least = 2 * radius**2
    if len(pixels) < max(least, 4):
        return None
    sample = pixels[:: len(pixels) // 200 + 1]
    starts, ends = sample[(_PAIRS * len(sample)).astype(int)].transpose(1, 0, 2)
    across = (ends - starts)[:, ::-1] * (1, -1)
    across /= np.maximum(np.hypot(*across.T), 1e-6)[:, None]
    distance = np.abs(sample @ across.T - (starts * across).sum(axis=1))
    best = int((distance < radius).sum(axis=0).argmax())
    pixels = pixels[np.abs((pixels - starts[best]) @ across[best]) < 1.5 * radius]
    pixels = _longest_run(pixels, pixels @ (across[best][::-1] * (-1, 1)), 2 * radius)
    if len(pixels) < max(least, 4):
        return None
    middle = pixels.mean(axis=0)
    x, y = (pixels - middle).T
    turn = np.arctan2(2 * (x @ y), x @ x - y @ y) / 2
    axis = np.array([np.cos(turn), np.sin(turn)])
    half = 2 * (x * axis[0] + y * axis[1]).std() * axis  # an ellipse reaches twice as far as it deviates
    return np.stack([middle - half, middle + half])


def _longest_run(pixels: np.ndarray, along: np.ndarray, step: float) -> np.ndarray:
    """The pixels of the part along a line that is dense, but for gaps of three steps: other limbs cross it."""
    steps = ((along - along.min()) / step).astype(int)
    counts = np.bincount(steps)
    dense = np.flatnonzero(counts > 0.2 * counts.max())
    runs = np.split(dense, np.flatnonzero(np.diff(dense) > 4) + 1)
    run = max(runs, key=lambda run: counts[run].sum())
    return pixels[(steps >= run[0]) & (steps <= run[-1])]


def _candidates(joint: int, ends: Sequence[np.ndarray | None], paint: _Paint) -> tuple[np.ndarray, np.ndarray]:
    """Where a joint may be, `(N, 2)`, and which part of a disc, 0 to 1, is seen there, `(N,)`."""
    pixels, radius = paint.discs[joint], paint.radius
    fitted = [both for limb, both in zip(LIMBS, ends, strict=True) if joint in limb and both is not None]
    guesses = _densest(pixels, radius) + [end for both in fitted for end in both]
    hints = [0.0] * len(guesses)
    if len(fitted) == 2:  # where they nearly meet; something may hide the joint
        guesses.append(_between(*fitted))
        hints.append(_MEETING)
    if joint == _NOSE and paint.face is not None:
        guesses.append(paint.face)
        hints.append(_FACE)
    if not guesses:
        return np.zeros((0, 2)), np.zeros(0)
    points, seen = _move_to_discs(np.array(guesses), pixels, radius)
    seen = np.maximum(seen, hints)
    apart = ((points[:, None] - points) ** 2).sum(axis=2) > radius**2
    size = np.array(paint.hues.shape[::-1])
    cut = ((points < 2 * radius) | (points > size - 2 * radius)).any(axis=1) & (seen == 0)  # goes on outside
    new = [index for index in range(len(points)) if apart[index, :index].all() and not cut[index]]
    return points[new], seen[new]


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The middle between the nearest ends of two limbs."""
    distances = ((first[:, None] - second) ** 2).sum(axis=2)
    one, other = np.unravel_index(distances.argmin(), (2, 2))
    return (first[one] + second[other]) / 2


def _densest(pixels: np.ndarray, radius: float) -> list[np.ndarray]:
    """Up to three places, none beside another, where most pixels are."""
    places: list[np.ndarray] = []
    pixels, weights = pixels[:, :2], pixels[:, 2]
    while len(pixels) >= radius**2 and len(places) < 3:
        columns, rows = (pixels / (2 * radius)).astype(int).T
        cells = rows * (columns.max() + 1) + columns
        place = pixels[cells == np.bincount(cells, weights).argmax()].mean(axis=0)
        places.append(place)
        far = ((pixels - place) ** 2).sum(axis=1) > (3 * radius) ** 2
        pixels, weights = pixels[far], weights[far]
    return places


def _move_to_discs(points: np.ndarray, pixels: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Moves each point to the centre of the bright pixels around it; where there are too few, it stays."""
    moved = points
    counts = np.zeros(len(points))
    for reach in (3, 2, 1.5) if len(pixels) else ():
        near = (pixels[:, 0] - moved[:, :1]) ** 2 + (pixels[:, 1] - moved[:, 1:]) ** 2 < (reach * radius) ** 2
        weights = near * pixels[:, 2]
        counts = weights.sum(axis=1)
        moved = np.where(counts[:, None] > 0, weights @ pixels[:, :2] / np.maximum(counts, 0.1)[:, None], moved)
    has_disc = counts >= radius**2
    return np.where(has_disc[:, None], moved, points), np.where(has_disc, np.minimum(1, counts / (2 * radius**2)), 0)


def _choose(
    candidates: Sequence[tuple[np.ndarray, np.ndarray]], paint: _Paint, last: np.ndarray
) -> list[np.ndarray | None]:
    """The best choice of candidates, None for missing ones: the sum over its discs and limbs is the largest.

    Where a joint was last (`(18, 3)`) counts too, so that of several people the same one is taken again.
    """
    places = [points for points, _ in candidates]
    scores = []
    for (points, seen), before in zip(candidates, last, strict=True):
        steps = ((points - before[:2]) ** 2).sum(axis=1) / (10 * paint.radius) ** 2
        to_stay = _NEAR_LAST * (1 + (seen > 0)) * before[2] * np.exp(-steps)
        scores.append(np.append(0, seen - _COST + to_stay))  # to be missing comes first
    choices: list[np.ndarray] = []
    for index in reversed(range(len(LIMBS))):
        parent, child = LIMBS[index]
        total = np.tile(scores[child], (len(scores[parent]), 1))
        total[1:, 1:] += _limb_scores(places[parent], places[child], index, paint)
        choices.insert(0, total.argmax(axis=1))
        scores[parent] = scores[parent] + total.max(axis=1)
    chosen = {_NECK: int(scores[_NECK].argmax())}
    for (parent, child), choice in zip(LIMBS, choices, strict=True):
        chosen[child] = int(choice[chosen[parent]])
    if not chosen[_LEFT_HIP] and not chosen[_LEFT_ANKLE]:
        chosen[_LEFT_KNEE] = 0  # but a dot of a hand: they have its colour
    return [places[joint][chosen[joint] - 1] if chosen[joint] else None for joint in range(JOINT_COUNT)]


def _limb_scores(starts: np.ndarray, ends: np.ndarray, index: int, paint: _Paint) -> np.ndarray:
    """`(N, M)`: how well limb `index` is drawn from each start to each end; below 0: it is not."""
    between = starts[:, None, None] + (ends[None, :, None] - starts[:, None, None]) * _ALONG[:, None]
    columns, rows = np.clip(between, 0, np.array(paint.hues.shape[::-1]) - 1).astype(int).transpose(3, 0, 1, 2)
    hues = paint.hues[rows, columns]
    agree = np.where(hues == _BLACK, -1.0, np.where((hues != _OTHER) & (_off(hues, index) <= 7), 1.0, -0.3))
    length = np.hypot(*(ends[None] - starts[:, None]).transpose(2, 0, 1))
    return agree.mean(axis=2) * np.minimum(2, length / (8 * paint.radius))
