"""What stays in the picture: a wall, and the table with its rim; they differ a little from clip to clip."""

import cv2
import numpy as np

from training.robot.camera import project
from training.robot.solids import fill, fixed, shade
from training.robot.table import TRAY

Generator = np.random.Generator
_RIM, _RIM_HEIGHT = 0.018, 0.014  # metres
_BACK = 0.52  # y of the table's far edge, metres
_TABLES = ((196, 164, 126), (168, 146, 122), (176, 180, 182), (150, 160, 168), (206, 198, 184), (142, 152, 140))
_WALLS = ((206, 212, 216), (190, 200, 206), (214, 206, 194), (178, 190, 184), (200, 192, 204))
_CELLS = 96  # of the table's texture, a side


def paint_backdrop(generator: Generator, size: tuple[int, int]) -> np.ndarray:
    """An empty room, uint8 `(H, W, 3)`, RGB."""
    table, wall = (_near(generator, generator.choice(colors)) for colors in (_TABLES, _WALLS))
    fall = np.linspace(1.04, 0.8, size[0])[:, None, None]
    picture = np.clip(np.broadcast_to(wall * fall, (*size, 3)), 0, 255).astype(np.uint8)
    low, high = np.array(TRAY)
    desk = table * generator.uniform(0.62, 0.8)
    fill(picture, fixed(_level((-2, -2), (2, _BACK), 0.0), picture), desk)
    rim = table * generator.uniform(0.8, 0.95)
    fill(picture, fixed(_level(low - _RIM, high + _RIM, _RIM_HEIGHT), picture), shade(rim, np.array([0, 0, 1.0])))
    fill(picture, fixed(_level(low, high, _RIM_HEIGHT), picture), 0.72 * rim)
    floor = project(_level(low, high, 0.0), size).astype(np.float32)
    source = np.array([[0, _CELLS], [_CELLS, _CELLS], [_CELLS, 0], [0, 0]], np.float32)
    warp = cv2.getPerspectiveTransform(source, floor)
    cv2.warpPerspective(_surface(generator, table), warp, size[::-1], picture, borderMode=cv2.BORDER_TRANSPARENT)
    return picture


def _near(generator: Generator, color: np.ndarray) -> np.ndarray:
    return color * generator.uniform(0.9, 1.08) + generator.uniform(-8, 8, 3)


def _level(low: np.ndarray | tuple, high: np.ndarray | tuple, z: float) -> np.ndarray:
    """Corners `(4, 3)` of a level rectangle."""
    return np.array([[low[0], low[1], z], [high[0], low[1], z], [high[0], high[1], z], [low[0], high[1], z]])


def _surface(generator: Generator, color: np.ndarray) -> np.ndarray:
    """The table's surface seen from above, uint8: smooth grain along x, or none."""
    noise = generator.normal(0, 1, (_CELLS, _CELLS)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), sigmaX=14, sigmaY=1.2, borderType=cv2.BORDER_REFLECT)
    strength = generator.choice([0.0, 0.02, 0.035]) / grain.std()
    return np.clip(color * (1 + strength * grain[..., None]), 0, 255).astype(np.uint8)
