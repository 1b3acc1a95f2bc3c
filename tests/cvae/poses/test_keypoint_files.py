import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cvae.errors import InputError
from cvae.inputs import Limits
from cvae.poses.formats import to_edn
from cvae.poses.keypoint_files import read_keypoints
from cvae.poses.keypoints import Keypoints
from cvae.poses.openpose import write_openpose
from cvae.poses.skeleton import draw_skeletons
from tests.cvae.media import blocks, encode_mp4, encoded, save_zip


def _points(frames: int = 12, joints: int = 23) -> np.ndarray:
    """Somebody in a picture of 48x64 pixels, without one joint."""
    points = np.random.default_rng(0).uniform(3, 47, (frames, joints, 3))
    points[-1, 5] = 0
    return points


def _frame(points: np.ndarray, **others: object) -> dict[str, object]:
    return {"people": [{"pose_keypoints_2d": points.ravel().tolist()}] if points.any() else [], **others}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _read(path: Path | list[Path], limits: Limits | None = None) -> Keypoints:
    keypoints = read_keypoints(path, limits=limits) if limits else read_keypoints(path)
    assert keypoints is not None and keypoints.fps is None
    return keypoints


def test_what_is_written_is_read_back_bit_equal_and_draws_the_same_picture(tmp_path: Path) -> None:
    points = _points()
    points[3] = 0
    write_openpose(tmp_path / "out", points, (64, 48))
    keypoints = _read(tmp_path / "out")
    assert np.array_equal(keypoints.points, points) and keypoints.points.dtype == np.float64
    assert keypoints.canvas == (64, 48)
    assert keypoints.notes == ('1 of 12 frames of "out" show nobody.',)
    assert np.array_equal(draw_skeletons(keypoints.at((64, 48)), (64, 48)), draw_skeletons(points, (64, 48)))


def test_normalised_points_are_read_back_bit_equal_too(tmp_path: Path) -> None:
    points = _points() / [48, 64, 1]
    write_openpose(tmp_path / "out", points, (1, 1))
    keypoints = _read(tmp_path / "out")
    assert np.array_equal(keypoints.points, points) and keypoints.canvas == (1, 1)


@pytest.mark.parametrize("kind", ["folder", "zip", "files", "list"])
def test_frames_come_in_natural_order_from_wherever_they_are(tmp_path: Path, kind: str) -> None:
    points = _points(joints=25)
    members = {f"walk_{index}_keypoints.json": _json(_frame(person)) for index, person in enumerate(points)}
    if kind == "zip":
        path: Path | list[Path] = save_zip(tmp_path / "a.zip", {f"in/{name}": text for name, text in members.items()})
    elif kind == "list":
        path = _save(tmp_path / "a.mp4", _json([_frame(person) for person in points]))
    else:
        files = [_save(tmp_path / name, text) for name, text in sorted(members.items())]
        path = tmp_path if kind == "folder" else files
    keypoints = _read(path)
    assert np.array_equal(keypoints.points, to_edn(points))
    assert keypoints.canvas is None and keypoints.notes == ()


def test_what_comfyui_writes_normalised_becomes_pixels_of_its_canvas(tmp_path: Path) -> None:
    points = _points(joints=18)
    frames = [_frame(person / [48, 64, 1], canvas_width=48, canvas_height=64) for person in points]
    keypoints = _read(_save(tmp_path / "a.json", _json(frames)))
    np.testing.assert_allclose(keypoints.points, to_edn(points))
    assert keypoints.canvas == (64, 48)


@pytest.mark.parametrize(("scale", "shift", "bounds"), [(1, 0, "[0, 1]"), (2, 1, "[-1, 1]")])
def test_how_normalised_points_were_taken_is_said_aloud(
    tmp_path: Path, scale: float, shift: float, bounds: str
) -> None:
    points = _points(joints=25) / [48, 64, 1]
    written = np.where(points[..., 2:] > 0, points * [scale, scale, 1] - [shift, shift, 0], 0)
    keypoints = _read(_save(tmp_path / "a.json", _json([_frame(person) for person in written])))
    np.testing.assert_allclose(keypoints.points, to_edn(points))
    assert keypoints.canvas == (1, 1)
    assert keypoints.notes == (f'The key points of "a.json" are taken as normalised to {bounds}.',)


def test_one_of_several_people_is_followed_aloud(tmp_path: Path) -> None:
    points = _points(3)
    other = points * [0.5, 0.5, 1] + [500, 500, 0]
    both = [{"people": [*_frame(b)["people"], *_frame(a)["people"]]} for a, b in zip(points, other, strict=True)]  # type: ignore[misc]
    keypoints = _read(_save(tmp_path / "a.json", _json(both)))
    assert np.array_equal(keypoints.points, points)
    assert keypoints.notes == ('"a.json" shows up to 2 people; the one that is largest at first is followed.',)


def test_frames_without_anybody_are_missing_aloud(tmp_path: Path) -> None:
    person = _points(1)[0]
    empty = [{"people": []}, _frame(person), {"people": [{"pose_keypoints_2d": [0] * 69}]}]
    keypoints = _read(_save(tmp_path / "a.json", _json(empty)))
    assert np.array_equal(keypoints.points, [np.zeros((23, 3)), person, np.zeros((23, 3))])
    assert keypoints.notes == ('2 of 3 frames of "a.json" show nobody.',)


def test_other_files_beside_are_left_out_aloud(tmp_path: Path) -> None:
    members = {"1.json": _json(_frame(_points()[0])), "readme.txt": b"hello", "__MACOSX/._1.json": b"{", ".x": b"["}
    expected = 'Left out of "{}", being no key points: "readme.txt".'
    assert _read(save_zip(tmp_path / "a.zip", members)).notes == (expected.format("a.zip"),)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("1.json", "readme.txt", ".x"):
        _save(folder / name, members[name])
    assert _read(folder).notes == (expected.format("folder"),)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("joints", [18, 23, 25])
def test_arrays_of_key_points_are_read(tmp_path: Path, suffix: str, joints: int) -> None:
    points = _points(joints=joints)
    points[2, 3] = np.nan
    path = tmp_path / f"a{suffix}"
    np.save(path, points) if suffix == ".npy" else np.savez_compressed(path, anything=points)
    keypoints = _read(path)
    assert np.array_equal(keypoints.points, to_edn(points)) and np.isfinite(keypoints.points).all()
    assert keypoints.canvas is None


def test_points_without_confidence_are_there_unless_they_lie_at_zero(tmp_path: Path) -> None:
    points = np.round(_points()).astype(np.int32)[..., :2]
    np.save(tmp_path / "a.npy", points)
    keypoints = _read(tmp_path / "a.npy")
    assert np.array_equal(keypoints.points[..., :2], points)
    assert np.array_equal(keypoints.points[..., 2], points.any(axis=2))


def test_of_several_arrays_the_one_called_keypoints_is_taken_on_its_canvas(tmp_path: Path) -> None:
    points = _points()
    arrays: dict[str, Any] = {"number": np.arange(12), "other": points + 1, "keypoints": points}
    np.savez(tmp_path / "a.npz", **arrays, canvas=np.array([64, 48]))
    keypoints = _read(tmp_path / "a.npz")
    assert np.array_equal(keypoints.points, points) and keypoints.canvas == (64, 48)


def test_what_holds_no_key_points_is_somebody_elses(tmp_path: Path) -> None:
    picture, text = encoded(blocks()[0]), _json(_frame(_points()[0]))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    _save(pictures / "1.png", picture)
    _save(pictures / "1.json", text)
    np.save(tmp_path / "frames.npy", blocks())
    np.save(tmp_path / "odd.npy", np.zeros((3, 17, 3)))
    np.savez(tmp_path / "both.npz", pose=blocks(), keypoints=_points())
    np.savez(tmp_path / "odd.npz", a=np.zeros(3))
    others: list[Path | list[Path]] = [
        pictures,
        [pictures / "1.png", pictures / "1.json"],
        [],
        pictures / "1.png",
        save_zip(tmp_path / "pictures.zip", {"1.json": text, "1.png": picture}),
        save_zip(tmp_path / "empty.zip", {}),
        encode_mp4(tmp_path / "a.mp4", blocks()),
        _save(tmp_path / "a.json", b"hello"),
        *(tmp_path / name for name in ("frames.npy", "odd.npy", "both.npz", "odd.npz")),
    ]
    assert [read_keypoints(path) for path in others] == [None] * len(others)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"1.json": {"people": []}}, r'"a.zip" shows nobody in it; expected the key points of a person'),
        ({"1.json": {"people": []}, "2.json": {"people": []}}, r'"a.zip" shows nobody in any of its 2 frames'),
        ({"1.json": _frame(_points(1)), "2.json": [{"people": []}] * 3}, r'"2.json", one of 2 JSON files, holds 3'),
        ({"a/1.json": {"people": []}, "b/2.json": {"people": []}}, r'key points in 2 folders \("a" and "b"\)'),
        (
            {"1.json": _frame(_points(1)), "2.json": _frame(_points(1, 25))},
            '"1.json" has 23 joints and "2.json" has 25 joints; expected the same in all',
        ),
        (
            {
                "1.json": _frame(_points(1), canvas_height=8, canvas_width=9),
                "2.json": _frame(_points(1), canvas_height=9, canvas_width=9),
            },
            '"1.json" has a canvas of 9x8 pixels and "2.json" has a canvas of 9x9 pixels',
        ),
        ({"1.json": "x", "2.json": {}}, r'"2.json" is an empty object without a list "people"'),
    ],
)
def test_json_that_is_no_clip_of_a_person_is_refused(tmp_path: Path, members: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_keypoints(save_zip(tmp_path / "a.zip", {name: _json(value) for name, value in members.items()}))


def test_json_among_other_files_that_a_user_chose_is_refused(tmp_path: Path) -> None:
    files = [_save(tmp_path / "1.json", _json(_frame(_points()[0]))), _save(tmp_path / "a.txt", b"hello")]
    with pytest.raises(InputError, match=r'"a.txt" is text; expected only OpenPose JSON, as the others are'):
        read_keypoints(files)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"keypoints": np.ones((3, 17, 3))}, r'"a.npz: keypoints" is \(3, 17, 3\) float64; expected numbers of shape'),
        ({"keypoints": np.ones((0, 23, 3))}, r'"a.npz: keypoints" is \(0, 23, 3\) float64'),
        ({"keypoints": np.ones((3, 23, 3), bool)}, r'"a.npz: keypoints" is \(3, 23, 3\) bool'),
        ({"a": np.ones((3, 18, 3)), "b": np.ones((3, 23, 3))}, r'several arrays of key points \("a", "b"\)'),
        ({"keypoints": np.full((3, 23, 3), -2e6)}, r'"a.npz" has -2e\+06 in it; expected at most 1,000,000'),
        ({"keypoints": np.full((3, 23, 3), np.nan)}, r'"a.npz" shows nobody in any of its 3 frames'),
        ({"keypoints": np.ones((2001, 18, 3))}, r'"a.npz: keypoints" has more than the 2000 frames'),
        ({"keypoints": np.array([None])}, r'"a.npz: keypoints" is \(1,\) object'),
        ({"keypoints": np.ones((3, 23, 3)), "canvas": np.ones(3)}, r'"a.npz: canvas" is no size of a picture'),
        ({"keypoints": np.ones((3, 23, 3)), "canvas": np.array([np.nan, 2])}, r"expected its height and width, 8"),
        ({"keypoints": np.ones((3, 23, 3)), "canvas": np.array(["a", "b"])}, r"is no size of a picture"),
        ({"keypoints": np.ones((3, 23, 3)), "canvas": np.array(5)}, r"is no size of a picture"),
        ({"keypoints": np.ones((3, 23, 3)), "canvas": np.array([2, 2])}, r"is no size of a picture"),
        ({"keypoints": np.ones((3, 23, 3)), "canvas": np.array([9, 20_000])}, r"8 to 16384"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=message):
        read_keypoints(tmp_path / "a.npz")


def test_an_array_that_promises_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1999, 25, 3), }\n"
    path = _save(tmp_path / "a.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header + bytes(100))
    with pytest.raises(InputError, match=r'"a.npy" is damaged or cut short'):
        read_keypoints(path)


def test_files_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'There is no file "missing.json"'):
        read_keypoints(tmp_path / "missing.json")
    with pytest.raises(InputError, match=r'"a.json" is empty'):
        read_keypoints(_save(tmp_path / "a.json", b""))
    (tmp_path / "b.zip").write_bytes(
        save_zip(tmp_path / "a.zip", {"1.json": _json(_frame(_points()))[:900]}).read_bytes()[:400]
    )
    with pytest.raises(InputError, match=r'"b.zip" is a damaged zip'):
        read_keypoints(tmp_path / "b.zip")


def test_the_json_of_a_clip_is_limited_altogether(tmp_path: Path) -> None:
    write_openpose(tmp_path / "out", _points(), (64, 48))
    largest = max(path.stat().st_size for path in (tmp_path / "out").iterdir())
    with pytest.raises(InputError, match=r'"out" has 0 MB of JSON; at most'):
        _read(tmp_path / "out", Limits(max_json_bytes=2 * largest))
    with pytest.raises(InputError, match='"out" has more than the 11 frames'):
        _read(tmp_path / "out", Limits(max_frames=11))


def test_a_bomb_of_json_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = save_zip(tmp_path / "a.zip", {"1.json": b"[" + b" " * 2_000_000})
    with pytest.raises(InputError, match="unpacks to more than 250 times its size"):
        read_keypoints(bomb)


def test_names_in_a_zip_are_never_paths(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_bytes(_json(_frame(_points(1, 25)[0])))
    (tmp_path / "in").mkdir()
    path = save_zip(tmp_path / "in" / "a.zip", {"../secret.json": _json(_frame(_points()[0]))})
    assert np.array_equal(_read(path).points, _points()[:1])
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a.zip", "in", "secret.json"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["1.json", "2.json", "b/3.json", "4.npy"]), st.binary(max_size=40), min_size=1))
def test_whatever_a_zip_holds_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes]
) -> None:
    path = tmp_path_factory.mktemp("zips") / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, b"[" + content)
    try:
        assert read_keypoints(path) is None
    except InputError as error:
        assert "\n" not in str(error)
