"""Dance moves: everything follows one beat."""

import numpy as np

from training.puppets.motion import Layout, Motion, mirror
from training.puppets.moves import Generator, curve, rest_pose, seconds, set_arm, shift_weight, still


def _counted(frames: int, fps: float, tempo: float) -> tuple[np.ndarray, np.ndarray]:
    """A standing pose for every frame, with knees that give on each beat; and the beat (0 is the first)."""
    pose, beat = np.repeat(rest_pose(), frames, axis=0), seconds(frames, fps) * tempo / 60
    bounce = 0.5 + 0.5 * np.cos(2 * np.pi * beat)
    pose[:, Layout.pelvis.start + 1] -= 0.03 + 0.035 * bounce
    pose[:, Layout.head_turn.start] += 0.1 * bounce
    pose[:, Layout.chest_turn.start] += 0.05 * bounce
    return pose, beat


def _loose_arms(pose: np.ndarray, beat: np.ndarray, amount: float = 1.0) -> None:
    """Bent arms that swing against each other every two beats."""
    swing = amount * np.sin(np.pi * beat)
    for side, sign in (("l", 1), ("r", -1)):
        set_arm(pose, side, (18.0, -5 + sign * 28 * swing), (-8 + 6 * sign * swing, 72 + sign * 34 * swing))


def sway(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """Hips from side to side with loose arms."""
    pose, beat = _counted(frames, fps, tempo)
    side = np.sin(np.pi * beat)
    shift_weight(pose, generator.uniform(0.8, 1.5) * side)
    pose[:, Layout.chest_turn.start + 1] += 0.18 * side
    _loose_arms(pose, beat, generator.uniform(0.4, 1.2))
    for foot, sign in (("l", 1), ("r", -1)):
        free = np.clip(-sign * side, 0, 1)  # the heel of the foot without weight comes up
        pose[:, getattr(Layout, f"ankle_{foot}").start + 1] += 0.05 * free
        pose[:, getattr(Layout, f"foot_{foot}").start + 1] -= 0.3 * free
    return Motion(still(frames), pose)


def step_touch(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """A step to the side, the other foot closes; and back. Arms swing or clap on the closing beat."""
    pose, beat = _counted(frames, fps, tempo)
    width, phase = generator.uniform(0.2, 0.38), beat / 4
    left = curve(phase, [(0, -1.0), (0.08, -1.0), (0.25, 1.0), (0.58, 1.0), (0.75, -1.0), (1, -1.0)])
    moves = {
        "l": [(0, 0.0), (0.02, 0.0), (0.2, 1.0), (0.78, 1.0), (0.95, 0.0), (1, 0.0)],
        "r": [(0, 0.0), (0.28, 0.0), (0.45, 1.0), (0.52, 1.0), (0.7, 0.0), (1, 0.0)],
    }
    for foot, points in moves.items():
        place = curve(phase, points)
        pose[:, getattr(Layout, f"ankle_{foot}").start] += width * (2 * place - 1)
        pose[:, getattr(Layout, f"ankle_{foot}").start + 1] += 0.3 * place * (1 - place)
    pose[:, Layout.pelvis.start] += width * left
    pose[:, Layout.chest_turn.start + 2] -= 0.08 * left
    if generator.random() < 0.5:
        _loose_arms(pose, beat)
    else:
        open_ = 0.5 + 0.5 * np.cos(np.pi * beat)
        for side in "lr":
            set_arm(pose, side, (12 + 25 * open_, 35.0), (-28 + 62 * open_, 95.0))
    return Motion(still(frames), pose)


def arm_swings(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """Straight arms drawn from side to side over the head or before the body."""
    pose, beat = _counted(frames, fps, tempo)
    side = np.sin(np.pi * beat)
    shift_weight(pose, side)
    high = generator.random() < 0.6
    for arm, sign in (("l", 1), ("r", -1)):
        if high:
            set_arm(pose, arm, (150 - 24 * sign * side, 8.0), (168 - 34 * sign * side, 10.0))
        else:
            set_arm(pose, arm, (20 + 50 * np.clip(sign * side, -0.4, 1), 40.0), (10 + 66 * sign * side, 55.0))
    pose[:, Layout.chest_turn.start + 1] += 0.25 * side
    return Motion(still(frames), pose)


def punches(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """Fists to the front, to the ceiling or to the side, left and right in turn."""
    pose, beat = _counted(frames, fps, tempo)
    where = generator.choice(["front", "up", "side"])
    for arm, shift in (("l", 0.0), ("r", 0.5)):
        out = curve(beat / 2 + shift, [(0, 0.0), (0.1, -0.06), (0.4, 1.0), (0.46, 1.0), (0.8, 0.0), (1, 0.0)])
        guard = ((24.0, 10.0), (-24.0, 125.0))
        aim = {"front": (2.0, 88.0), "up": (160.0, 12.0), "side": (88.0, 20.0)}[str(where)]
        blend = [[a + (b - a) * out for a, b in zip(part, aim, strict=True)] for part in guard]
        set_arm(pose, arm, (blend[0][0], blend[0][1]), (blend[1][0], blend[1][1]))
        sign = 1 if arm == "l" else -1
        pose[:, Layout.pelvis_turn.start + 1] -= 0.18 * sign * out
        pose[:, Layout.chest_turn.start + 1] -= 0.25 * sign * out
        pose[:, Layout.head_turn.start + 1] += 0.3 * sign * out
        shift_weight(pose, 0.4 * sign * out)
    return Motion(still(frames), pose)


def twist(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """On the toes, hips and feet one way, chest the other."""
    pose, beat = _counted(frames, fps, tempo)
    way = np.sin(2 * np.pi * beat / 2)
    pose[:, Layout.pelvis.start + 1] -= 0.05 + 0.05 * (1 + np.cos(np.pi * beat / 4))
    pose[:, Layout.pelvis_turn.start + 1] += 0.45 * way
    pose[:, Layout.chest_turn.start + 1] -= 0.75 * way
    pose[:, Layout.head_turn.start + 1] += 0.3 * way
    for side, sign in (("l", 1), ("r", -1)):
        foot = getattr(Layout, f"foot_{side}")
        pose[:, foot.start] += 0.45 * way
        pose[:, getattr(Layout, f"ankle_{side}").start + 2] -= 0.02 * sign * way
        set_arm(pose, side, (30.0, 15 + 12 * sign * way), (-15.0, 85 + 20 * sign * way))
    return Motion(still(frames), pose)


def march(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """Knees up or kicks to the front, left and right in turn, arms against them."""
    pose, beat = _counted(frames, fps, tempo)
    kick, height = generator.random() < 0.4, generator.uniform(0.2, 0.5)
    for side, shift, sign in (("l", 0.0, 1), ("r", 0.5, -1)):
        up = curve(beat / 2 + shift, [(0, 0.0), (0.24, 1.0), (0.5, 0.0), (1, 0.0)])
        ankle = getattr(Layout, f"ankle_{side}").start
        pose[:, ankle] -= sign * 0.04
        pose[:, ankle + 1] += height * up
        pose[:, ankle + 2] += (0.55 if kick else 0.12) * up
        pose[:, getattr(Layout, f"foot_{side}").start + 1] += (0.3 if kick else -0.5) * up
        shift_weight(pose, -0.9 * sign * up)
        swing = curve(beat / 2 + shift, [(0, 0.0), (0.25, 1.0), (0.5, 0.0), (0.75, -1.0), (1, 0.0)])
        set_arm(pose, side, (12.0, 2 - 38 * swing), (4.0, 48 - 36 * swing))
    return Motion(still(frames), pose)


def raise_roof(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """Both hands push up on the beat, knees giving deeper."""
    pose, beat = _counted(frames, fps, tempo)
    up = 0.5 - 0.5 * np.cos(2 * np.pi * beat)
    pose[:, Layout.pelvis.start + 1] -= 0.06 * (1 - up)
    shift_weight(pose, 0.6 * np.sin(np.pi * beat / 2))
    for side in "lr":
        set_arm(pose, side, (75 + 60 * up, 20.0), (165 + 5 * up, 15.0))
    return Motion(still(frames), pose)


def point(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """One arm from the opposite hip to the sky, the other hand on the hip."""
    pose, beat = _counted(frames, fps, tempo)
    up = curve(beat / 4, [(0, 0.0), (0.2, 1.0), (0.5, 1.0), (0.7, 0.0), (1, 0.0)])
    set_arm(pose, "r", (-28 + 168 * up, 35 * (1 - up) + 10), (-36 + 180 * up, 40 * (1 - up) + 8))
    set_arm(pose, "l", (42.0, -18.0), (-46.0, 24.0))
    shift_weight(pose, 1.2 - 2 * up)
    pose[:, Layout.chest_turn.start + 1] += 0.3 - 0.55 * up
    pose[:, Layout.head_turn.start + 1] -= 0.3 * up
    motion = Motion(still(frames), pose)
    return mirror(motion) if generator.random() < 0.5 else motion


def wave_arms(generator: Generator, frames: int, fps: float, tempo: float) -> Motion:
    """A wave runs through both arms from one hand to the other."""
    pose, beat = _counted(frames, fps, tempo)
    run = np.pi * beat
    set_arm(pose, "l", (90 + 24 * np.sin(run - 1.0), 5.0), (90 + 40 * np.sin(run), 10.0))
    set_arm(pose, "r", (90 - 24 * np.sin(run - 3.2), 5.0), (90 - 40 * np.sin(run - 4.2), 10.0))
    shift_weight(pose, 0.8 * np.sin(run - 2))
    return Motion(still(frames), pose)


DANCES = (sway, step_touch, arm_swings, punches, twist, march, raise_roof, point, wave_arms)
