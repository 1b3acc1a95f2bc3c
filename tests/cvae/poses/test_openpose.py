import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits
from cvae.poses.openpose import parse_frames, write_openpose

BODY = [float(number) for number in range(1, 55)]


def _frame(*bodies: object, **others: object) -> dict[str, object]:
    return {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": body} for body in bodies], **others}


def _parsed(value: object, limits: Limits = LIMITS) -> list[Any]:
    return parse_frames(json.dumps(value).encode(), "a.json", limits)


def _person(x: float, y: float, size: float = 10) -> np.ndarray:
    """Joints on a diagonal around a place."""
    steps = np.linspace(-size / 2, size / 2, 23)
    return np.stack([x + steps, y + steps, np.ones(23)], axis=1)


def test_what_openpose_writes_is_one_frame() -> None:
    (frame,) = _parsed(_frame(BODY, BODY[::-1]))
    assert frame.people.tolist() == [np.reshape(body, (18, 3)).tolist() for body in (BODY, BODY[::-1])]
    assert frame.canvas is None


def test_what_comfyui_writes_is_a_list_of_frames_with_their_canvas() -> None:
    face_only = {"pose_keypoints_2d": None, "face_keypoints_2d": [1.0, 2.0, 1.0]}
    frames = [_frame(BODY, canvas_height=768, canvas_width=512), {"people": [face_only]}]
    first, second = _parsed(frames)
    assert first.canvas == (768, 512)
    assert second.people is None and second.canvas is None


@pytest.mark.parametrize("key", ["frames", "poses"])
def test_a_list_of_frames_may_be_wrapped(key: str) -> None:
    assert len(_parsed({"info": "x", key: [_frame(BODY), _frame()]})) == 2


def test_nobody_is_seen_where_people_is_empty() -> None:
    assert _parsed(_frame())[0].people is None


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_frames(b"\xef\xbb\xbf" + json.dumps(_frame(BODY)).encode(), "a.json", LIMITS)[0].people is not None


def _frame_with(text: str) -> bytes:
    return json.dumps(_frame(["HERE", *BODY[1:]])).replace('"HERE"', text).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_frame_with("NaN"), '"a.json" has NaN where a number should be'),
        (_frame_with("-Infinity"), '"a.json" has -Infinity where a number should be'),
        (_frame_with("1e999"), '"a.json" has inf in "pose_keypoints_2d"; expected at most 1,000,000'),
        (_frame_with("-1e7"), '"a.json" has -1e[+]07 in "pose_keypoints_2d"'),
        (_frame_with("9" * 5000), '"a.json" has inf in'),
        (_frame_with('"7"'), 'has the text "7" in "pose_keypoints_2d"; expected numbers only'),
        (_frame_with("true"), "has true in"),
        (_frame_with("null"), "has null in"),
        (_frame_with("[]"), "has an empty list in"),
        (_frame_with("{}"), "has an empty object in"),
        (b'{"people": [], "people": []}', '"a.json" has two values for "people" in one object'),
        (b'{"people": [', r'"a.json" is no valid JSON \(line 1, column 13: Expecting value\)'),
        (b'{"people": "\xff"}', '"a.json" is no UTF-8 text; expected OpenPose JSON'),
        (b"[" * 100_000, '"a.json" is nested too deeply; expected OpenPose JSON'),
        (b'{"a":' * 100_000, '"a.json" is nested too deeply'),
        (b"[]", '"a.json" is an empty list; expected OpenPose JSON'),
        (b"{}", '"a.json" is an empty object without a list "people"; expected OpenPose JSON'),
        (b'{"a": 1, "b": 1, "c": 1, "d": 1}', 'is an object with "a", "b", "c", ... without a list "people"'),
        (b'[{"people": []}, 3]', 'Frame 2 of "a.json" is the number 3 without a list "people"'),
        (b'{"people": {}}', 'is an object with "people" without a list "people"'),
        (b'{"people": [7]}', 'has the number 7 among its people; expected "pose_keypoints_2d" in each'),
        (b'{"people": [{"pose_keypoints": []}]}', 'has an object with "pose_keypoints" among its people'),
        (b'{"people": [{"pose_keypoints_2d": "x"}]}', 'has the text "x" for "pose_keypoints_2d"; expected a list'),
    ],
)
def test_what_is_no_key_points_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_frames(content, "a.json", LIMITS)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ([_frame(), _frame(BODY[:51])], 'Frame 2 of "a.json" has 51 numbers in .*; expected 54, 69 or 75'),
        ([_frame(BODY, [1.0] * 75)], '"a.json" has people of 18 and 25 joints; expected one format for all'),
        ([_frame(canvas_width=512)], '"a.json" has a canvas whose width is the number 512 and whose height is null'),
        ([_frame(canvas_width=0, canvas_height=512)], "has a canvas of 0x512 pixels; expected two numbers from 8"),
        ([_frame(canvas_width=512, canvas_height=1)], "has a canvas of 512x1 pixels; expected two numbers from 8"),
        ([_frame(canvas_width=20_000, canvas_height=512)], "has a canvas of 20000x512 pixels; .* 8 to 16384"),
        ([_frame(canvas_width="x", canvas_height=True)], 'whose width is the text "x" and whose height is true'),
        ([_frame()] * 2001, '"a.json" has more than the 2000 frames that are accepted'),
    ],
)
def test_frames_that_cannot_be_used_are_refused(frames: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _parsed(frames)


def test_a_text_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(InputError, match="has 0 MB of JSON; at most 0 MB are accepted"):
        _parsed(_frame(BODY), Limits(max_json_bytes=100))
    with pytest.raises(InputError, match=r'"a.json" holds more than the 50 values that are accepted'):
        _parsed(_frame(BODY), Limits(max_json_values=50))


def test_many_keys_of_one_object_take_no_time() -> None:
    content = b"{" + b",".join(b'"%d":0' % index for index in range(100_000)) + b',"0":0}'
    start = time.perf_counter()
    with pytest.raises(InputError, match='two values for "0"'):
        parse_frames(content, "a.json", LIMITS)
    assert time.perf_counter() - start < 2


_NUMBERS = st.one_of(st.floats(), st.integers(), st.booleans(), st.none(), st.just("1"))
_BODIES = st.one_of(
    st.just(BODY), _NUMBERS, st.lists(_NUMBERS, max_size=3), _NUMBERS.map(lambda odd: [*BODY[:53], odd])
)
_PEOPLE = st.lists(st.one_of(_NUMBERS, st.fixed_dictionaries({"pose_keypoints_2d": _BODIES})), max_size=3)
_FRAMES = st.fixed_dictionaries({"people": _PEOPLE}, optional={"canvas_width": _NUMBERS, "canvas_height": _NUMBERS})
_LIKE_JSON = st.one_of(_FRAMES, st.lists(_FRAMES, max_size=3), st.recursive(_NUMBERS, st.lists)).map(
    lambda value: json.dumps(value).encode()
)


def _is_read_or_refused(content: bytes) -> None:
    try:
        frames = parse_frames(content, "a.json", LIMITS)
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 400
        return
    for frame in frames:
        assert frame.people is None or (frame.people.shape[1:] == (18, 3) and np.isfinite(frame.people).all())
        assert frame.canvas is None or all(0 < side < 20_000 for side in frame.canvas)


@settings(deadline=None)
@given(_LIKE_JSON)
def test_whatever_json_comes_is_read_or_refused(content: bytes) -> None:
    _is_read_or_refused(content)


@settings(deadline=None)
@given(_LIKE_JSON, st.data())
def test_json_that_was_damaged_is_read_or_refused(content: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(content)))
    cut = data.draw(st.integers(place, len(content)))
    _is_read_or_refused(content[:place] + data.draw(st.binary(max_size=4)) + content[cut:])


@settings(deadline=None)
@given(st.binary(max_size=60).map(lambda rest: b"{" + rest))
def test_whatever_bytes_come_are_read_or_refused(content: bytes) -> None:
    _is_read_or_refused(content)


def test_key_points_are_written_as_openpose_does(tmp_path: Path) -> None:
    points = np.stack([_person(0.1, 1 / 3), np.zeros((23, 3))])
    write_openpose(tmp_path / "out" / "keypoints", points, (64, 32.5))
    files = sorted((tmp_path / "out" / "keypoints").iterdir())
    assert [file.name for file in files] == ["000000_keypoints.json", "000001_keypoints.json"]
    body = {"person_id": [-1], "pose_keypoints_2d": points[0].ravel().tolist()}
    frame = {"version": 1.3, "canvas_width": 32.5, "canvas_height": 64, "people": [body]}
    assert [json.loads(file.read_text()) for file in files] == [frame, frame | {"people": []}]
    assert '"canvas_height": 64,' in files[0].read_text()


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_numbers_written_are_read_back_bit_equal(numbers: list[float]) -> None:
    (frame,) = _parsed(_frame([*BODY[:51], *numbers]))
    came = frame.people[0, 17].tolist()
    assert came == numbers and all(
        math.copysign(1, a) == math.copysign(1, b) for a, b in zip(came, numbers, strict=True)
    )


def test_the_rate_travels_with_the_first_frame(tmp_path: Path) -> None:
    points = np.stack([_person(50, 50)] * 2)
    write_openpose(tmp_path, points, (100, 100), fps=29.97)
    frames = [_parsed(json.loads(path.read_text()))[0] for path in sorted(tmp_path.iterdir())]
    assert [frame.fps for frame in frames] == [29.97, 29.97]
    assert _parsed(_frame(BODY))[0].fps is None


@pytest.mark.parametrize(
    ("rate", "came"), [(0, "the number 0"), (1e-300, "the number 1e"), (1e9, "the number 1e"), ("25", 'the text "25"')]
)
def test_a_rate_that_is_none_is_refused(rate: object, came: str) -> None:
    with pytest.raises(InputError, match=f'has {came}.* for "fps"; expected 0.1 to 240'):
        _parsed(_frame(BODY, fps=rate))
