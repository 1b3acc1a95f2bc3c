"""Finding a person's key points in pictures with BlazePose: detected once, then tracked.

Source: Bazarevsky et al. 2020, BlazePose: On-device real-time body pose tracking (arXiv:2006.10204).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from einops import rearrange

from cvae.poses.skeleton import JOINTS
from cvae.poses.weights import PoseWeights

_DETECTOR_SIDE = 224
_LANDMARK_SIDE = 256
_LANDMARKS = 39
_CENTRE, _TOP = 33, 34
"""Landmarks for tracking: the middle of the hips, and the point of the body's circle that is above the head."""
_CROP = 1.25
"""Half of the landmarks' crop, in radii of the body's circle."""
_MIN_SCORE = 0.5
"""Of the detector, to look closer."""
_MIN_CONFIDENCE = 0.8
"""Of the landmarks, to believe in them; at 0.5 a lost person was often seen where nobody was."""
_MIN_VISIBILITY = 0.5
_REACH = 3
"""Cells of a landmark's heatmap that are looked at on each side."""
_MIN_PEAK = 0.5
"""Of a heatmap there; landmarks whose map stays below it are left where they are."""
_AROUND = 2.0
"""A person who was lost is looked for first within this many radii of where it was."""
_OBLONG = 1.2
"""Ratio of sides above which squares inside of a picture are looked at too."""
_STEP = 0.6
"""Distance of such squares, and of the smaller ones, in sides."""
_THOROUGHLY_EVERY = 10
"""Frames in which nobody is found between two in which smaller squares are looked at too, which takes 0.1 s."""
_ONE_PERSON = 0.5
"""Two detections are one person when their centres are nearer than this many radii."""

_FROM_BLAZEPOSE = {
    **{"RSho": (12,), "RElb": (14,), "RWri": (16,), "LSho": (11,), "LElb": (13,), "LWri": (15,)},
    **{"RHip": (24,), "RKnee": (26,), "RAnk": (28,), "RBigToe": (32,)},
    **{"LHip": (23,), "LKnee": (25,), "LAnk": (27,), "LBigToe": (31,)},
    **{"Nose": (0,), "REye": (5,), "REar": (8,), "LEye": (2,), "LEar": (7,)},
    **{"neck": (11, 12), "MidHip": (23, 24)},
}
"""The landmarks whose mean is a joint; BlazePose has no small toes."""


@dataclass(frozen=True)
class _Circle:
    """Where a body is: a circle around it, and which way is up."""

    centre: np.ndarray
    """x and y in pixels of the frame; pixel centres lie at whole numbers plus 0.5, here and below."""
    top: np.ndarray
    """The point of the circle above the head."""

    @property
    def radius(self) -> float:
        return max(1.0, float(np.hypot(*(self.top - self.centre))))


class PoseTracker:
    """Follows one person from frame to frame.

    The detector looks at the first frame, and again where the person is lost; in between, each frame's landmarks say
    where to look in the next one.
    """

    def __init__(self, weights: PoseWeights, *, threads: int = 2) -> None:
        self._detector = _Network(weights.detector, threads)
        self._landmarks = _Network(weights.landmarks, threads)
        self._circle: _Circle | None = None
        """Where to look in the next frame; None: nobody is tracked."""
        self._last: _Circle | None = None
        """Where the person was seen last."""
        self._in_vain = 0
        """Frames since the person was seen."""
        self.detections = 0
        """How often the detector found the person: frames between which it grew are not one motion."""

    def find(self, frame: np.ndarray) -> np.ndarray:
        """The key points in the next frame.

        Args:
            frame: RGB, `(H, W, 3)`; the size may change from frame to frame.

        Returns:
            EDN-23, `(23, 3)`: x and y in pixels and confidence in [0, 1]. All 0: a joint that is hidden, outside of
            the frame or unknown to BlazePose (the small toes), or nobody is there.
        """
        found = self._look(frame, self._circle) if self._circle else None
        if found is None and (detected := self._detect(frame)) and self._look(frame, detected) is not None:
            assert self._circle is not None
            self.detections += 1
            found = self._look(frame, self._circle)  # again, better centred
        self._in_vain = self._in_vain + 1 if found is None else 0
        return np.zeros((len(JOINTS), 3)) if found is None else found

    def _look(self, frame: np.ndarray, circle: _Circle) -> np.ndarray | None:
        """The key points inside the circle, which then moves on with them; None where nobody is."""
        to_crop = _affine(circle, _LANDMARK_SIDE)
        crop = _warp(frame, to_crop, _LANDMARK_SIDE)
        landmarks, confidence, heatmaps = self._landmarks(crop / np.float32(255))
        if confidence.item() < _MIN_CONFIDENCE:
            self._circle = None
            return None
        landmarks = landmarks.reshape(_LANDMARKS, 5).astype(np.float64)
        points = _transform(_refine(landmarks[:, :2], heatmaps), cv2.invertAffineTransform(to_crop))
        self._circle = self._last = _Circle(points[_CENTRE], points[_TOP])
        inside = ((points >= 0) & (points <= frame.shape[1::-1])).all(axis=1)
        return _to_edn(points, _sigmoid(landmarks[:, 3]) * inside)

    def _detect(self, frame: np.ndarray) -> _Circle | None:
        """The person nearest to the one seen last; the largest, where nobody was seen yet."""
        last = self._last
        thoroughly = self._in_vain % _THOROUGHLY_EVERY == 0
        for region in _regions(frame.shape[0], frame.shape[1], last, thoroughly):
            people = self._people_in(frame, region)
            if people and last is not None:
                return min(people, key=lambda circle: _distance(circle, last))
            if people:
                return max(people, key=lambda circle: circle.radius)
        return None

    def _people_in(self, frame: np.ndarray, region: _Circle) -> list[_Circle]:
        to_input = _affine(region, _DETECTOR_SIDE)
        boxes, scores = self._detector(_warp(frame, to_input, _DETECTOR_SIDE) / np.float32(127.5) - 1)
        scores = _sigmoid(scores[:, 0])
        people: list[_Circle] = []
        for index in np.argsort(-scores)[: int((scores >= _MIN_SCORE).sum())]:
            points = boxes[index, 4:8].reshape(2, 2) + _ANCHORS[index]
            circle = _Circle(*_transform(points, cv2.invertAffineTransform(to_input)))
            if all(_distance(circle, other) > _ONE_PERSON * other.radius for other in people):
                people.append(circle)
        return people


class _Network:
    """A TensorFlow Lite file as a function of one picture."""

    def __init__(self, file: Path, threads: int) -> None:
        self._interpreter = Interpreter(str(file), num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = {output["name"]: output["index"] for output in self._interpreter.get_output_details()}
        # In the order of the files: boxes, scores; landmarks, confidence, (a mask, which we leave,) heatmaps.
        self._outputs = [outputs[name] for name in ("Identity", "Identity_1", "Identity_3") if name in outputs]

    def __call__(self, picture: np.ndarray) -> list[np.ndarray]:
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._outputs]


def _regions(height: int, width: int, last: _Circle | None, thoroughly: bool) -> Iterator[_Circle]:
    """Where to look for people, each region a square around a circle: whole first, then parts for smaller people."""

    def square(centre: np.ndarray, side: float) -> _Circle:
        return _Circle(centre, centre - (0, side / (2 * _CROP)))

    def squares(side: float) -> Iterator[_Circle]:
        counts = (1 + math.ceil((whole - side) / (_STEP * side) - 1e-6) for whole in (height, width))
        rows, columns = (
            np.linspace(side, 2 * whole - side, count) / 2 for whole, count in zip((height, width), counts, strict=True)
        )
        for y in rows:
            for x in columns:
                yield square(np.array([x, y]), side)

    short = min(height, width)
    if last is not None:
        yield square(last.centre, 2 * _CROP * _AROUND * last.radius)
    yield square(np.array([width, height]) / 2, max(height, width))
    if max(height, width) > _OBLONG * short:
        yield from squares(short)
    if thoroughly:
        yield from squares(short / 2)


def _affine(circle: _Circle, side: int) -> np.ndarray:
    """The map `(2, 3)` from the frame to a square crop in which the body stands upright."""
    up = (circle.top - circle.centre) / circle.radius
    scale = side / (2 * _CROP * circle.radius)
    turn = np.array([[-up[1], up[0]], [-up[0], -up[1]]]) * scale
    return np.column_stack([turn, side / 2 - turn @ circle.centre])


def _warp(frame: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    by_index = matrix.copy()  # OpenCV's pixel centres lie at whole numbers
    by_index[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return np.asarray(cv2.warpAffine(frame, by_index, (side, side), flags=cv2.INTER_LINEAR), np.uint8)


def _transform(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _refine(points: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Moves landmarks to the centre of mass of their heatmaps near by: 1.2 dB on the drawn skeleton.

    Args:
        points: `(39, 2)`, x and y in pixels of the crop.
        heatmaps: `(64, 64, 39)`, logits.
    """
    cells, window = heatmaps.shape[0], 2 * _REACH + 1
    cell = _LANDMARK_SIDE / cells
    middle = np.clip(np.floor(points / cell), -_REACH - 1, cells + _REACH).astype(int)
    padded = np.pad(_sigmoid(heatmaps), ((window, window), (window, window), (0, 0)))
    x, y = (middle[:, axis, None] + _REACH + 1 + np.arange(window) for axis in (0, 1))  # (39, 7), in the padded map
    weights = padded[y[:, :, None], x[:, None, :], np.arange(len(points))[:, None, None]]  # (39, 7, 7)
    total = np.maximum(weights.sum(axis=(1, 2)), 1e-9)
    centres = np.stack([(weights.sum(axis=1) * x).sum(axis=1), (weights.sum(axis=2) * y).sum(axis=1)], axis=1)
    refined = (centres / total[:, None] - window) * cell
    return np.where(weights.max(axis=(1, 2))[:, None] >= _MIN_PEAK, refined, points)


def _to_edn(points: np.ndarray, visibility: np.ndarray) -> np.ndarray:
    keypoints = np.zeros((len(JOINTS), 3))
    for joint, sources in _FROM_BLAZEPOSE.items():
        confidence = visibility[list(sources)].min()
        if confidence >= _MIN_VISIBILITY:
            keypoints[JOINTS.index(joint)] = [*points[list(sources)].mean(axis=0), confidence]
    return keypoints


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values.astype(np.float64), -50, 50)))


def _distance(one: _Circle, other: _Circle) -> float:
    return float(np.hypot(*(one.centre - other.centre)))


def _anchors() -> np.ndarray:
    """Where the detector's 2254 boxes are at home, `(2254, 2)`: x and y in pixels of its input."""
    grids = []
    for cells, boxes_per_cell in ((28, 2), (14, 2), (7, 6)):
        centres = (np.arange(cells) + 0.5) * (_DETECTOR_SIDE / cells)
        grid = np.stack(np.meshgrid(centres, centres), axis=-1)
        grids.append(np.repeat(rearrange(grid, "h w xy -> (h w) xy"), boxes_per_cell, axis=0))
    return np.concatenate(grids)


_ANCHORS = _anchors()
