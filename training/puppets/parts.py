"""A dancer in one pose as solids: torso, limbs, clothes and shoes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from training.puppets.dancer import Dancer
from training.puppets.head import head_parts
from training.puppets.raster import Ball, Blend, Cone, Paint, Solid


@dataclass(frozen=True)
class Pose:
    """One frame of a figure in the camera's axes: places `(3,)` and turns `(3, 3)` by name."""

    joints: dict[str, np.ndarray]
    turns: dict[str, np.ndarray]

    def at(self, joint: str, turn: str, *offset: float) -> np.ndarray:
        """A place given from a joint along the axes (left, up, front) of a turn."""
        return self.joints[joint] + self.turns[turn] @ np.array(offset)

    def between(self, start: str, end: str, share: float) -> np.ndarray:
        """A place on the way from one joint to another."""
        return self.joints[start] + (self.joints[end] - self.joints[start]) * share


def build(dancer: Dancer, pose: Pose) -> Iterator[Solid]:
    """All solids of the dancer, in any order."""
    yield _torso(dancer, pose)
    yield from head_parts(dancer, pose)
    for side in "lr":
        yield from _arm(dancer, pose, side)
        yield from _leg(dancer, pose, side)
        yield from _shoe(dancer, pose, side)
    if dancer.skirt:
        yield _skirt(dancer, pose)


def _torso(dancer: Dancer, pose: Pose) -> Blend:
    body, girth = dancer.body, dancer.girth
    unit = body.torso / 0.47
    wide = body.shoulder_width / 0.36
    slim = dancer.hips > 1
    ellipsoids: list[tuple[str, str, tuple[float, ...], tuple[float, ...]]] = [
        ("neck", "chest", (0, -0.075 * unit, -0.008), (0.165 * wide, 0.06 * unit, 0.07 * girth)),
        ("neck", "chest", (0, -0.17 * unit, 0.0), (0.145 * wide * girth**0.5, 0.175 * unit, 0.108 * girth)),
        ("waist", "waist", (0, 0.0, 0.002), ((0.112 if slim else 0.128) * girth, 0.15 * unit, 0.092 * girth**1.2)),
        ("pelvis", "pelvis", (0, 0.02 * unit, -0.008), (0.16 * girth * dancer.hips, 0.125 * unit, 0.108 * girth)),
    ]
    if slim and body.height > 1.4:
        ellipsoids += [
            ("neck", "chest", (x, -0.2 * unit, 0.07 * girth), (0.06 * wide, 0.06 * unit, 0.058 * girth))
            for x in (-0.062 * wide, 0.062 * wide)
        ]
    centers = np.array([pose.at(joint, turn, *offset) for joint, turn, offset, _ in ellipsoids], np.float32)
    radii = np.array([radii for *_, radii in ellipsoids], np.float32)
    shrinks = np.array([(pose.turns[turn] / r).T for (_, turn, _, r) in ellipsoids], np.float32)
    arm = 0.046 * girth * (0.9 if slim else 1.0)
    spheres = [(*pose.at(f"shoulder_{side}", "chest", 0.0, -0.008, 0.0), arm) for side in "lr"]
    spheres += [(*pose.at("neck", "chest", 0.0, -0.02, -0.014), 0.058 * girth**0.5)]
    spheres += [(*pose.between(f"hip_{side}", f"knee_{side}", 0.08), 0.07 * girth) for side in "lr"]
    return Blend(centers, shrinks, radii, np.array(spheres, np.float32), 0.07 * unit, _torso_paint(dancer, pose, unit))


def _torso_paint(dancer: Dancer, pose: Pose, unit: float) -> Callable[[np.ndarray], np.ndarray]:
    def paint(points: np.ndarray) -> np.ndarray:
        chest = (points - pose.joints["neck"]) @ pose.turns["chest"] / unit
        pelvis = (points - pose.joints["pelvis"]) @ pose.turns["pelvis"] / unit
        colors = shirt_colors(dancer, chest)
        below = pelvis[:, 1] < (0.085 if dancer.skirt or dancer.sleeve < 0.1 else 0.03)
        colors[below] = dancer.bottom
        front = np.clip(chest[:, 2] * 12 + 0.3, -0.4, 1)
        neckline = chest[:, 1] - (-0.01 - 0.05 * front) > 0.75 * np.abs(chest[:, 0])
        colors[neckline & (chest[:, 1] > -0.09)] = dancer.skin
        if dancer.sleeve < 0.1:  # shoulder straps
            colors[((np.abs(chest[:, 0]) - 0.2) / 0.095) ** 2 + ((chest[:, 1] + 0.04) / 0.12) ** 2 < 1] = dancer.skin
        if dancer.skirt or dancer.pattern in ("vest", "hoops"):
            colors[np.abs(pelvis[:, 1] - 0.085) < 0.014] = dancer.accent
        return colors

    return paint


def shirt_colors(dancer: Dancer, chest: np.ndarray) -> np.ndarray:
    """Colours of the top at points `(N, 3)` of the chest (left, up, front of the neck, in adult metres)."""
    x, y, z = chest.T
    colors = np.repeat(dancer.top[None], len(chest), axis=0)
    match dancer.pattern:
        case "stripes":
            marked = np.sin(x * 105) > 0.35
        case "hoops":
            marked = np.sin(y * 95) > 0.2
        case "two-tone":
            marked = y < -0.2
        case "logo":
            marked = (z > 0) & ((x / 0.075) ** 2 + ((y + 0.17) / 0.06) ** 2 < 1)
        case "dots":
            marked = (np.sin(x * 75) * np.sin(y * 75)) ** 2 > 0.55
        case "vest":
            marked = (z > 0) & (np.abs(x) < 0.035 - 0.12 * y * (y > -0.25))
        case "gradient":
            share = np.clip(-y / 0.42, 0, 1)[:, None]
            return (colors * (1 - share) + dancer.second * share).astype(np.float32)
        case _:
            return colors
    colors[marked] = dancer.second
    return colors


def _sleeve_paint(dancer: Dancer) -> Paint:
    if dancer.pattern == "two-tone":
        return dancer.top
    if dancer.pattern == "hoops":

        def hoops(told: np.ndarray) -> np.ndarray:
            return np.where(np.sin(told[:, :1] * 24) > 0.2, dancer.second, dancer.top)

        return hoops
    if dancer.pattern == "vest":
        return dancer.second
    return dancer.top


def _arm(dancer: Dancer, pose: Pose, side: str) -> Iterator[Solid]:
    girth = dancer.girth * (0.9 if dancer.hips > 1 else 1.0)
    shoulder, elbow, wrist, hand = (pose.joints[f"{name}_{side}"] for name in ("shoulder", "elbow", "wrist", "hand"))
    skin, sleeve, cover = dancer.skin, _sleeve_paint(dancer), dancer.sleeve * 2  # cover: 1 is the elbow, 2 the wrist
    swell = pose.between(f"elbow_{side}", f"wrist_{side}", 0.28)
    upper = sleeve if cover >= 1 else skin
    fore = sleeve if cover > 1.7 else skin
    loose = 1.16 if cover >= 1 else 1.0
    top = shoulder + (elbow - shoulder) * 0.12
    yield Cone(top, 0.047 * girth * loose, elbow, 0.038 * girth * loose, upper)
    loose = 1.18 if cover > 1.7 else 1.0
    yield Cone(elbow, 0.038 * girth * loose, swell, 0.041 * girth * loose, fore)
    yield Cone(swell, 0.041 * girth * loose, wrist, 0.026 * girth * loose, fore)
    if 0.1 < cover < 1.7:
        joint = min(cover, 1.0)
        end = pose.between(f"shoulder_{side}", f"elbow_{side}", joint)
        yield Cone(top, 0.053 * girth, end, (0.06 - 0.009 * joint) * girth, sleeve, cut=True)
    length = hand - wrist
    palm = wrist + length * 0.45
    yield Cone(wrist, 0.026 * girth, palm, 0.036 * girth, skin)
    yield Cone(palm, 0.036 * girth, wrist + length * 0.85, 0.023 * girth, skin)
    inward = pose.turns["chest"][:, 2] * 0.022 * girth
    yield Cone(wrist + length * 0.15 + inward, 0.015 * girth, wrist + length * 0.55 + inward * 1.9, 0.012 * girth, skin)


def _leg(dancer: Dancer, pose: Pose, side: str) -> Iterator[Solid]:
    girth, cover = dancer.girth, dancer.leg_cover * 2  # 1 is the knee, 2 the ankle
    hip, knee, ankle = (pose.joints[f"{name}_{side}"] for name in ("hip", "knee", "ankle"))
    hip = hip + pose.turns["pelvis"][:, 1] * 0.01
    calf = pose.between(f"knee_{side}", f"ankle_{side}", 0.3)
    calf = calf - pose.turns[f"foot_{side}"][:, 2] * 0.018 * girth
    skin, cloth = dancer.skin, dancer.bottom
    wide = dancer.leg_width
    if cover > 1.4:  # long trousers
        hem = pose.between(f"knee_{side}", f"ankle_{side}", min(1.0, cover - 1 + 0.06))
        yield Cone(hip, 0.076 * girth, knee, 0.058 * girth * wide**0.5, cloth)
        yield Cone(knee, 0.058 * girth * wide**0.5, hem, 0.047 * girth * wide, cloth, cut=cover < 1.9)
        if cover < 1.9:
            yield Cone(calf, 0.05 * girth, ankle, 0.035 * girth, skin)
        return
    yield Cone(hip, 0.074 * girth, knee, 0.053 * girth, skin)
    yield Cone(knee, 0.052 * girth, calf, 0.054 * girth, skin)
    yield Cone(calf, 0.054 * girth, ankle, 0.035 * girth, skin)
    sock = pose.between(f"knee_{side}", f"ankle_{side}", 0.8)
    yield Cone(sock, 0.043 * girth, ankle, 0.037 * girth, dancer.socks)
    if cover > 0:
        hem = pose.between(f"hip_{side}", f"knee_{side}", min(cover, 0.97))
        yield Cone(hip, 0.078 * girth, hem, 0.072 * girth * wide**0.5, cloth, cut=True)
    else:
        hem = pose.between(f"hip_{side}", f"knee_{side}", 0.3)
        yield Cone(hip, 0.077 * girth, hem, 0.076 * girth, cloth, cut=True)


def _shoe(dancer: Dancer, pose: Pose, side: str) -> Iterator[Solid]:
    foot, turn = dancer.body.foot, pose.turns[f"foot_{side}"]
    heel, toe = pose.joints[f"heel_{side}"], pose.joints[f"toe_{side}"]
    sole, shoes = dancer.sole, dancer.shoes
    high = dancer.body.ankle_height

    def paint(local: np.ndarray) -> np.ndarray:
        return np.where(local[:, 1:2] < -0.28, sole, shoes).astype(np.float32)

    def over_floor(local: np.ndarray) -> np.ndarray:
        return local[..., 1] > -0.75

    middle = heel * 0.45 + toe * 0.55 + turn[:, 1] * high * 0.12
    yield Ball(middle, turn, (foot * 0.185, high * 0.48, foot * 0.56), paint, over_floor)
    ankle = pose.joints[f"ankle_{side}"]
    yield Cone(ankle, 0.038 * dancer.girth, heel * 0.7 + toe * 0.3 + turn[:, 1] * high * 0.22, foot * 0.14, shoes)


def _skirt(dancer: Dancer, pose: Pose) -> Cone:
    """From the waist over both thighs, wide enough for them."""
    body, girth = dancer.body, dancer.girth
    knees = (pose.joints["knee_l"] + pose.joints["knee_r"]) / 2
    apart = float(np.linalg.norm(pose.joints["knee_l"] - pose.joints["knee_r"])) / 2
    top = pose.at("pelvis", "pelvis", 0.0, 0.05 * body.torso, 0.0)
    down = knees - top
    thigh = float(np.linalg.norm(down))
    share = dancer.skirt * body.leg / max(thigh, 0.05)
    fall = -pose.turns["pelvis"][:, 1] * max(0.0, 0.25 * body.leg - thigh)
    end = top + down * share + fall
    radius = max(0.195 * girth * dancer.hips, apart * min(share, 1.0) + 0.085 * girth)

    def pleats(told: np.ndarray) -> np.ndarray:
        fold = 0.88 + 0.12 * np.sin(np.arcsin(np.clip(told[:, 1:], -1, 1)) * 11)
        hem = (told[:, :1] > 0.93) & (dancer.pattern in ("hoops", "dots", "two-tone"))
        return (np.where(hem, dancer.second, dancer.bottom) * fold).astype(np.float32)

    return Cone(top, 0.162 * girth * dancer.hips, end, radius, pleats, cut=True)
