"""Key points, read from whatever a user has them in: OpenPose JSON and arrays, alone, in folders and in zips."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO
from zipfile import ZipFile

import numpy as np

from cvae import archives
from cvae.archives import ArrayHeader
from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits, open_file, quoted, read_head, recognise
from cvae.poses.follow import follow
from cvae.poses.formats import FORMATS, on_canvas, to_edn
from cvae.poses.keypoints import FARTHEST, LEAST_CANVAS, Keypoints, is_canvas
from cvae.poses.openpose import Frame, parse_frames
from cvae.stills import Member, in_order, is_folder, members_of_files, members_of_folder, members_of_zip

_ARRAY_NAME = "keypoints"
_CANVAS_NAME = "canvas"
_ARRAY_EXPECTED = "expected numbers of shape (T, K, 2) or (T, K, 3), K being 18, 23 or 25"


def read_keypoints(path: Path | Sequence[Path], limits: Limits = LIMITS) -> Keypoints | None:
    """Reads the key points of one person from a file, a folder or several files, each recognised by its content.

    OpenPose JSON (see `cvae.poses.openpose`): one file alone, or a frame in each of several, in the natural order of
    their names. A .npy array `(T, K, 2 or 3)`, K being 18, 23 or 25, x, y and perhaps confidence; or a .npz with
    such an array, called keypoints if there are several, and perhaps `canvas`, `(H, W)` of the picture.

    Args:
        path: One path, or several.
        limits: How large it may be.

    Returns:
        None where it holds something else, which `read_clip` reads or refuses; pictures come before key points.

    Raises:
        InputError: If it is missing, too large or damaged, or if its key points cannot be used.
    """
    paths = [path] if isinstance(path, Path) else list(path)
    if len(paths) != 1:
        return _read_files(paths, limits) if paths else None
    if is_folder(paths[0]):
        return _read_members(members_of_folder(paths[0], limits), paths[0].name, limits)
    return _read_file(paths[0], limits)


def _read_file(path: Path, limits: Limits) -> Keypoints | None:
    name = path.name
    kind = recognise(read_head(path, limits)).kind
    if kind == "json":
        return _read_members(members_of_files([path], name, limits), name, limits)
    if kind == "array":
        with open_file(path) as file:
            header = archives.read_array_header(file, name)
            return _from_array(_load(file, header, name, limits), None, name) if _fits(header) else None
    if kind == "zip":
        with archives.open_zip(path, limits) as archive:
            if archives.is_array_zip(archive):
                return _read_array_zip(archive, name, limits)
            return _read_members(members_of_zip(archive), name, limits)
    return None


# JSON


def _read_files(paths: Sequence[Path], limits: Limits) -> Keypoints | None:
    name = f"{paths[0].name} and {len(paths) - 1} more"
    members = list(members_of_files(paths, name, limits))
    kinds = {member.came.kind for member in members}
    if "json" not in kinds or "picture" in kinds:
        return None
    for member in members:
        if member.came.kind != "json":
            raise InputError(
                f"{quoted(member.name)} is {member.came.title}; expected only OpenPose JSON, as the others are."
            )
    return _read_members(members, name, limits)


def _read_members(members: Iterable[Member], name: str, limits: Limits) -> Keypoints | None:
    came = []
    for member in members:
        if member.came.kind == "picture":
            return None
        came.append(member)
    texts, notes = in_order(came, "json", name, limits)
    return _from_texts(texts, notes, name, limits) if texts else None


def _from_texts(texts: Sequence[Member], notes: Sequence[str], name: str, limits: Limits) -> Keypoints:
    limits.check_frames(name, len(texts))
    limits.check_json(name, sum(text.size for text in texts))
    frames: list[Frame] = []
    for text in texts:
        with text.open() as file:
            came = parse_frames(file.read(), text.name, limits)
        if len(came) > 1 and len(texts) > 1:
            raise InputError(
                f"{quoted(text.name)}, one of {len(texts)} JSON files, holds {len(came)} frames; expected one frame "
                "in each of several files, or one file alone."
            )
        frames += came
    return _from_frames(frames, name, list(notes))


def _from_frames(frames: Sequence[Frame], name: str, notes: list[str]) -> Keypoints:
    _check_same([(frame.name, f"{frame.people.shape[1]} joints") for frame in frames if frame.people is not None])
    canvases = [(frame.name, frame.canvas) for frame in frames if frame.canvas is not None]
    _check_same([(title, f"a canvas of {width:g}x{height:g} pixels") for title, (height, width) in canvases])
    people = [None if frame.people is None else to_edn(frame.people) for frame in frames]
    most = max(int(each.any(axis=(1, 2)).sum()) if each is not None else 0 for each in people)
    if most > 1:
        notes.append(f"{quoted(name)} shows up to {most} people; the one that is largest at first is followed.")
    keypoints = _keypoints(follow(people), canvases[0][1] if canvases else None, name, notes)
    return replace(keypoints, fps=frames[0].fps)


def _check_same(told: Sequence[tuple[str, str]]) -> None:
    for title, what in told:
        if what != told[0][1]:
            raise InputError(f"{told[0][0]} has {told[0][1]} and {title} has {what}; expected the same in all.")


# Arrays


def _fits(header: ArrayHeader) -> bool:
    shape = header.shape
    return (
        len(shape) == 3 and shape[0] > 0 and shape[1] in FORMATS and shape[2] in (2, 3) and header.dtype.kind in "fiu"
    )


def _load(file: IO[bytes], header: ArrayHeader, name: str, limits: Limits) -> np.ndarray:
    limits.check_frames(name, header.shape[0] if header.shape else 1)
    return archives.load_array(file, header, name, limits)


def _read_array_zip(archive: ZipFile, name: str, limits: Limits) -> Keypoints | None:
    members = {info.filename.removesuffix(".npy"): info for info in archives.files_in(archive)}
    headers = {}
    for key, info in members.items():
        with archive.open(info) as file:
            headers[key] = archives.read_array_header(file, f"{name}: {key}")
    fitting = [key for key, header in headers.items() if _fits(header)]
    if any(header.is_frames for header in headers.values()) or not (fitting or _ARRAY_NAME in headers):
        return None
    chosen = _ARRAY_NAME if _ARRAY_NAME in headers else fitting[0]
    if len(fitting) > 1 and chosen != _ARRAY_NAME:
        named = ", ".join(quoted(key) for key in fitting[:3])
        raise InputError(f"{quoted(name)} holds several arrays of key points ({named}); expected one.")

    def load(key: str) -> np.ndarray:
        with archive.open(members[key]) as file:
            return _load(file, headers[key], f"{name}: {key}", limits)

    if chosen not in fitting:
        raise InputError(f"The array {quoted(f'{name}: {chosen}')} is {headers[chosen]}; {_ARRAY_EXPECTED}.")
    sides = load(_CANVAS_NAME) if _CANVAS_NAME in headers else None
    canvas = None if sides is None else _to_canvas(sides, f"{name}: {_CANVAS_NAME}", limits)
    return _from_array(load(chosen), canvas, name)


def _to_canvas(sides: np.ndarray, name: str, limits: Limits) -> tuple[float, float]:
    is_size = sides.shape == (2,) and sides.dtype.kind in "fiu"
    if not (is_size and is_canvas(sides[0], sides[1], limits.max_side)):
        raise InputError(
            f"The array {quoted(name)} is no size of a picture; expected its height and width, "
            f"{LEAST_CANVAS} to {limits.max_side}."
        )
    return float(sides[0]), float(sides[1])


def _from_array(array: np.ndarray, canvas: tuple[float, float] | None, name: str) -> Keypoints:
    points = array.astype(np.float64)
    if points.shape[2] == 2:
        points = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=2)
    with np.errstate(invalid="ignore"):
        beyond = np.isfinite(points) & (np.abs(points) > FARTHEST)
    if beyond.any():
        raise InputError(f"{quoted(name)} has {points[beyond][0]:g} in it; expected at most {FARTHEST:,.0f}.")
    return _keypoints(to_edn(points), canvas, name, [])


def _keypoints(points: np.ndarray, canvas: tuple[float, float] | None, name: str, notes: Sequence[str]) -> Keypoints:
    without = int((~points.any(axis=(1, 2))).sum())
    if without == len(points):
        frames = f"any of its {without} frames" if without > 1 else "it"
        raise InputError(f"{quoted(name)} shows nobody in {frames}; expected the key points of a person.")
    if without:
        notes = [*notes, f"{without} of {len(points)} frames of {quoted(name)} show nobody."]
    placed, on = on_canvas(points, canvas)
    if canvas is None and on is not None:
        bounds = "[0, 1]" if np.array_equal(placed, points) else "[-1, 1]"
        notes = [*notes, f"The key points of {quoted(name)} are taken as normalised to {bounds}."]
    return Keypoints(points=placed, canvas=on, notes=tuple(notes))
