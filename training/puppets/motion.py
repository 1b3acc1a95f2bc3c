"""Motions as channels over time, and how several become one smooth motion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.puppets.rotations import about_y


class Layout:
    """Where each part lies among the 36 channels of a pose.

    Positions are in leg lengths relative to the root (the point on the floor under the person, turned by the
    heading); ankles have height 0 on the floor. Turns are rotation vectors, of the chest relative to the pelvis and
    of the head relative to the chest. Directions of arms are relative to the chest, those of feet to the root.
    """

    pelvis = slice(0, 3)
    pelvis_turn = slice(3, 6)
    chest_turn = slice(6, 9)
    head_turn = slice(9, 12)
    upper_arm_l = slice(12, 15)
    upper_arm_r = slice(15, 18)
    forearm_l = slice(18, 21)
    forearm_r = slice(21, 24)
    ankle_l = slice(24, 27)
    ankle_r = slice(27, 30)
    foot_l = slice(30, 33)
    foot_r = slice(33, 36)
    size = 36
    in_room = (pelvis, ankle_l, ankle_r, foot_l, foot_r)
    """Parts given relative to the root."""


@dataclass(frozen=True)
class Motion:
    """Some seconds of motion.

    Attributes:
        root: `(T, 3)`: x and z on the floor in leg lengths, heading in radians (0 looks along z).
        pose: `(T, 36)`, see `Layout`.
    """

    root: np.ndarray
    pose: np.ndarray

    def __len__(self) -> int:
        return len(self.root)


SETTLE_SECONDS = 0.55
"""How long the difference to the motion before takes to fade."""
STEP_SECONDS = 0.36


def mirror(motion: Motion) -> Motion:
    """Left and right exchanged."""
    pose = motion.pose.copy()
    for part in ("upper_arm", "forearm", "ankle", "foot"):
        left, right = getattr(Layout, f"{part}_l"), getattr(Layout, f"{part}_r")
        pose[:, left], pose[:, right] = motion.pose[:, right], motion.pose[:, left]
        pose[:, [left.start, right.start]] *= -1
    pose[:, Layout.pelvis.start] *= -1
    for turn in (Layout.pelvis_turn, Layout.chest_turn, Layout.head_turn):
        pose[:, turn] *= [1, -1, -1]
    return Motion(motion.root * [-1, 1, -1], pose)


def chain(motions: Sequence[Motion], fps: float, start: np.ndarray) -> Motion:
    """One motion after the other without a jump in place or speed.

    Each motion begins where the one before ended. The difference left between them fades out in the later one
    (inertialisation: Bollo, "Inertialization", GDC 2018), except that a planted foot takes a step to its new place.

    Args:
        motions: Each starting from the root (0, 0, 0).
        fps: Frames per second.
        start: Root of the first frame, `(3,)`.
    """
    whole = _to_room(_moved(motions[0], start))
    root = _moved(motions[0], start).root
    for motion in motions[1:]:
        moved = _moved(motion, root[-1])
        whole = np.concatenate([whole, _continued(whole[-2:], _to_room(moved), fps)])
        root = np.concatenate([root, moved.root])
    return _from_room(root, whole)


def _moved(motion: Motion, start: np.ndarray) -> Motion:
    turn = about_y(start[2])[::2, ::2]
    place = (motion.root[:, :2] - motion.root[0, :2]) @ turn.T + start[:2]
    return Motion(np.column_stack([place, motion.root[:, 2] - motion.root[0, 2] + start[2]]), motion.pose)


def _origin(root: np.ndarray) -> np.ndarray:
    return np.stack([root[:, 0], np.zeros(len(root)), root[:, 1]], axis=1)


def _to_room(motion: Motion) -> np.ndarray:
    """`(T, 36)`: the pose with positions and feet in the room instead of relative to the root."""
    pose, facing = motion.pose.copy(), about_y(motion.root[:, 2])
    for part in Layout.in_room:
        pose[:, part] = np.einsum("tij,tj->ti", facing, pose[:, part])
    for part in (Layout.pelvis, Layout.ankle_l, Layout.ankle_r):
        pose[:, part] += _origin(motion.root)
    return pose


def _from_room(root: np.ndarray, room: np.ndarray) -> Motion:
    pose, facing = room.copy(), about_y(root[:, 2])
    for part in (Layout.pelvis, Layout.ankle_l, Layout.ankle_r):
        pose[:, part] -= _origin(root)
    for part in Layout.in_room:
        pose[:, part] = np.einsum("tji,tj->ti", facing, pose[:, part])
    return Motion(root, pose)


def _continued(before: np.ndarray, after: np.ndarray, fps: float) -> np.ndarray:
    """The later channels, starting from the value and the speed of the last two rows before them."""
    moment = np.arange(1, len(after) + 1) / fps
    speed = np.zeros_like(before[1]) if len(after) < 2 else (before[1] - before[0]) - (after[1] - after[0])
    offset = before[1] - (after[0] - (after[1] - after[0] if len(after) > 1 else 0))
    settled = after + _fading(offset, speed * fps, moment, SETTLE_SECONDS)
    gap = {side: float(np.linalg.norm(offset[getattr(Layout, f"ankle_{side}")])) for side in "lr"}
    first = max(gap, key=lambda side: gap[side])
    for side in "lr":
        ankle, foot = getattr(Layout, f"ankle_{side}"), getattr(Layout, f"foot_{side}")
        rising = before[1][ankle][1] > 0.13 or np.linalg.norm(speed[ankle]) * fps > 0.6
        if gap[side] < 0.03 or rising:
            continue  # too near to need a step, or already in one
        done = np.clip((moment - (0.0 if side == first else STEP_SECONDS * 0.8)) / STEP_SECONDS, 0, 1)
        eased = done**3 * (10 - 15 * done + 6 * done**2)
        for part in (ankle, foot):
            settled[:, part] = after[:, part] + offset[part] * (1 - eased)[:, None]
        settled[:, ankle.start + 1] += (0.05 + 0.12 * min(gap[side], 0.6)) * np.sin(np.pi * eased) ** 2
    return settled


def _fading(offset: np.ndarray, speed: np.ndarray, moment: np.ndarray, seconds: float) -> np.ndarray:
    """A cubic `(T, C)` with this value and slope at 0 and none at `seconds` (and after)."""
    share = np.clip(moment / seconds, 0, 1)[:, None]
    return offset * (1 - share) ** 2 * (1 + 2 * share) + speed * seconds * share * (1 - share) ** 2
