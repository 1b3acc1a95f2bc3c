"""The JSON that OpenPose writes, and ControlNet, DWPose and ComfyUI after it.

One frame is `{"people": [{"pose_keypoints_2d": [x, y, confidence, x, ...]}, ...]}`, in some programs with
`canvas_width` and `canvas_height`. OpenPose writes a file for each frame; ComfyUI's "Save Pose Keypoints" one list
of frames (DWPose in pixels, OpenPose normalised, both with the canvas); ControlNet's web API puts that list into
`{"poses": [...]}`, others into `{"frames": [...]}`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvae.errors import InputError
from cvae.inputs import Limits, quoted
from cvae.pace import FASTEST, SLOWEST
from cvae.poses.formats import FORMATS
from cvae.poses.keypoints import FARTHEST, LEAST_CANVAS, is_canvas

JSON_EXPECTED = 'OpenPose JSON: {"people": [{"pose_keypoints_2d": [...]}]} for each frame, or one list of those'
_WRAPPERS = ("frames", "poses")
_BODY = "pose_keypoints_2d"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Who was seen in one frame."""

    name: str
    """For a message: `Frame 3 of "a.json"`."""
    people: np.ndarray | None
    """float64 `(P, K, 3)`, as written; K is 18, 23 or 25. None where nobody was seen."""
    canvas: tuple[float, float] | None
    """`(H, W)`, pixels, where told."""
    fps: float | None = None
    """Frames per second, where told; only this project writes it."""


def parse_frames(content: bytes, name: str, limits: Limits) -> list[Frame]:
    """The frames of one JSON text, at least one, each with its people as they were written.

    Args:
        content: UTF-8.
        name: Of the file, for messages.
        limits: How large it may be.

    Raises:
        InputError: If it is no JSON or no key points, has a number that is none, or is too large.
    """
    frames = _frames_of(_parse_json(content, name, limits), name)
    limits.check_frames(name, len(frames))
    titles = [quoted(name)] if len(frames) == 1 else [f"Frame {i + 1} of {quoted(name)}" for i in range(len(frames))]
    return [_parse_frame(frame, title, limits) for frame, title in zip(frames, titles, strict=True)]


def _parse_json(content: bytes, name: str, limits: Limits) -> object:
    limits.check_json(name, len(content), sum(map(content.count, (b",", b"[", b"{"))))

    def refuse_constant(constant: str) -> None:
        raise InputError(f"{quoted(name)} has {constant} where a number should be.")

    def to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            if key in made:
                raise InputError(f"{quoted(name)} has two values for {quoted(key)} in one object.")
            made[key] = value
        return made

    try:
        # Whole numbers become float too: Python's int() refuses thousands of digits, and true is told from 1.
        return json.loads(
            content.decode("utf-8-sig"),
            parse_int=float,
            parse_constant=refuse_constant,
            object_pairs_hook=to_object,
        )
    except UnicodeDecodeError as error:
        raise InputError(f"{quoted(name)} is no UTF-8 text; expected {JSON_EXPECTED}.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{quoted(name)} is no valid JSON ({where}: {error.msg}).") from error
    except RecursionError as error:
        raise InputError(f"{quoted(name)} is nested too deeply; expected {JSON_EXPECTED}.") from error


def _frames_of(value: object, name: str) -> list[object]:
    if isinstance(value, dict) and "people" not in value:
        value = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), list)), value)
    frames = value if isinstance(value, list) else [value]
    if not frames:
        raise InputError(f"{quoted(name)} is an empty list; expected {JSON_EXPECTED}.")
    return frames


def _parse_frame(frame: object, title: str, limits: Limits) -> Frame:
    people = frame.get("people") if isinstance(frame, dict) else None
    if not isinstance(frame, dict) or not isinstance(people, list):
        raise InputError(f'{title} is {_described(frame)} without a list "people"; expected {JSON_EXPECTED}.')
    bodies = list(_bodies(people, title))
    if len({len(body) for body in bodies}) > 1:
        counts = " and ".join(str(count) for count in sorted({len(body) for body in bodies}))
        raise InputError(f"{title} has people of {counts} joints; expected one format for all.")
    stacked = np.stack(bodies) if bodies else None
    return Frame(name=title, people=stacked, canvas=_parse_canvas(frame, title, limits), fps=_parse_rate(frame, title))


def _bodies(people: list[object], title: str) -> Iterator[np.ndarray]:
    for person in people:
        if not isinstance(person, dict) or _BODY not in person:
            raise InputError(f'{title} has {_described(person)} among its people; expected "{_BODY}" in each.')
        numbers = person[_BODY]
        if numbers is None or numbers == []:  # only a hand or a face was looked for
            continue
        if not isinstance(numbers, list):
            raise InputError(f'{title} has {_described(numbers)} for "{_BODY}"; expected a list of numbers.')
        if len(numbers) not in [3 * joints for joints in FORMATS]:
            raise InputError(
                f'{title} has {len(numbers)} numbers in "{_BODY}"; expected 54, 69 or 75 (x, y and confidence of each '
                "of the 18 joints of COCO, 23 of EDN or 25 of BODY_25)."
            )
        for number in numbers:
            if not isinstance(number, float):
                raise InputError(f'{title} has {_described(number)} in "{_BODY}"; expected numbers only.')
            if not abs(number) <= FARTHEST:
                raise InputError(f'{title} has {number:g} in "{_BODY}"; expected at most {FARTHEST:,.0f}.')
        yield np.array(numbers).reshape(-1, 3)


def _parse_canvas(frame: dict[str, object], title: str, limits: Limits) -> tuple[float, float] | None:
    sides = [frame.get("canvas_height"), frame.get("canvas_width")]
    if sides == [None, None]:
        return None
    height, width = sides
    if isinstance(height, float) and isinstance(width, float):
        if is_canvas(height, width, limits.max_side):
            return height, width
        came = f"of {width:g}x{height:g} pixels"
    else:
        came = f"whose width is {_described(width)} and whose height is {_described(height)}"
    raise InputError(f"{title} has a canvas {came}; expected two numbers from {LEAST_CANVAS} to {limits.max_side}.")


def _parse_rate(frame: dict[str, object], title: str) -> float | None:
    rate = frame.get("fps")
    if rate is None or (isinstance(rate, float) and SLOWEST <= rate <= FASTEST):
        return rate
    raise InputError(f'{title} has {_described(rate)} for "fps"; expected {SLOWEST} to {FASTEST}.')


def _described(value: object) -> str:
    """What came, in a few words."""
    if isinstance(value, dict):
        keys = ", ".join(quoted(key) for key in list(value)[:3]) + (", ..." if len(value) > 3 else "")
        return f"an object with {keys}" if value else "an empty object"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, float):
        return f"the number {value:g}"
    return json.dumps(value)  # null, true or false


def write_openpose(folder: Path, points: np.ndarray, canvas: tuple[float, float], *, fps: float | None = None) -> None:
    """Writes `000000_keypoints.json`, ... into a folder, which is made; read back, the points are bit-equal.

    Args:
        folder: Where to.
        points: EDN-23 key points `(T, 23, 3)`; a frame of zeros is one without people.
        canvas: `(H, W)` of the picture in whose pixels x and y are.
        fps: Frames per second, where they have a rate.
    """
    folder.mkdir(parents=True, exist_ok=True)
    height, width = (int(side) if side == int(side) else side for side in canvas)
    for index, person in enumerate(points):
        people = [{"person_id": [-1], _BODY: person.ravel().tolist()}] if person.any() else []
        rate = {} if fps is None else {"fps": fps}
        frame = {"version": 1.3, "canvas_width": width, "canvas_height": height, **rate, "people": people}
        (folder / f"{index:06d}_keypoints.json").write_text(json.dumps(frame))
