"""What a dancer does in a clip: walks, turns, gestures and dances, one after the other."""

from dataclasses import dataclass

import numpy as np

from training.puppets.dance import DANCES
from training.puppets.fit_mocap import waves
from training.puppets.motion import Layout, Motion, chain
from training.puppets.moves import (
    Generator,
    bend,
    curves,
    gesture,
    idle,
    jump,
    jumping_jack,
    rest_pose,
    squat,
    turn,
    wave,
)

THEMES = {"dance": 0.42, "stroll": 0.2, "mix": 0.23, "approach": 0.08, "exit": 0.07}
"""How often a clip is of each kind."""
EVERYDAY = (idle, wave, jump, jumping_jack, squat, bend, gesture, gesture)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where the dancer may go, in leg lengths from the middle; z points to the camera.

    Attributes:
        reach: Farthest to the side that keeps the person in the picture.
        exit: Far enough to the side to be out of it.
        near: Toward the camera for a close-up.
        far: Away from the camera (negative).
    """

    reach: float = 1.6
    exit: float = 3.0
    near: float = 2.0
    far: float = -1.0


def walk_to(generator: Generator, target: np.ndarray, fps: float, gait: str = "walk", pace: float = 1.0) -> Motion:
    """Walks or runs to a place `(2,)` given from the walker (x to the left, z ahead), turning on the way."""
    cycle = curves()["cycles"][gait]
    speed, period = cycle["speed"] * pace, cycle["period"] / pace**0.5
    place, heading, rate, amount = np.zeros(2), 0.0, 0.0, 0.15
    roots, amounts, rates = [np.zeros(3)], [amount], [0.0]
    while len(roots) < 20 * fps:
        left = target - place
        distance = float(np.hypot(*left))
        wanted = float(np.arctan2(left[0], left[1]))
        off = (wanted - heading + np.pi) % (2 * np.pi) - np.pi
        goal = min(1.0, distance / (0.45 * speed)) * (1 - 0.6 * min(1.0, abs(off) / 1.6))
        amount += (goal - amount) * min(1.0, 6 / fps)
        rate += (np.clip(3.5 * off, -2.8, 2.8) - rate) * min(1.0, 8 / fps)
        heading += rate / fps
        place = place + amount * speed / fps * np.array([np.sin(heading), np.cos(heading)])
        roots.append(np.array([*place, heading]))
        amounts.append(amount)
        rates.append(rate)
        if distance < 0.12 or (distance < 0.5 and abs(off) > 1.4):
            break
    return _stride(cycle, np.array(roots), np.array(amounts), np.array(rates), period * fps / pace**0.5, generator)


def _stride(
    cycle: dict, root: np.ndarray, amount: np.ndarray, rate: np.ndarray, period: float, generator: Generator
) -> Motion:
    phase = np.arange(len(root)) / period + generator.choice([0.0, 0.5]) + generator.uniform(0, 0.1)
    steady = waves(phase) @ np.array(cycle["series"])
    pose = rest_pose() * (1 - amount[:, None]) + steady * amount[:, None]
    for foot in (Layout.ankle_l, Layout.ankle_r):
        pose[:, foot.start + 1] = steady[:, foot.start + 1] * np.sqrt(amount)
    pose[:, Layout.head_turn.start + 1] += 0.16 * rate  # looks where it turns to
    pose[:, Layout.pelvis_turn.start + 2] -= 0.03 * rate * amount
    return Motion(root, pose)


@dataclass
class _Script:
    """Motions so far and the root that they end in."""

    generator: Generator
    fps: float
    stage: Stage
    motions: list[Motion]
    root: np.ndarray
    frames: int = 0

    def add(self, motion: Motion) -> None:
        sine, cosine = np.sin(self.root[2]), np.cos(self.root[2])
        x, z, heading = motion.root[-1]
        self.root = self.root + np.array([x * cosine + z * sine, z * cosine - x * sine, heading])
        self.motions.append(motion)
        self.frames += len(motion)

    def face(self, heading: float) -> None:
        angle = (heading - self.root[2] + np.pi) % (2 * np.pi) - np.pi
        if abs(angle) > 0.3:
            self.add(turn(self.generator, angle, self.fps))

    def walk(self, x: float, z: float, gait: str = "walk") -> None:
        sine, cosine = np.sin(self.root[2]), np.cos(self.root[2])
        x, z = x - self.root[0], z - self.root[1]
        target = np.array([x * cosine - z * sine, x * sine + z * cosine])
        angle = float(np.arctan2(target[0], target[1]))
        if np.hypot(x, z) < 0.3:
            return
        if abs(angle) > 1.9:
            self.add(turn(self.generator, angle * 0.6, self.fps))
            self.walk(x + self.root[0], z + self.root[1], gait)
            return
        self.add(walk_to(self.generator, target, self.fps, gait, self.generator.uniform(0.8, 1.2)))

    def front(self) -> float:
        """A heading that mostly shows the face."""
        if self.generator.random() < 0.12:
            return float(self.generator.uniform(-np.pi, np.pi))
        return float(np.clip(self.generator.normal(0, 0.4), -1.2, 1.2))


def choreograph(generator: Generator, frames: int, fps: float, stage: Stage) -> Motion:
    """A motion of that many frames; it begins in the middle of something, as a cut from a longer film does."""
    theme = str(generator.choice(list(THEMES), p=list(THEMES.values())))
    place = generator.uniform([-0.6 * stage.reach, 0.5 * stage.far], [0.6 * stage.reach, 0.3])
    heading = generator.uniform(-np.pi, np.pi) if theme == "stroll" else generator.normal(0, 0.5)
    script = _Script(generator, fps, stage, [], np.array([*place, heading]))
    start = script.root
    before = round(generator.uniform(0, 1.0) * fps)
    if theme in ("dance", "mix"):
        before += round(0.3 * fps)
    acts = {"dance": _dance, "stroll": _stroll, "mix": _mix, "approach": _approach, "exit": _exit}
    tempo = float(generator.uniform(88, 132))
    while script.frames < frames + before:
        acts[theme](script, tempo)
    whole = chain(script.motions, fps, start)
    return Motion(whole.root[before : before + frames], whole.pose[before : before + frames])


def _dance(script: _Script, tempo: float) -> None:
    generator = script.generator
    choice = generator.random()
    if choice < 0.1:
        script.add(turn(generator, float(generator.choice([-1, 1]) * generator.choice([np.pi, 2 * np.pi])), script.fps))
    elif choice < 0.18:
        script.walk(generator.uniform(-0.7, 0.7) * script.stage.reach, generator.uniform(0.6 * script.stage.far, 0.3))
        script.face(script.front())
    else:
        if generator.random() < 0.3:
            script.face(script.front())
        frames = round(float(generator.choice([4, 4, 8])) * 60 / tempo * script.fps)
        script.add(DANCES[generator.integers(len(DANCES))](generator, frames, script.fps, tempo))


def _stroll(script: _Script, tempo: float) -> None:
    generator, stage = script.generator, script.stage
    side = -np.sign(script.root[0]) if generator.random() < 0.8 else generator.choice([-1, 1])
    gait = "run" if generator.random() < 0.15 else "walk"
    script.walk(side * generator.uniform(0.4, 1) * stage.reach, generator.uniform(stage.far, 0.2 * stage.near), gait)
    if generator.random() < 0.4:
        if generator.random() < 0.6:
            script.face(script.front())
        script.add(idle(generator, round(generator.uniform(0.8, 1.8) * script.fps), script.fps))


def _mix(script: _Script, tempo: float) -> None:
    generator = script.generator
    if generator.random() < 0.25:
        _stroll(script, tempo)
        return
    script.face(script.front())
    move = EVERYDAY[generator.integers(len(EVERYDAY))]
    script.add(move(generator, round(generator.uniform(1.5, 3.5) * script.fps), script.fps))


def _approach(script: _Script, tempo: float) -> None:
    generator, stage = script.generator, script.stage
    script.walk(generator.uniform(-0.2, 0.2), generator.uniform(0.6, 1) * stage.near)
    if generator.random() < 0.6:
        move = (idle, wave)[generator.integers(2)]
        script.add(move(generator, round(generator.uniform(0.6, 1.5) * script.fps), script.fps))
    script.walk(generator.uniform(-0.6, 0.6) * stage.reach, generator.uniform(stage.far, 0))
    _mix(script, tempo)


def _exit(script: _Script, tempo: float) -> None:
    generator, stage = script.generator, script.stage
    side = generator.choice([-1, 1])
    script.walk(side * stage.exit, generator.uniform(stage.far, 0.3), "run" if generator.random() < 0.25 else "walk")
    if generator.random() < 0.5:
        script.add(idle(generator, round(generator.uniform(0.2, 0.6) * script.fps), script.fps))
    script.walk(generator.uniform(-0.5, 0.5) * stage.reach, generator.uniform(stage.far, 0.2))
    _mix(script, tempo)
