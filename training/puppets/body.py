"""The articulated body: proportions, and joints in the world from motion channels by forward kinematics."""

from dataclasses import dataclass

import numpy as np

from training.puppets.motion import Layout, Motion
from training.puppets.rotations import about_y, from_vector, unit

HEEL, TOE = 0.22, 0.7
"""How far heel and toe lie behind and before the ankle, as shares of the foot."""
SOLE = 0.75
"""How far heel and toe lie below the ankle, as a share of its height."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """Lengths in metres between joints, of an adult of 1.72 m unless told otherwise."""

    thigh: float = 0.43
    shin: float = 0.42
    ankle_height: float = 0.08
    foot: float = 0.25
    hip_width: float = 0.175
    torso: float = 0.47
    shoulder_width: float = 0.36
    upper_arm: float = 0.285
    forearm: float = 0.25
    hand: float = 0.16
    neck: float = 0.07
    head: float = 0.225
    """Chin to crown."""

    @property
    def leg(self) -> float:
        """Hip to ankle, the unit of motion channels."""
        return self.thigh + self.shin

    @property
    def height(self) -> float:
        """Floor to crown when standing."""
        return self.ankle_height + self.leg + self.torso + self.neck + self.head


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A body over time.

    Attributes:
        joints: World positions `(T, 3)` in metres by name; sides are the person's own ("elbow_l" ...).
        turns: World rotations `(T, 3, 3)` of "pelvis", "waist", "chest", "head", "foot_l", "foot_r"; x is the
            person's left, y up, z forward.
    """

    joints: dict[str, np.ndarray]
    turns: dict[str, np.ndarray]


def pose_body(body: Body, motion: Motion) -> Figure:
    """Places every joint; feet stay where the motion puts them, so the pelvis sinks where a leg is too short."""
    channels, heading = motion.pose, motion.root[:, 2]
    facing = about_y(heading)
    origin = np.stack([motion.root[:, 0], np.zeros(len(heading)), motion.root[:, 1]], axis=1)
    lift = np.array([0.0, body.ankle_height, 0.0])

    def place(part: slice) -> np.ndarray:
        return (origin + np.einsum("tij,tj->ti", facing, channels[:, part])) * body.leg + lift

    pelvis_turn = facing @ from_vector(channels[:, Layout.pelvis_turn])
    spine = channels[:, Layout.chest_turn]
    waist_turn = pelvis_turn @ from_vector(spine * 0.5)
    chest_turn = pelvis_turn @ from_vector(spine)
    head_turn = chest_turn @ from_vector(channels[:, Layout.head_turn])
    feet = {side: unit(np.einsum("tij,tj->ti", facing, channels[:, getattr(Layout, f"foot_{side}")])) for side in "lr"}
    ankles = {side: _above_floor(body, place(getattr(Layout, f"ankle_{side}")), feet[side]) for side in "lr"}
    pelvis = _sink(body, place(Layout.pelvis), pelvis_turn, ankles)
    joints = {"pelvis": pelvis}
    turns = {"pelvis": pelvis_turn, "waist": waist_turn, "chest": chest_turn, "head": head_turn}
    joints["waist"] = pelvis + waist_turn[..., 1] * body.torso * 0.36
    joints["neck"] = joints["waist"] + chest_turn[..., 1] * body.torso * 0.64
    neck_turn = chest_turn @ from_vector(channels[:, Layout.head_turn] * 0.5)
    joints["chin"] = joints["neck"] + neck_turn[..., 1] * body.neck + neck_turn[..., 2] * body.neck * 0.18
    joints["head"] = joints["chin"] + head_turn[..., 1] * body.head * 0.5
    for sign, side in ((1, "l"), (-1, "r")):
        _add_arm(body, joints, channels, chest_turn, side, sign)
        _add_leg(body, joints, turns, ankles[side], feet[side], side, sign)
    return Figure(joints=joints, turns=turns)


def _above_floor(body: Body, ankle: np.ndarray, forward: np.ndarray) -> np.ndarray:
    """The ankle lifted where heel or toe would go through the floor."""
    lean = np.sqrt(np.maximum(1 - forward[:, 1] ** 2, 0)) * body.ankle_height * SOLE
    toe = forward[:, 1] * body.foot * TOE - lean
    heel = -forward[:, 1] * body.foot * HEEL - lean
    lowest = ankle[:, 1] + np.minimum(toe, heel)
    soft = 0.006 * body.leg
    return ankle + soft * np.logaddexp(0, ((1 - SOLE) * body.ankle_height - lowest) / soft)[:, None] * [0, 1, 0]


def _sink(body: Body, pelvis: np.ndarray, turn: np.ndarray, ankles: dict[str, np.ndarray]) -> np.ndarray:
    sink = np.zeros(len(pelvis))
    for sign, side in ((1, "l"), (-1, "r")):
        span = pelvis + sign * turn[..., 0] * body.hip_width / 2 - ankles[side]
        reach = np.sqrt(np.maximum((body.leg * 0.993) ** 2 - span[:, 0] ** 2 - span[:, 2] ** 2, 0.01))
        soft = 0.012 * body.leg
        sink = np.maximum(sink, soft * np.logaddexp(0, (span[:, 1] - reach) / soft))
    return pelvis - sink[:, None] * [0, 1, 0]


def _add_arm(
    body: Body, joints: dict[str, np.ndarray], channels: np.ndarray, chest: np.ndarray, side: str, sign: int
) -> None:
    upper = unit(channels[:, getattr(Layout, f"upper_arm_{side}")])
    fore = unit(channels[:, getattr(Layout, f"forearm_{side}")])
    shrug = 0.45 * np.clip(upper[:, 1] * 0.5 + 0.5, 0, 1) ** 1.5 - 0.32  # raising an arm lifts its shoulder
    out = body.shoulder_width / 2
    clavicle = np.stack([sign * np.cos(shrug) * out, np.sin(shrug) * out, np.zeros(len(shrug))], axis=1)
    joints[f"shoulder_{side}"] = joints["neck"] + np.einsum("tij,tj->ti", chest, clavicle)
    joints[f"elbow_{side}"] = joints[f"shoulder_{side}"] + np.einsum("tij,tj->ti", chest, upper) * body.upper_arm
    along = np.einsum("tij,tj->ti", chest, fore)
    joints[f"wrist_{side}"] = joints[f"elbow_{side}"] + along * body.forearm
    joints[f"hand_{side}"] = joints[f"wrist_{side}"] + along * body.hand


def _add_leg(
    body: Body,
    joints: dict[str, np.ndarray],
    turns: dict[str, np.ndarray],
    ankle: np.ndarray,
    forward: np.ndarray,
    side: str,
    sign: int,
) -> None:
    hip = joints["pelvis"] + sign * turns["pelvis"][..., 0] * body.hip_width / 2
    span = ankle - hip
    length = np.linalg.norm(span, axis=1, keepdims=True)
    reach = np.clip(length, abs(body.thigh - body.shin) + 0.02, body.leg * 0.9999)
    down = span / np.maximum(length, 1e-6)
    ankle = hip + down * reach
    along = (body.thigh**2 - body.shin**2 + reach**2) / (2 * reach)
    height = np.sqrt(np.maximum(body.thigh**2 - along**2, 0))
    flat = unit(forward * [1, 0, 1] + turns["pelvis"][..., 2] + [0, 0.05, 0])
    bend = unit(flat - np.sum(flat * down, axis=1, keepdims=True) * down)
    joints[f"hip_{side}"], joints[f"ankle_{side}"] = hip, ankle
    joints[f"knee_{side}"] = hip + down * along + bend * height
    across = unit(np.cross(np.array([0.0, 1.0, 0.0]), forward))
    up = np.cross(forward, across)
    turns[f"foot_{side}"] = np.stack([across, up, forward], axis=2)
    sole = ankle - up * body.ankle_height * SOLE
    joints[f"heel_{side}"] = sole - forward * body.foot * HEEL
    joints[f"toe_{side}"] = sole + forward * body.foot * TOE
    joints[f"big_toe_{side}"] = joints[f"toe_{side}"] - sign * across * body.foot * 0.1
    joints[f"small_toe_{side}"] = sole + forward * body.foot * 0.58 + sign * across * body.foot * 0.2
