"""Fits the numbers in `curves.json` on recordings of the CMU Graphics Lab Motion Capture Database.

Run as `python -m training.puppets.fit_mocap --recordings FOLDER` with `02.asf` and `02_*.amc` (subject 02,
mocap.cs.cmu.edu) in the folder. Only fitted curves live in the project, never the recordings.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvae.cli import run_options
from cvae.errors import InputError
from training.puppets.rotations import from_vector, to_vector, xyz_degrees

RECORDED_FPS = 120
KEYS_PER_SECOND = 7.5
HARMONICS = 5
CYCLES = {"walk": "02_01.amc", "run": "02_03.amc"}
"""Steady gaits: one period as a Fourier series."""
GESTURES = {
    "leap": ("02_04.amc", 0.0, 4.0),
    "punch": ("02_05.amc", 2.0, 8.0),
    "scoop": ("02_06.amc", 1.0, 9.0),
    "wash": ("02_10.amc", 3.0, 10.0),
}
"""Recording, first and last second: keys of a smooth curve."""


def read_skeleton(path: Path) -> dict[str, dict]:
    """Bones of an ASF file by name: `parent`, `offset` (3,), `axis` (3, 3) and `dof` names; the root is "root"."""
    bones: dict[str, dict] = {"root": {"parent": None, "offset": np.zeros(3), "axis": np.eye(3), "dof": []}}
    bone: dict = {}
    lines = iter(path.read_text().split(":bonedata")[1].split(":hierarchy")[0].splitlines())
    for words in (line.split() for line in lines if line.strip()):
        if words[0] == "begin":
            bone = {"dof": []}
        elif words[0] == "name":
            bones[words[1]] = bone
        elif words[0] == "direction":
            bone["direction"] = np.array([float(word) for word in words[1:4]])
        elif words[0] == "length":
            bone["offset"] = bone["direction"] * float(words[1])
        elif words[0] == "axis":
            bone["axis"] = xyz_degrees(np.array([float(word) for word in words[1:4]]))
        elif words[0] == "dof":
            bone["dof"] = ["xyz".index(word[1]) for word in words[1:]]
    for line in path.read_text().split(":hierarchy")[1].splitlines():
        for child in line.split()[1:] if line.split() and line.split()[0] in bones else []:
            bones[child]["parent"] = line.split()[0]
    return bones


def read_motion(path: Path, bones: dict[str, dict]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Ends `(T, 3)` and rotations `(T, 3, 3)` of all bones in the world, in the recording's own unit."""
    values: dict[str, list[list[float]]] = {}
    for words in (line.split() for line in path.read_text().splitlines()):
        if len(words) > 1 and words[0] in bones:
            values.setdefault(words[0], []).append([float(word) for word in words[1:]])
    root = np.array(values["root"])
    ends, rotations = {"root": root[:, :3]}, {"root": xyz_degrees(root[:, 3:])}
    for name, bone in list(bones.items())[1:]:
        angles = np.zeros((len(root), 3))
        if bone["dof"]:
            angles[:, bone["dof"]] = values[name]
        turn = bone["axis"] @ xyz_degrees(angles) @ bone["axis"].T
        rotations[name] = rotations[bone["parent"]] @ turn
        ends[name] = ends[bone["parent"]] + rotations[name] @ bone["offset"]
    return ends, rotations


def to_channels(ends: dict, rotations: dict, bones: dict, steady: bool) -> tuple[np.ndarray, float]:
    """The channels of `motion.Layout` without the root, `(T, 36)`, in leg lengths; and the speed a second."""
    leg = sum(float(np.linalg.norm(bones[bone]["offset"])) for bone in ("lfemur", "ltibia"))
    hips = (ends["lhipjoint"] + ends["rhipjoint"]) / 2
    times = np.arange(len(hips)) / RECORDED_FPS
    line = np.polynomial.polynomial.polyfit(times, hips[:, [0, 2]], 1 if steady else 0)
    if steady:
        heading, speed = np.arctan2(line[1, 0], line[1, 1]), float(np.hypot(*line[1])) / leg
    else:
        forward = rotations["root"][:, :, 2].mean(axis=0)
        heading, speed = np.arctan2(forward[0], forward[2]), 0.0
    path = np.polynomial.polynomial.polyval(times, line).T
    ground = np.percentile(np.concatenate([ends["ltibia"][:, 1], ends["rtibia"][:, 1]]), 5)
    origin = np.stack([path[:, 0], np.full(len(path), ground), path[:, 1]], axis=1)
    to_root = from_vector(np.array([0.0, -heading, 0.0]))
    chest, pelvis = rotations["thorax"], rotations["root"]

    def place(point: np.ndarray) -> np.ndarray:
        return (point - origin) @ to_root.T / leg

    def arm(bone: str, parent: str) -> np.ndarray:
        direction = ends[bone] - ends[parent]
        direction = np.einsum("tji,tj->ti", chest, direction)
        return direction / np.linalg.norm(direction, axis=1, keepdims=True)

    def foot(side: str) -> np.ndarray:
        flat = bones[side + "foot"]["offset"] * [1, 0, 1]
        return rotations[side + "foot"] @ (flat / np.linalg.norm(flat)) @ to_root.T

    parts = [
        *(place(hips), to_vector(to_root @ pelvis), to_vector(pelvis.transpose(0, 2, 1) @ chest)),
        to_vector(chest.transpose(0, 2, 1) @ rotations["head"]),
        *(arm("lhumerus", "lclavicle"), arm("rhumerus", "rclavicle"), arm("lwrist", "lhumerus")),
        *(arm("rwrist", "rhumerus"), place(ends["ltibia"]), place(ends["rtibia"]), foot("l"), foot("r")),
    ]
    return np.concatenate(parts, axis=1), speed


def find_period(signal: np.ndarray) -> int:
    """Frames after which the signal repeats best, between half a second and a second and a half."""
    candidates = range(RECORDED_FPS // 2, min(len(signal) - 20, RECORDED_FPS * 3 // 2))
    return min(candidates, key=lambda lag: float(np.abs(signal[lag:] - signal[:-lag]).mean()))


def fit_cycle(channels: np.ndarray) -> tuple[np.ndarray, float]:
    """Fourier coefficients `(1 + 2 * HARMONICS, 36)`: mean, then cosine and sine of each harmonic; and the period."""
    period = find_period(channels[:, [24 + 2, 27 + 2]])
    return np.linalg.lstsq(waves(np.arange(len(channels)) / period), channels, rcond=None)[0], period / RECORDED_FPS


def waves(phase: np.ndarray) -> np.ndarray:
    """`(T, 1 + 2 * HARMONICS)`: one, then cosine and sine of each harmonic of the phase (in cycles)."""
    angles = 2 * np.pi * phase[:, None] * np.arange(1, HARMONICS + 1)
    pairs = np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(len(phase), -1)
    return np.concatenate([np.ones((len(phase), 1)), pairs], axis=1)


def fit_keys(channels: np.ndarray) -> np.ndarray:
    """Means around evenly spaced moments: `(K, 36)`."""
    step = int(RECORDED_FPS / KEYS_PER_SECOND)
    return np.stack(
        [channels[max(0, k - step // 4) : k + step // 4 + 1].mean(axis=0) for k in range(0, len(channels), step)]
    )


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """Fits `curves.json` on recordings of subject 02."""

    recordings: Path
    """Folder with 02.asf and the recordings 02_*.amc."""


def main(config: FitConfig) -> None:
    """Writes `curves.json` beside this file.

    Raises:
        InputError: If the folder lacks a recording.
    """
    folder = config.recordings
    needed = ["02.asf", *CYCLES.values(), *(recording for recording, _, _ in GESTURES.values())]
    if missing := [name for name in needed if not (folder / name).is_file()]:
        raise InputError(f"{folder} lacks {', '.join(missing)}; expected 02.asf and the recordings 02_*.amc.")
    bones = read_skeleton(folder / "02.asf")
    curves: dict = {"source": "CMU Graphics Lab Motion Capture Database, subject 02, mocap.cs.cmu.edu"}
    curves |= {"keys_per_second": KEYS_PER_SECOND, "cycles": {}, "gestures": {}}
    for name, recording in CYCLES.items():
        channels, speed = to_channels(*read_motion(folder / recording, bones), bones, steady=True)
        series, period = fit_cycle(channels)
        curves["cycles"][name] = {"speed": round(speed, 3), "period": round(period, 3), "series": rounded(series)}
    for name, (recording, first, last) in GESTURES.items():
        ends, rotations = read_motion(folder / recording, bones)
        window = slice(int(first * RECORDED_FPS), int(last * RECORDED_FPS))
        channels, _ = to_channels(
            {bone: positions[window] for bone, positions in ends.items()},
            {bone: turns[window] for bone, turns in rotations.items()},
            bones,
            steady=False,
        )
        curves["gestures"][name] = rounded(fit_keys(channels))
    text = json.dumps(curves, separators=(",", ":")).replace("],[", "],\n[")
    Path(__file__).with_name("curves.json").write_text(text + "\n")


def rounded(numbers: np.ndarray) -> list:
    """As nested lists of three decimals."""
    return np.round(numbers, 3).tolist()


if __name__ == "__main__":
    run_options(main, "python -m training.puppets.fit_mocap", sys.argv[1:])
