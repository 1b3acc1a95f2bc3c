"""Everyday moves: standing, waving, jumping, squatting, bending, turning, and recorded gestures."""

import json
from functools import cache
from importlib.resources import files

import numpy as np

from training.puppets.motion import Layout, Motion, mirror
from training.puppets.rotations import about_y

Angle = float | np.ndarray
Generator = np.random.Generator


def direction(side: str, out: Angle, forward: Angle) -> np.ndarray:
    """Unit vectors `(..., 3)` of an arm: degrees away from hanging, sideways (180 is up) and to the front."""
    out, forward = np.broadcast_arrays(np.radians(out), np.radians(forward))
    sign = 1.0 if side == "l" else -1.0
    return np.stack([sign * np.sin(out), -np.cos(out) * np.cos(forward), np.cos(out) * np.sin(forward)], axis=-1)


def set_arm(pose: np.ndarray, side: str, upper: tuple[Angle, Angle], fore: tuple[Angle, Angle] | None = None) -> None:
    """Points an arm; each pair is (sideways, forward) in degrees, the forearm like the upper arm by default."""
    pose[:, getattr(Layout, f"upper_arm_{side}")] = direction(side, *upper)
    pose[:, getattr(Layout, f"forearm_{side}")] = direction(side, *(fore or upper))


def rest_pose() -> np.ndarray:
    """`(1, 36)`: standing with hanging arms."""
    pose = np.zeros((1, Layout.size))
    pose[:, Layout.pelvis] = 0, 0.985, 0
    for side, sign in (("l", 1), ("r", -1)):
        set_arm(pose, side, (14.0, -2.0), (10.0, 14.0))
        pose[:, getattr(Layout, f"ankle_{side}")] = sign * 0.115, 0, 0
        pose[:, getattr(Layout, f"foot_{side}")] = about_y(np.array(sign * 0.2))[:, 2]
    return pose


def still(frames: int) -> np.ndarray:
    """A root that stays, `(T, 3)`."""
    return np.zeros((frames, 3))


def seconds(frames: int, fps: float) -> np.ndarray:
    """Moments of the frames, `(T,)`."""
    return np.arange(frames) / fps


def shift_weight(pose: np.ndarray, side: Angle) -> None:
    """Moves the hips over one foot (1 is fully left, -1 right): they tilt, the chest counters."""
    pose[:, Layout.pelvis.start] += 0.07 * side
    pose[:, Layout.pelvis.start + 1] -= 0.012 * np.abs(side)
    pose[:, Layout.pelvis_turn.start + 2] += 0.07 * side
    pose[:, Layout.chest_turn.start + 2] -= 0.10 * side
    pose[:, Layout.head_turn.start + 2] += 0.03 * side


def idle(generator: Generator, frames: int, fps: float) -> Motion:
    """Standing: breathing, slow shifts of weight, looking about; arms hang, rest on the hips or are crossed."""
    pose, time = np.repeat(rest_pose(), frames, axis=0), seconds(frames, fps)
    shift_weight(pose, 0.8 * np.sin(2 * np.pi * (time * generator.uniform(0.15, 0.3) + generator.random())))
    pose[:, Layout.chest_turn.start] += 0.02 * np.sin(2 * np.pi * time * 0.3)
    look = generator.uniform(0.1, 0.5) * np.sin(2 * np.pi * (time * generator.uniform(0.15, 0.35) + generator.random()))
    pose[:, Layout.head_turn.start + 1] += look
    arms = generator.choice(["hang", "hips", "one hip", "behind"], p=[0.5, 0.2, 0.2, 0.1])
    for side in {"hang": "", "hips": "lr", "one hip": generator.choice(["l", "r"]), "behind": "lr"}[str(arms)]:
        if arms == "behind":
            set_arm(pose, side, (14.0, -22.0), (-22.0, -12.0))
        else:
            set_arm(pose, side, (42.0, -18.0), (-46.0, 24.0))
    return Motion(still(frames), pose)


def wave(generator: Generator, frames: int, fps: float) -> Motion:
    """Waving with a raised hand, the other arm hanging."""
    motion = idle(generator, frames, fps)
    pose, time = motion.pose, seconds(frames, fps)
    swing = np.sin(2 * np.pi * time * generator.uniform(1.2, 2.0))
    raised = generator.uniform(55, 110)
    set_arm(pose, "r", (raised + 5 * swing, 15.0), (165 + 28 * swing, 10.0))
    set_arm(pose, "l", (11.0, -2.0), (7.0, 14.0))
    shift_weight(pose, 0.4 + 0.15 * swing)
    return mirror(motion) if generator.random() < 0.5 else motion


def curve(phase: np.ndarray, points: list[tuple[float, float]]) -> np.ndarray:
    """Eased interpolation through (phase, value), phase taken modulo 1; each point is approached at rest."""
    moments, values = np.array(points).T
    phase = phase % 1
    part = np.clip(np.searchsorted(moments, phase, side="right") - 1, 0, len(moments) - 2)
    share = (phase - moments[part]) / (moments[part + 1] - moments[part])
    return values[part] + (values[part + 1] - values[part]) * share**2 * (3 - 2 * share)


def jump(generator: Generator, frames: int, fps: float) -> Motion:
    """Jumping on the spot: crouch, throw the arms up, fly, land softly."""
    pose, time = np.repeat(rest_pose(), frames, axis=0), seconds(frames, fps)
    period, height = generator.uniform(1.05, 1.5), generator.uniform(0.14, 0.4)
    phase = time / period % 1
    flight = np.clip((phase - 0.38) / 0.34, 0, 1)
    rise = height * 4 * flight * (1 - flight)
    crouch = curve(phase, [(0, 0.0), (0.26, 1.0), (0.4, -0.05), (0.66, 0.1), (0.82, 0.75), (1, 0.0)])
    pose[:, Layout.pelvis.start + 1] += rise - 0.26 * crouch
    pose[:, Layout.pelvis_turn.start] += 0.35 * crouch
    pose[:, Layout.chest_turn.start] += 0.35 * crouch
    pose[:, Layout.head_turn.start] -= 0.4 * crouch
    throw = curve(phase, [(0, 5.0), (0.2, -32.0), (0.58, 125.0), (0.94, 5.0), (1, 5.0)])
    tuck = 0.25 * height * np.sin(np.pi * flight) ** 2
    for side in "lr":
        set_arm(pose, side, (15.0, throw), (12.0, throw + 20 + 15 * crouch))
        pose[:, getattr(Layout, f"ankle_{side}").start + 1] += rise + tuck
        toes = pose[:, getattr(Layout, f"foot_{side}")]
        toes[:, 1] -= 0.8 * np.sin(np.pi * flight) ** 2
    return Motion(still(frames), pose)


def jumping_jack(generator: Generator, frames: int, fps: float) -> Motion:
    """Feet apart with the arms over the head, and back."""
    pose, time = np.repeat(rest_pose(), frames, axis=0), seconds(frames, fps)
    phase = time / generator.uniform(0.9, 1.3) % 1
    apart = curve(phase, [(0, 0.0), (0.1, 0.0), (0.42, 1.0), (0.58, 1.0), (0.9, 0.0), (1, 0.0)])
    hop = np.sin(2 * np.pi * phase) ** 2
    pose[:, Layout.pelvis.start + 1] += 0.1 * hop - 0.06 * (1 - hop) - 0.05 * apart
    for side, sign in (("l", 1), ("r", -1)):
        set_arm(pose, side, (12 + 140 * apart, 8.0), (10 + 158 * apart, 10.0))
        ankle = getattr(Layout, f"ankle_{side}").start
        pose[:, ankle] += sign * 0.25 * apart
        pose[:, ankle + 1] += 0.09 * hop
        pose[:, getattr(Layout, f"foot_{side}").start + 1] -= 0.35 * hop
    return Motion(still(frames), pose)


def squat(generator: Generator, frames: int, fps: float) -> Motion:
    """Knee bends with the arms held to the front or the hands on the chest."""
    pose, time = np.repeat(rest_pose(), frames, axis=0), seconds(frames, fps)
    phase = time / generator.uniform(1.6, 2.6)
    low = curve(phase, [(0, 0.0), (0.45, 1.0), (0.55, 1.0), (1, 0.0)]) * generator.uniform(0.7, 1.0)
    pose[:, Layout.pelvis.start + 1] -= 0.42 * low
    pose[:, Layout.pelvis.start + 2] -= 0.22 * low
    pose[:, Layout.pelvis_turn.start] += 0.55 * low
    pose[:, Layout.chest_turn.start] += 0.25 * low
    pose[:, Layout.head_turn.start] -= 0.6 * low
    for side, sign in (("l", 1), ("r", -1)):
        pose[:, getattr(Layout, f"ankle_{side}").start] += sign * 0.08
        set_arm(pose, side, (10.0, 5 + 100 * low), (6.0, 14 + 92 * low))
    return Motion(still(frames), pose)


def bend(generator: Generator, frames: int, fps: float) -> Motion:
    """Bending: forward to the floor, or to the sides with an arm over the head."""
    pose, time = np.repeat(rest_pose(), frames, axis=0), seconds(frames, fps)
    phase = time / generator.uniform(2.0, 3.2)
    if generator.random() < 0.5:
        low = curve(phase, [(0, 0.0), (0.4, 1.0), (0.6, 1.0), (1, 0.0)]) * generator.uniform(0.6, 1.0)
        pose[:, Layout.pelvis_turn.start] += 0.75 * low
        pose[:, Layout.chest_turn.start] += 0.95 * low
        pose[:, Layout.pelvis.start + 2] -= 0.2 * low
        pose[:, Layout.pelvis.start + 1] -= 0.06 * low
        for side in "lr":
            set_arm(pose, side, (8.0, 80 * low), (5.0, 14 + 75 * low))
        return Motion(still(frames), pose)
    lean = np.sin(2 * np.pi * phase / 1.4)
    shift_weight(pose, -0.7 * lean)
    pose[:, Layout.chest_turn.start + 2] += 0.55 * lean
    pose[:, Layout.pelvis_turn.start + 2] += 0.12 * lean
    for side, sign in (("l", -1), ("r", 1)):
        up = np.clip(lean if side == "r" else -lean, 0, 1)
        set_arm(pose, side, (14 + 138 * up, 5.0), (10 + 190 * up, 10.0))
        pose[:, getattr(Layout, f"ankle_{side}").start] -= sign * 0.06
    return Motion(still(frames), pose)


def turn(generator: Generator, angle: float, fps: float) -> Motion:
    """Turning on the spot by an angle in radians, the feet stepping round one after the other."""
    steps = max(2, 2 * round(abs(angle) / 0.9))
    step_seconds = generator.uniform(0.24, 0.36)
    frames = max(3, round(steps * step_seconds * fps))
    pose, step = np.repeat(rest_pose(), frames, axis=0), seconds(frames, fps) / step_seconds
    whole = np.clip(step / steps, 0, 1)
    heading = angle * whole**2 * (3 - 2 * whole)
    first = "l" if angle > 0 else "r"
    for side in "lr":
        shares = [np.clip(step - k, 0, 1) for k in range(0 if side == first else 1, steps, 2)]
        done = sum(share**2 * (3 - 2 * share) for share in shares) / len(shares)
        lift = sum(np.sin(np.pi * share) ** 2 for share in shares)
        own = angle * done
        for part in (getattr(Layout, f"ankle_{side}"), getattr(Layout, f"foot_{side}")):
            pose[:, part] = np.einsum("tij,tj->ti", about_y(own - heading), pose[:, part])
        pose[:, getattr(Layout, f"ankle_{side}").start + 1] += 0.07 * lift
        shift_weight(pose, (-0.5 if side == "l" else 0.5) * lift)
    lead = np.gradient(heading) * fps * 0.12
    pose[:, Layout.chest_turn.start + 1] += lead
    pose[:, Layout.head_turn.start + 1] += lead
    return Motion(np.column_stack([np.zeros((frames, 2)), heading]), pose)


@cache
def curves() -> dict:
    """The fitted numbers, see `fit_mocap.py`."""
    return json.loads(files("training.puppets").joinpath("curves.json").read_text())


GESTURES = ("leap", "punch", "scoop", "wash")


def gesture(generator: Generator, frames: int, fps: float, name: str | None = None) -> Motion:
    """A stretch of a recorded gesture, faster or slower, perhaps mirrored."""
    keys = np.array(curves()["gestures"][name or generator.choice(GESTURES)])
    rate = curves()["keys_per_second"] * generator.uniform(0.75, 1.15)
    last = len(keys) - 1.001
    start = generator.uniform(0, max(0.0, last - frames / fps * rate)) if len(keys) > 35 else 0.0
    moment = start + seconds(frames, fps) * rate
    moment = last - np.abs(last - moment % (2 * last))  # past its end a gesture runs back
    at, share = moment.astype(int), (moment % 1)[:, None]
    before, here, after, later = (keys[np.clip(at + k, 0, len(keys) - 1)] for k in (-1, 0, 1, 2))
    cubic = 2 * before - 5 * here + 4 * after - later + share * (3 * (here - after) + later - before)
    motion = Motion(still(frames), here + 0.5 * share * (after - before + share * cubic))
    return mirror(motion) if generator.random() < 0.5 else motion
