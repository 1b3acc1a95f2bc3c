"""The skeleton picture that the model is conditioned on: EDN-23 on white, as in Everybody Dance Now."""

import cv2
import numpy as np

JOINTS = (
    *("neck", "RSho", "RElb", "RWri", "LSho", "LElb", "LWri", "MidHip"),
    *("RHip", "RKnee", "RAnk", "RBigToe", "RSmallToe", "LHip", "LKnee", "LAnk", "LBigToe", "LSmallToe"),
    *("Nose", "REye", "REar", "LEye", "LEar"),
)
OTHER_SIDE = tuple(JOINTS.index({"L": "R", "R": "L"}.get(name[0], name[0]) + name[1:]) for name in JOINTS)
"""Number of the joint that a mirror shows in a joint's place."""
LIMBS = (
    *((0, 1), (1, 2), (2, 3), (0, 4), (4, 5), (5, 6), (0, 7), (7, 8), (8, 9), (9, 10), (10, 11), (10, 12)),
    *((7, 13), (13, 14), (14, 15), (15, 16), (15, 17), (0, 18), (18, 19), (19, 20), (18, 21), (21, 22)),
)
_COLORS_AS_CODED = (
    *((255, 0, 0), (255, 55, 0), (255, 110, 0), (255, 165, 0), (255, 215, 0), (255, 235, 0), (255, 255, 0)),
    *((255, 0, 0), (175, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85), (0, 255, 170)),
    *((25, 25, 128), (0, 85, 255), (0, 170, 255), (0, 212, 255), (0, 255, 255)),
    *((255, 0, 0), (255, 0, 255), (238, 130, 238), (138, 43, 226), (75, 0, 130)),
)
# The published labels were saved with red and blue swapped: the torso is blue.
COLORS = tuple((blue, green, red) for red, green, blue in _COLORS_AS_CODED)
"""RGB of a joint in the saved picture; a limb has the colour of its first joint."""

# Shares of the picture's height.
JOINT_RADIUS = 8 / 1080
LIMB_HALF_WIDTH = 4 / 1080
LIMB_OPACITY = 0.6
_CANVAS_HEIGHT = 512
_SHIFT = 4  # OpenCV's drawing takes fixed-point coordinates: 4 bits of fraction
_FAR = 1 << 14  # pixels outside the canvas beyond which OpenCV's fixed point could overflow
_CIRCLE = np.stack([np.cos(np.arange(24) * np.pi / 12), np.sin(np.arange(24) * np.pi / 12)], axis=1)


def draw_skeleton(keypoints: np.ndarray, size: tuple[int, int], *, canvas_height: int = _CANVAS_HEIGHT) -> np.ndarray:
    """Draws one person.

    The skeleton is drawn large and shrunk with an area filter: drawn small, its thin lines would be lost.

    Args:
        keypoints: `(23, 3)`, x and y in pixels of the picture and confidence; 0 or NaN there: joint missing,
            so neither it nor its limbs are drawn. Pixel centres lie at whole numbers plus 0.5.
        size: Height and width of the picture.
        canvas_height: Least height to draw at before shrinking; 1080 is the recipe of the published labels.

    Returns:
        uint8 `(H, W, 3)`, RGB on white.

    Raises:
        ValueError: If the key points have another shape.
    """
    if keypoints.shape != (len(JOINTS), 3):
        raise ValueError(f"EDN-23 key points have the shape (23, 3), got {keypoints.shape}")
    height, width = size
    factor = max(1, -(-canvas_height // height))
    canvas = np.full((height * factor, width * factor, 3), 255, np.uint8)
    points = keypoints[:, :2] * factor - 0.5  # OpenCV's pixel centres lie at whole numbers
    visible = _is_visible(keypoints, points)
    radius = JOINT_RADIUS * height * factor
    for point, color in zip(points[visible], np.array(COLORS)[visible], strict=True):
        cv2.circle(canvas, _fixed(point), round(radius * 2**_SHIFT), color.tolist(), -1, cv2.LINE_AA, _SHIFT)
    for first, second in LIMBS:
        if visible[first] and visible[second]:
            half_width = LIMB_HALF_WIDTH * height * factor
            _blend_limb(canvas, points[first], points[second], half_width, COLORS[first])
    return canvas if factor == 1 else cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def draw_skeletons(keypoints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draws a sequence: `(T, 23, 3)` key points to uint8 `(T, H, W, 3)`; see `draw_skeleton`."""
    pictures = np.empty((len(keypoints), *size, 3), np.uint8)
    for picture, points in zip(pictures, keypoints, strict=True):
        picture[:] = draw_skeleton(points, size)
    return pictures


def _is_visible(keypoints: np.ndarray, points: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (keypoints[:, 2] > 0) & np.isfinite(keypoints).all(axis=1) & (np.abs(points) < _FAR).all(axis=1)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0]) * 2**_SHIFT), round(float(point[1]) * 2**_SHIFT)


def _blend_limb(
    canvas: np.ndarray, start: np.ndarray, end: np.ndarray, half_width: float, color: tuple[int, int, int]
) -> None:
    """Draws the ellipse that has the limb as its long axis, blended into its part of the canvas."""
    along = (end - start) / 2
    length = float(np.hypot(*along))
    unit = along / length if length > 0 else np.array([1.0, 0.0])
    across = np.array([-unit[1], unit[0]]) * half_width
    outline = (start + end) / 2 + _CIRCLE @ np.stack([along, across])
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 2, canvas.shape[1::-1])
    if (low >= high).any():
        return
    part = canvas[low[1] : high[1], low[0] : high[0]]
    painted = part.copy()
    polygon = np.round((outline - low) * 2**_SHIFT).astype(np.int32)
    cv2.fillConvexPoly(painted, polygon, color, cv2.LINE_AA, _SHIFT)
    part[:] = cv2.addWeighted(part, 1 - LIMB_OPACITY, painted, LIMB_OPACITY, 0)
