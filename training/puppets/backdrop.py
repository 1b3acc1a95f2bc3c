"""Backgrounds: rooms, studios, stages and the open air, painted once a clip by casting a ray through each pixel."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from training.puppets.camera import Camera

Generator = np.random.Generator


@dataclass(frozen=True)
class Backdrop:
    """A painted background.

    Attributes:
        picture: float32 `(H, W, 3)`, linear light.
        floor: float32 `(H, W)`, 1 where shadows can fall.
    """

    picture: np.ndarray
    floor: np.ndarray


@dataclass(frozen=True)
class _Rays:
    """Where the ray through each pixel meets the floor and a wall, `(H, W)` each.

    Attributes:
        floor: x and z on the floor, and whether it meets the floor before the wall.
        wall: x and y on the wall.
    """

    floor: tuple[np.ndarray, np.ndarray, np.ndarray]
    wall: tuple[np.ndarray, np.ndarray]


def _cast(camera: Camera, size: tuple[int, int], wall_z: float) -> _Rays:
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32) + 0.5
    right = (columns - size[1] / 2) / (camera.focal * size[0])
    up = (size[0] / 2 - rows) / (camera.focal * size[0])
    world = np.stack([right, up, -np.ones_like(up)], axis=-1) @ camera.axes
    down = np.minimum(world[..., 1], -1e-4)
    to_floor, to_wall = -camera.place[1] / down, (wall_z - camera.place[2]) / world[..., 2]
    on_floor = (world[..., 1] < 0) & (to_floor < to_wall)
    floor_x, floor_z = (camera.place[k] + world[..., k] * to_floor for k in (0, 2))
    wall_x, wall_y = (camera.place[k] + world[..., k] * to_wall for k in (0, 1))
    return _Rays((floor_x, floor_z, on_floor), (wall_x, wall_y))


def color(generator: Generator, low: float, high: float, vivid: float) -> np.ndarray:
    """A linear colour of a brightness between the limits; `vivid` 0 is grey, 1 strong."""
    tint = generator.normal(0, 1, 3)
    tint = (tint - tint.mean()) * vivid * 0.35
    return np.clip(generator.uniform(low, high) * (1 + tint), 0.02, 1).astype(np.float32) ** 2


def _grain(generator: Generator, u: np.ndarray, v: np.ndarray, cells: float) -> np.ndarray:
    """Smooth noise around 0 over a surface, with that many cells a metre."""
    noise = np.pad(generator.normal(0, 1, (64, 64)).astype(np.float32), 4, mode="wrap")
    smooth = np.ascontiguousarray(cv2.GaussianBlur(noise, (0, 0), 0.8)[4:-4, 4:-4])
    u, v = (np.mod(part * cells, 64).astype(np.float32) for part in (u, v))
    return cv2.remap(smooth, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _soft_step(value: np.ndarray, width: float) -> np.ndarray:
    return np.clip(value / width + 0.5, 0, 1)


def _floor(generator: Generator, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Planks, tiles, carpet or plain."""
    kind = generator.choice(["planks", "tiles", "plain", "plain", "carpet"])
    base = color(generator, 0.3, 0.8, 0.35)
    fade = np.clip(6 / (1 + np.abs(z - 4) ** 1.6), 0, 1)  # detail is lost far away
    if kind == "planks":
        base = base * [1.15, 1.0, 0.8]
        board = np.floor(x / 0.16)
        tone = 0.12 * np.sin(board * 12.9898 + np.floor(z / 1.3 + board * 0.37) * 4.1)
        seam = (np.mod(x / 0.16, 1) < 0.06) * 0.25
        shade = 1 + (tone - seam) * fade + 0.06 * _grain(generator, x * 8, z, 2.0) * fade
    elif kind == "tiles":
        side = generator.uniform(0.35, 0.8)
        check = np.mod(np.floor(x / side) + np.floor(z / side), 2)
        shade = 1 - generator.uniform(0.05, 0.5) * check * np.sqrt(fade)
    elif kind == "carpet":
        shade = 1 + 0.1 * _grain(generator, x, z, 14.0) * fade
        rug = _soft_step(1 - (x / generator.uniform(1.2, 2.2)) ** 4 - (z / generator.uniform(0.8, 1.4)) ** 4, 0.1)
        tint = color(generator, 0.25, 0.8, 0.9)
        return (base * (1 - rug[..., None]) + tint * rug[..., None]) * shade[..., None]
    else:
        shade = 1 + 0.03 * _grain(generator, x, z, 1.0)
    return base * shade[..., None]


def _wall(generator: Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Paint, panels, bricks, stripes or two colours."""
    kind = generator.choice(["paint", "paint", "panels", "bricks", "stripes", "two"])
    base = color(generator, 0.4, 0.95, 0.45)
    shade = 1 + 0.02 * _grain(generator, x, y, 1.0)
    if kind == "panels":
        shade = shade - 0.12 * (np.mod(x / 0.9, 1) < 0.025)
    elif kind == "bricks":
        row = np.floor(y / 0.16)
        column = np.floor(x / 0.42 + 0.5 * row)
        seam = (np.mod(y / 0.16, 1) < 0.12) | (np.mod(x / 0.42 + 0.5 * row, 1) < 0.05)
        shade = shade + 0.09 * np.sin(column * 7.7 + row * 3.1) - 0.16 * seam
    elif kind == "stripes":
        shade = shade - generator.uniform(0.04, 0.15) * (np.mod(x / generator.uniform(0.2, 0.5), 1) < 0.5)
    wall = base * shade[..., None]
    if kind == "two":
        lower = _soft_step(generator.uniform(0.7, 1.3) - y, 0.03)[..., None]
        wall = wall * (1 - lower) + color(generator, 0.25, 0.7, 0.6) * lower
    skirting = _soft_step(0.1 - y, 0.02)[..., None] * (y >= 0)[..., None]
    return wall * (1 - skirting) + color(generator, 0.3, 0.95, 0.1) * skirting


def _rectangle(x: np.ndarray, y: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    left, bottom, wide, high = box
    return (x > left) & (x < left + wide) & (y > bottom) & (y < bottom + high)


def _hang(generator: Generator, wall: np.ndarray, x: np.ndarray, y: np.ndarray, reach: float) -> None:
    """Hangs pictures and windows on a wall, in place."""
    place = -reach + generator.uniform(0, 0.8)
    while place < reach:
        wide, high = generator.uniform(0.5, 1.4), generator.uniform(0.5, 1.2)
        box = (place, generator.uniform(1.0, 1.5), wide, high)
        place += wide + generator.uniform(0.4, 2.4)
        kind = generator.choice(["picture", "window", "door", "none"], p=[0.4, 0.2, 0.15, 0.25])
        if kind == "none":
            continue
        if kind == "door":
            box = (box[0], 0.0, 0.9, 2.05)
        wall[_rectangle(x, y, (box[0] - 0.05, box[1] - 0.05, box[2] + 0.1, box[3] + 0.1))] = color(
            generator, 0.2, 0.9, 0.2
        )
        inside = _rectangle(x, y, box)
        u, v = (x - box[0]) / box[2], (y - box[1]) / box[3]
        if kind == "window":
            sky = np.array([0.72, 0.86, 1.0]) * (0.75 + 0.4 * v[..., None])
            frame = (np.abs(u - 0.5) < 0.03) | (np.abs(v - 0.5) < 0.03)
            wall[inside] = np.where(frame[..., None], 0.8, sky)[inside]
        elif kind == "door":
            panel = (np.abs(np.mod(v * 2, 1) - 0.5) < 0.38) & (np.abs(u - 0.5) < 0.34)
            wall[inside] = (color(generator, 0.3, 0.85, 0.4) * np.where(panel, 0.88, 1.0)[..., None])[inside]
        else:
            wall[inside] = _art(generator, u, v)[inside]


def _art(generator: Generator, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """An abstract picture: hills, discs or bars."""
    first, second, third = (color(generator, 0.25, 0.95, 1.0) for _ in range(3))
    wave = np.sin(u * generator.uniform(2, 9) + generator.uniform(0, 6))
    kind = generator.integers(3)
    if kind == 0:
        mask = v < 0.45 + 0.15 * wave
    elif kind == 1:
        mask = (u - generator.uniform(0.3, 0.7)) ** 2 + (v - 0.5) ** 2 < 0.07
    else:
        mask = np.mod(u * generator.integers(2, 6), 1) < 0.5
    art = np.where(mask[..., None], first, second)
    return np.where((v < 0.2)[..., None], third, art)


def _box(picture: np.ndarray, camera: Camera, low: np.ndarray, high: np.ndarray, tint: np.ndarray) -> None:
    """Draws a block standing in the room, in place: far faces are never seen."""
    x = (low[0], high[0])
    inner = 1 if low[0] + high[0] < 0 else 0  # the side that faces the middle
    faces = (
        (
            0.62,
            [
                (x[inner], low[1], low[2]),
                (x[inner], high[1], low[2]),
                (x[inner], high[1], high[2]),
                (x[inner], low[1], high[2]),
            ],
        ),
        (1.12, [(x[0], high[1], low[2]), (x[1], high[1], low[2]), (x[1], high[1], high[2]), (x[0], high[1], high[2])]),
        (0.85, [(x[0], low[1], high[2]), (x[1], low[1], high[2]), (x[1], high[1], high[2]), (x[0], high[1], high[2])]),
    )
    for light, corners in faces:
        outline = camera.project(np.array(corners), picture.shape[:2])
        if light > 1 and camera.place[1] < high[1]:
            continue
        points = np.round((outline[:, :2] - 0.5) * 16).astype(np.int32)
        cv2.fillConvexPoly(picture, points, (tint * light).tolist(), cv2.LINE_AA, 4)


def _furnish(generator: Generator, picture: np.ndarray, camera: Camera, wall_z: float, reach: float) -> None:
    """Low blocks along the wall: sofa, cupboard, speakers, steps."""
    for _ in range(generator.integers(0, 4)):
        wide, high, deep = generator.uniform(0.4, 1.8), generator.uniform(0.3, 1.1), generator.uniform(0.3, 0.6)
        left = generator.uniform(-reach, reach - wide)
        tint = color(generator, 0.2, 0.8, 0.8).astype(np.float64)
        _box(picture, camera, np.array([left, 0.0, wall_z]), np.array([left + wide, high, wall_z + deep]), tint)
        if high < 0.7 and wide > 1.0:  # a back makes it a sofa
            top = np.array([left + wide, high + 0.4, wall_z + 0.15])
            _box(picture, camera, np.array([left, high, wall_z]), top, tint * 0.9)


def paint_room(generator: Generator, camera: Camera, size: tuple[int, int], wall_z: float) -> Backdrop:
    """Floor and wall with what hangs and stands there."""
    rays = _cast(camera, size, wall_z)
    (floor_x, floor_z, on_floor), (wall_x, wall_y) = rays.floor, rays.wall
    reach = float(np.abs(wall_x).max())
    wall = _wall(generator, wall_x, wall_y)
    _hang(generator, wall, wall_x, wall_y, reach)
    glow = np.exp(-((wall_x - generator.uniform(-2, 2)) ** 2 + (wall_y - generator.uniform(1.5, 3)) ** 2) / 6)
    wall = wall * (0.7 + 0.4 * glow)[..., None] * (1 - 0.25 * np.exp(-np.abs(wall_y) / 0.25))[..., None]
    floor = _floor(generator, floor_x, floor_z) * (1 - 0.35 * np.exp(np.minimum(wall_z - floor_z, 0) / 0.5))[..., None]
    picture = np.where(on_floor[..., None], floor, wall).astype(np.float32)
    _furnish(generator, picture, camera, wall_z, reach)
    return Backdrop(picture, on_floor.astype(np.float32))


def paint_studio(generator: Generator, camera: Camera, size: tuple[int, int], wall_z: float) -> Backdrop:
    """A seamless paper or infinity cove with pools of light."""
    rays = _cast(camera, size, wall_z)
    (floor_x, floor_z, on_floor), (wall_x, wall_y) = rays.floor, rays.wall
    base = color(generator, 0.3, 0.95, generator.choice([0.08, 0.9]))
    height = np.where(on_floor, (floor_z - wall_z) * -0.6, wall_y)  # runs on from the floor up the wall
    light = 0.82 - 0.1 * np.tanh(height)
    for center in np.linspace(-2.5, 2.5, generator.integers(1, 4)):
        light = light + 0.22 * np.exp(-((wall_x - center) ** 2 + (wall_y - 2.2) ** 2) / 1.6) * ~on_floor
    pool = np.exp(-(floor_x**2 + floor_z**2) / 5) * on_floor
    light = cv2.GaussianBlur((light + 0.15 * pool).astype(np.float32), (0, 0), size[0] / 40)
    return Backdrop((base * light[..., None]).astype(np.float32), np.ones(size, np.float32) * on_floor)


def paint_stage(generator: Generator, camera: Camera, size: tuple[int, int], wall_z: float) -> Backdrop:
    """A dark stage: curtain or coloured wash behind, a bright pool on the floor."""
    rays = _cast(camera, size, wall_z)
    (floor_x, floor_z, on_floor), (wall_x, wall_y) = rays.floor, rays.wall
    wash, other = color(generator, 0.35, 0.7, 1.3), color(generator, 0.3, 0.6, 1.3)
    share = _soft_step(wall_x - generator.uniform(-1, 1), 4.0)[..., None]
    folds = 1 + 0.22 * np.sin(wall_x * generator.uniform(6, 14)) * (generator.random() < 0.6)
    wall = (wash * (1 - share) + other * share) * (0.25 + 0.75 * np.exp(-(((wall_y - 0.4) / 2.2) ** 2)))[..., None]
    pool = np.exp(-(((floor_x**2 + floor_z**2) / 2.2) ** 2))
    floor = color(generator, 0.3, 0.55, 0.4) * (0.3 + 0.9 * pool)[..., None]
    return Backdrop(
        np.where(on_floor[..., None], floor, wall * folds[..., None]).astype(np.float32), on_floor.astype(np.float32)
    )


def paint_outdoors(generator: Generator, camera: Camera, size: tuple[int, int], wall_z: float) -> Backdrop:
    """Sky, hills or houses on the horizon, grass, sand or asphalt."""
    rays = _cast(camera, size, -40.0)
    (floor_x, floor_z, on_floor), (wall_x, wall_y) = rays.floor, rays.wall
    high = np.clip(wall_y / 22, 0, 1)[..., None]
    zenith, horizon = np.array([0.2, 0.42, 0.78]), np.array([0.72, 0.82, 0.92])
    if generator.random() < 0.25:
        zenith, horizon = np.array([0.22, 0.2, 0.42]), np.array([0.95, 0.6, 0.36])
    sky = horizon * (1 - high) + zenith * high
    cloud = np.clip(_grain(generator, wall_x, wall_y * 2.2, 0.16), 0, 1)[..., None] * 0.5
    sky = sky * (1 - cloud) + 0.95 * cloud
    for distance, shade in ((5.5, 0.75), (2.5, 0.5)):
        if generator.random() < 0.5:
            ridge = distance + distance * 0.5 * (
                np.sin(wall_x * 0.13 + generator.uniform(0, 6)) + 0.4 * np.sin(wall_x * 0.41)
            )
        else:  # houses
            tops = generator.uniform(0.6, 1.5, 64) * distance
            ridge = tops[np.mod(np.floor(wall_x / generator.uniform(3, 7)), 64).astype(int)]
        tint = color(generator, 0.35, 0.6, 0.5) * shade + horizon * (1 - shade) * 0.7
        sky = np.where((wall_y < ridge)[..., None], tint, sky)
    ground = np.array([(0.12, 0.26, 0.06), (0.5, 0.42, 0.28), (0.2, 0.2, 0.21), (0.42, 0.4, 0.38)])[
        generator.integers(4)
    ]
    fade = np.clip(8 / (1 + np.abs(floor_z - 4)), 0, 1)
    shade = 1 + 0.16 * fade * _grain(generator, floor_x, floor_z, 9.0) + 0.1 * _grain(generator, floor_x, floor_z, 0.7)
    haze = np.clip(-floor_z / 60, 0, 0.7)[..., None]
    floor = ground * shade[..., None] * (1 - haze) + horizon * 0.6 * haze
    return Backdrop(np.where(on_floor[..., None], floor, sky).astype(np.float32), on_floor.astype(np.float32))


Painter = Callable[[Generator, Camera, tuple[int, int], float], Backdrop]
PAINTERS: dict[str, tuple[Painter, float]] = {
    "room": (paint_room, 0.45),
    "studio": (paint_studio, 0.23),
    "outdoors": (paint_outdoors, 0.2),
    "stage": (paint_stage, 0.12),
}
"""Painters and how often each is taken."""


def paint_backdrop(generator: Generator, kind: str, camera: Camera, size: tuple[int, int], wall_z: float) -> Backdrop:
    """Paints at twice the size and shrinks, so that edges are smooth; with a vignette."""
    large = PAINTERS[kind][0](generator, camera, (size[0] * 2, size[1] * 2), wall_z)
    picture, floor = (
        cv2.resize(part, (size[1], size[0]), interpolation=cv2.INTER_AREA) for part in (large.picture, large.floor)
    )
    y, x = np.mgrid[-1 : 1 : size[0] * 1j, -1 : 1 : size[1] * 1j]
    vignette = 1 - generator.uniform(0.0, 0.3) * (x * x + y * y) ** 1.2 / 2
    return Backdrop(np.clip(picture * vignette[..., None], 0, 1).astype(np.float32), floor)
