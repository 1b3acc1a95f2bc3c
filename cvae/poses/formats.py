"""Which joints the usual programs write, in which order and on which scale, turned into EDN-23 on a canvas."""

import numpy as np

from cvae.poses.skeleton import JOINTS

COCO_18 = (
    *("Nose", "neck", "RSho", "RElb", "RWri", "LSho", "LElb", "LWri", "RHip", "RKnee", "RAnk"),
    *("LHip", "LKnee", "LAnk", "REye", "LEye", "REar", "LEar"),
)
EDN_23 = JOINTS
BODY_25 = (
    *("Nose", "neck", "RSho", "RElb", "RWri", "LSho", "LElb", "LWri", "MidHip", "RHip", "RKnee", "RAnk"),
    *("LHip", "LKnee", "LAnk", "REye", "LEye", "REar", "LEar"),
    *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
)
FORMATS = {len(joints): joints for joints in (COCO_18, EDN_23, BODY_25)}
"""Joint names by their number, which tells the formats apart."""

_NORMALISED_MOST = 2.0  # no body is so small in pixels; normalised joints outside the picture reach perhaps 1.5
_NORMALISED_SHARE = 0.95
_SIGNED_BELOW = -0.15
_SIGNED_SHARE = 0.1


def to_edn(points: np.ndarray) -> np.ndarray:
    """COCO-18, EDN-23 or BODY_25 as EDN-23.

    A joint is missing where its confidence is not above zero, where it lies at (0, 0), as OpenPose writes it,
    or at (-1, -1), as DWPose does, or where a number is not finite. COCO-18 has no mid-hip (it becomes the midpoint
    of both hips, with the lesser confidence) and no toes (they are missing).

    Args:
        points: `(T, K, 3)`, x, y and confidence, K one of 18, 23 and 25.

    Returns:
        float64 `(T, 23, 3)`, all three numbers of a missing joint 0.
    """
    joints = FORMATS[points.shape[1]]
    came = np.where(_is_visible(points)[..., None], points, 0.0).astype(np.float64)
    edn = np.zeros((len(points), len(EDN_23), 3))
    for index, joint in enumerate(EDN_23):
        if joint in joints:
            edn[:, index] = came[:, joints.index(joint)]
    if "MidHip" not in joints:
        hips = edn[:, [EDN_23.index("RHip"), EDN_23.index("LHip")]]
        both = (hips[..., 2] > 0).all(axis=1)
        edn[both, EDN_23.index("MidHip")] = np.append(hips[..., :2].mean(axis=1), hips[..., 2:].min(axis=1), axis=1)[
            both
        ]
    return edn


def _is_visible(points: np.ndarray) -> np.ndarray:
    x, y, confidence = np.moveaxis(points, -1, 0)
    with np.errstate(invalid="ignore"):
        stands_for_missing = (x == y) & ((x == 0) | (x == -1))
        return (confidence > 0) & np.isfinite(points).all(axis=-1) & ~stands_for_missing


def on_canvas(points: np.ndarray, canvas: tuple[float, float] | None) -> tuple[np.ndarray, tuple[float, float] | None]:
    """Points in pixels of a canvas, whatever scale they came on: OpenPose and others write three and name none.

    All visible joints of the whole sequence are looked at together:

    1. Normalised, if at least 95 % of all coordinates lie within [-2, 2]: no body is so small in pixels, and
       single joints guessed far outside the picture do no harm. Otherwise pixels, left as they are.
    2. Normalised to [-1, 1] and not to [0, 1], if no canvas is told (who writes one does not use this scale) and
       at least a tenth of all x, or of all y, lie below -0.15. Measured on dancers placed anywhere in a picture: never
       wrong for [0, 1] while joints lie at most 0.1 outside, and for [-1, 1] in 1 of 20 sequences, of somebody who
       stays in the lower right quarter.

    Args:
        points: `(T, 23, 3)`, missing joints 0.
        canvas: `(H, W)` that the file tells; also of normalised points, which need it for their proportions.

    Returns:
        The points, and the canvas on which they lie: the one told; else (1, 1) for normalised ones, None for pixels.
    """
    visible = points[..., 2] > 0
    places = points[visible, :2]
    if not len(places) or (np.abs(places) <= _NORMALISED_MOST).mean() < _NORMALISED_SHARE:
        return points, canvas
    if canvas is None and ((places < _SIGNED_BELOW).mean(axis=0) >= _SIGNED_SHARE).any():
        places = (places + 1) / 2
    height, width = canvas or (1.0, 1.0)
    points = points.copy()
    points[visible, :2] = places * [width, height]
    return points, (height, width)
