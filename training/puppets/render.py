"""From a figure in a scene to frames: solids, shading, shadow on the floor, composition."""

from collections.abc import Iterator

import cv2
import numpy as np

from training.puppets.body import Figure
from training.puppets.dancer import Dancer
from training.puppets.parts import Pose, build
from training.puppets.raster import Buffers, Lens
from training.puppets.scene import Scene

SUPERSAMPLING = 2
_MARGIN = 0.3  # metres around the joints that flesh, hair and clothes may take
_SHADOW_BONES = (
    *(("pelvis", "neck", 0.14), ("neck", "head", 0.09), ("shoulder_l", "shoulder_r", 0.07)),
    *(
        (f"{a}_{side}", f"{b}_{side}", r)
        for side in "lr"
        for a, b, r in (("hip", "knee", 0.08), ("knee", "ankle", 0.055))
    ),
    *(
        (f"{a}_{side}", f"{b}_{side}", r)
        for side in "lr"
        for a, b, r in (("shoulder", "elbow", 0.045), ("elbow", "hand", 0.035))
    ),
    *((f"heel_{side}", f"toe_{side}", 0.045) for side in "lr"),
)


def render(
    figure: Figure, dancer: Dancer, scene: Scene, size: tuple[int, int], generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yields uint8 frames `(H, W, 3)`, one for each moment of the figure; the generator draws sensor noise."""
    camera = scene.camera
    views = {name: camera.view(points) for name, points in figure.joints.items()}
    turns = {name: camera.axes @ turn for name, turn in figure.turns.items()}
    for index in range(len(views["pelvis"])):
        pose = Pose({n: v[index] for n, v in views.items()}, {n: v[index] for n, v in turns.items()})
        shadow = _shadow({name: points[index] for name, points in figure.joints.items()}, scene, size)
        picture = scene.backdrop.picture * (1 - shadow[..., None])
        _draw_person(picture, dancer, pose, scene)
        shown = np.sqrt(np.clip(picture, 0, 1)) * 255
        if scene.noise:
            shown += generator.normal(0, scene.noise, shown.shape).astype(np.float32)
        yield np.clip(shown + 0.5, 0, 255).astype(np.uint8)


def _draw_person(picture: np.ndarray, dancer: Dancer, pose: Pose, scene: Scene) -> None:
    height, width = picture.shape[:2]
    box = _person_box(pose, scene, height, width)
    if box is None:
        return
    left, top, right, bottom = box
    zoom = SUPERSAMPLING
    buffers = Buffers((bottom - top) * zoom, (right - left) * zoom)
    middle = np.array([width / 2 - left, height / 2 - top]) * zoom
    lens = Lens(scene.camera.focal * height * zoom, middle)
    for solid in build(dancer, pose):
        solid.draw(buffers, lens)
    covered = np.isfinite(buffers.depth)
    if not covered.any():
        return
    metre = lens.scale / float(buffers.depth[covered].mean())
    lit = _shade(buffers, covered, scene, metre)
    layers = np.dstack([lit, covered.astype(np.float32)])
    layers = cv2.resize(layers, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    part = picture[top:bottom, left:right]
    part *= 1 - layers[..., 3:]
    part += layers[..., :3]


def _person_box(pose: Pose, scene: Scene, height: int, width: int) -> tuple[int, int, int, int] | None:
    points = np.array(list(pose.joints.values()))
    points = points[points[:, 2] < -0.25]
    if not len(points):
        return None
    zoom = scene.camera.focal * height / -points[:, 2]
    x, y = width / 2 + points[:, 0] * zoom, height / 2 - points[:, 1] * zoom
    pad = _MARGIN * zoom
    left, right = max(0, int((x - pad).min())), min(width, int((x + pad).max()) + 1)
    top, bottom = max(0, int((y - pad).min())), min(height, int((y + pad).max()) + 1)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _shade(buffers: Buffers, covered: np.ndarray, scene: Scene, metre: float) -> np.ndarray:
    """Linear colours `(H, W, 3)`, zero where nobody is: soft Lambert, sky and bounce, rim, crevices, own shadow."""
    light, normal = scene.light, buffers.normal
    toward = (scene.camera.axes @ light.toward).astype(np.float32)
    up = scene.camera.axes[:, 1].astype(np.float32)
    open_, lit = _openness(buffers.depth, covered, metre), _unshadowed(buffers.depth, covered, toward, metre)
    facing = np.clip((normal @ toward + 0.2) / 1.2, 0, 1) * lit
    upward = (0.5 + 0.5 * (normal @ up)) * open_
    rim = light.rim * np.clip(1 - normal[..., 2], 0, 1) ** 3 * open_
    total = facing[..., None] * light.main.astype(np.float32)
    total += upward[..., None] * (light.sky - light.bounce).astype(np.float32)
    total += open_[..., None] * light.bounce.astype(np.float32)
    total *= buffers.color
    total += _gloss(normal, toward)[..., None] * lit[..., None] * light.main.astype(np.float32)
    total += rim[..., None] * (0.3 * light.sky + 0.7 * np.sqrt(np.clip(buffers.color, 0, 1)) * light.sky)
    return np.where(covered[..., None], total, 0).astype(np.float32)


def _gloss(normal: np.ndarray, toward: np.ndarray) -> np.ndarray:
    """A faint, broad highlight half-way between light and viewer."""
    half = toward + np.array([0, 0, 1], np.float32)
    shine = np.clip(normal @ (half / np.linalg.norm(half)), 0, 1) ** 2
    shine = shine * shine
    return 0.035 * (shine * shine) ** 2


def _openness(depth: np.ndarray, covered: np.ndarray, metre: float) -> np.ndarray:
    """Less than 1 where something near stands out around a pixel: an arm over the body, the gap between legs."""
    mask = covered.astype(np.float32)
    filled = np.where(covered, depth, 0).astype(np.float32)
    sigma = 0.05 * metre
    around = cv2.GaussianBlur(filled, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(mask, (0, 0), sigma), 1e-3)
    return 1 - np.clip((filled - around) * 6.0, 0, 0.55)


def _unshadowed(depth: np.ndarray, covered: np.ndarray, toward: np.ndarray, metre: float) -> np.ndarray:
    """About 1 where the way to the light is free, looked up in the depth picture a few steps along it."""
    height, width = depth.shape
    blocked = np.zeros((height, width), np.float32)
    for reach in (0.05, 0.1, 0.17, 0.25):
        move = np.array([[1, 0, toward[0] * reach * metre], [0, 1, -toward[1] * reach * metre]])
        there = cv2.warpAffine(
            np.where(covered, depth, 1e3).astype(np.float32),
            move,
            (width, height),
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
            borderValue=1e3,
        )
        ahead = (depth - toward[2] * reach) - there
        np.maximum(blocked, np.clip((ahead - 0.015) * 40, 0, 1) * (ahead < 0.45), out=blocked, where=covered)
    return 1 - 0.7 * cv2.GaussianBlur(blocked, (0, 0), max(0.6, 0.012 * metre))


def _shadow(joints: dict[str, np.ndarray], scene: Scene, size: tuple[int, int]) -> np.ndarray:
    """Share of light lost on the floor, `(H, W)`: drawn as seen from above, blurred, then laid on the floor."""
    half = min(1.8, 0.75 * float(np.linalg.norm(scene.camera.place[[0, 2]] - joints["pelvis"][[0, 2]])))
    cells = 128
    scale = cells / (2 * half)
    center = joints["pelvis"][[0, 2]]
    toward = scene.light.toward
    slant = toward[[0, 2]] / max(toward[1], 0.5)

    def cell(point: np.ndarray, slide: float = 1.0) -> tuple[int, int]:
        place = (point[[0, 2]] - slide * slant * point[1] - center) * scale + cells / 2
        return round(float(place[0]) * 16), round(float(place[1]) * 16)

    cast, touch = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    for start, end, radius in _SHADOW_BONES:
        thick = max(1, round(2 * radius * scale))
        cv2.line(cast, cell(joints[start]), cell(joints[end]), 1.0, thick, cv2.LINE_8, 4)
    for side in "lr":
        near = float(np.clip(1 - (joints[f"heel_{side}"][1] + joints[f"toe_{side}"][1]) * 3, 0, 1))
        ends = (cell(joints[f"heel_{side}"], 0), cell(joints[f"toe_{side}"], 0))
        cv2.line(touch, *ends, near, max(1, round(0.13 * scale)), cv2.LINE_8, 4)
    cv2.circle(touch, cell(joints["pelvis"], 0), round(0.22 * scale * 16), 0.25, -1, cv2.LINE_8, 4)
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]]) + center
    seen = scene.camera.project(np.insert(corners, 1, 0.0, axis=1), size)
    if (seen[:, 2] < 0.1).any():
        return np.zeros(size, np.float32)
    source = np.array([[0, 0], [cells, 0], [cells, cells], [0, cells]], np.float32)
    homography = cv2.getPerspectiveTransform(source, seen[:, :2].astype(np.float32))
    far, near_floor = cv2.GaussianBlur(cast, (0, 0), 0.045 * scale), cv2.GaussianBlur(touch, (0, 0), 0.05 * scale)
    lost = np.maximum(far * 0.85, near_floor) * scene.light.shadow + 0.15 * near_floor
    laid = cv2.warpPerspective(np.clip(lost, 0, 0.8), homography, (size[1], size[0]), flags=cv2.INTER_LINEAR)
    return laid * scene.backdrop.floor
