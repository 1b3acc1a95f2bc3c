import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cvae.archives import open_zip
from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits
from cvae.video import read_clip
from tests.cvae.media import blocks, encoded, save_zip


def _array_with_header(path: Path, header: str, content: bytes = b"") -> Path:
    text = header.encode() + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + content)
    return path


def test_pictures_of_a_zip_come_in_natural_order_whatever_surrounds_them(tmp_path: Path) -> None:
    frames = blocks(11)
    members = {f"poses/frame_{i}.png": encoded(frames[i]) for i in (10, 2, 1, 0, 9, 8, 7, 6, 5, 4, 3)}
    junk = {"__MACOSX/poses/._frame_1.png": b"x", "poses/.DS_Store": b"x", "poses/": b""}
    clip = read_clip(save_zip(tmp_path / "a.zip", junk | members))
    np.testing.assert_array_equal(clip.frames, frames)
    assert clip.fps is None and clip.notes == ()


def test_a_zip_under_another_name_is_still_a_zip(tmp_path: Path) -> None:
    assert read_clip(save_zip(tmp_path / "a.mp4", {"1.png": encoded(blocks()[0])})).frames.shape == (1, 32, 48, 3)


def test_member_names_are_never_paths(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    read_clip(save_zip(tmp_path / "in" / "a.zip", {"../../1.png": encoded(blocks()[0])}))
    read_clip(save_zip(tmp_path / "in" / "a.zip", {"/etc/1.png": encoded(blocks()[0])}))
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "a.zip"]


def test_what_is_no_picture_is_left_out_aloud(tmp_path: Path) -> None:
    members = {"1.png": encoded(blocks()[0]), "readme.txt": b"hello", "2.png": b"no picture"}
    clip = read_clip(save_zip(tmp_path / "a.zip", members))
    assert len(clip.frames) == 1
    assert clip.notes == ('Left out of "a.zip", being no pictures: "2.png", "readme.txt".',)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, r'"a.zip" holds no files; expected pictures \(PNG'),
        ({"a.txt": b"x"}, r'"a.zip" holds no pictures but "a.txt"; expected pictures'),
        ({"a.zip": b"PK\x03\x04"}, r'"a.zip" holds another zip'),
        ({"gt/1.png": encoded(blocks()[0]), "pose/1.png": encoded(blocks()[1])}, r'2 folders \("gt" and "pose"\)'),
        ({"1.png": encoded(blocks()[0])[:60]}, r'"1.png" is damaged'),
        ({"1.png": b"\x89PNG\r\n\x1a\n" + bytes(50_000_000)}, r"unpacks to more than 250 times its size"),
    ],
)
def test_a_zip_that_is_no_clip_is_refused(tmp_path: Path, members: dict[str, bytes], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_clip(save_zip(tmp_path / "a.zip", members))


def test_a_zip_unpacks_to_a_bounded_size(tmp_path: Path) -> None:
    save_zip(tmp_path / "a.zip", {"1.bin": bytes(2000), "2.bin": bytes(2000)}, zipfile.ZIP_STORED)
    with pytest.raises(InputError, match=r"unpacks to .* MB; at most"):
        read_clip(tmp_path / "a.zip", limits=Limits(max_unpacked_bytes=3999))


def test_one_member_is_bounded_like_a_file(tmp_path: Path) -> None:
    picture = encoded(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8), "BMP")
    save_zip(tmp_path / "a.zip", {"1.bmp": picture + bytes(20_000)})
    with pytest.raises(InputError, match=r'"1.bmp" has .* MB; at most'):
        read_clip(tmp_path / "a.zip", limits=Limits(max_bytes=20_000))


def test_a_member_gives_no_more_than_it_declares(tmp_path: Path) -> None:
    content = encoded(blocks()[0]) + bytes(5_000_000)
    save_zip(tmp_path / "a.zip", {"1.png": content})
    honest, lie = (struct.pack("<I", size) for size in (len(content), 400))
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes().replace(honest, lie))
    with pytest.raises(InputError, match=r'"a.zip" is a damaged zip'):
        read_clip(tmp_path / "a.zip")


def test_entries_are_counted_before_the_zip_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_zip(tmp_path / "a.zip", {f"{i}.png": b"" for i in range(6)})
    monkeypatch.setattr("cvae.archives.ZipFile", None)
    with pytest.raises(InputError, match="holds more than the 5 files"):
        read_clip(tmp_path / "a.zip", limits=Limits(max_entries=5))


def test_too_many_pictures_are_refused_before_one_is_read(tmp_path: Path) -> None:
    save_zip(tmp_path / "a.zip", {f"{i}.png": b"\x89PNG\r\n\x1a\n" for i in range(6)})
    with pytest.raises(InputError, match="more than the 5 frames"):
        read_clip(tmp_path / "a.zip", limits=Limits(max_frames=5))


def test_a_password_is_refused(tmp_path: Path) -> None:
    content = bytearray(save_zip(tmp_path / "a.zip", {"1.png": encoded(blocks()[0])}).read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match="protected by a password"):
        read_clip(tmp_path / "a.zip")


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_packing_is_refused(tmp_path: Path, compression: int) -> None:
    save_zip(tmp_path / "a.zip", {"1.png": encoded(blocks()[0])}, compression)
    with pytest.raises(InputError, match="packed in an unusual way"):
        read_clip(tmp_path / "a.zip")


def test_a_cut_zip_is_refused(tmp_path: Path) -> None:
    content = save_zip(tmp_path / "a.zip", {"1.png": encoded(blocks()[0])}).read_bytes()
    (tmp_path / "a.zip").write_bytes(content[:-10])
    with pytest.raises(InputError, match=r'"a.zip" is a damaged zip\.'):
        read_clip(tmp_path / "a.zip")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_array_is_taken_by_name_before_order(tmp_path: Path, save: type) -> None:
    save(tmp_path / "a.npz", gt=blocks() // 2, other=blocks() // 3, poses=blocks(), fps=np.array(25))
    np.testing.assert_array_equal(read_clip(tmp_path / "a.npz").frames, blocks())


def test_the_only_fitting_array_is_taken(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", clip=blocks(), joints=np.zeros((6, 23, 3)))
    np.testing.assert_array_equal(read_clip(tmp_path / "a.npz").frames, blocks())


def test_a_float_array_counts_from_0_to_1(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", (blocks() / 255).astype(np.float32))
    np.testing.assert_array_equal(read_clip(tmp_path / "a.npy").frames, blocks())


@pytest.mark.parametrize("by_columns", [False, True])
def test_a_large_frame_of_floats_is_never_whole_in_memory_as_such(tmp_path: Path, by_columns: bool) -> None:
    ramp = np.linspace(0, 1, 1500 * 500 * 3).reshape(1, 1500, 500, 3)  # 18 MB
    np.savez_compressed(tmp_path / "a.npz", np.asfortranarray(ramp) if by_columns else ramp)
    tracemalloc.start()
    try:
        clip = read_clip(tmp_path / "a.npz")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(clip.frames, ramp * 255, atol=0.51)
    assert most < (50e6 if by_columns else 30e6)


def test_an_array_stored_by_columns_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(blocks()))
    np.testing.assert_array_equal(read_clip(tmp_path / "a.npy").frames, blocks())


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((6, 3, 32, 48), np.uint8), r"is \(6, 3, 32, 48\) uint8; expected \(T, H, W, 3\)"),
        (np.zeros((0, 32, 48, 3), np.uint8), r"is \(0, 32, 48, 3\) uint8"),
        (np.zeros((6, 32, 48, 3), np.int64), r"int64; expected"),
        (np.full((6, 32, 48, 3), 255.0), r"values outside \[0, 1\]"),
        (np.full((6, 32, 48, 3), np.nan), r"values outside \[0, 1\]"),
        (np.array([{}]), r"is \(1,\) object"),
    ],
)
def test_an_array_that_is_no_clip_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    np.savez(tmp_path / "a.npz", poses=array)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(InputError, match=message):
            read_clip(tmp_path / name)


def test_arrays_that_fit_equally_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=blocks(), right=blocks())
    with pytest.raises(InputError, match=r"several arrays of frames .*expected one of them to be called poses or"):
        read_clip(tmp_path / "a.npz")


def test_an_npz_without_frames_tells_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", joints=np.zeros((6, 23, 3)))
    with pytest.raises(InputError, match=r'no array of frames \("joints": \(6, 23, 3\) float64\)'):
        read_clip(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ("(99999999999, 64, 64, 3)", "more than the 2000 frames"),
        ("(2, 30000, 64, 3)", "64x30000 pixels; at most 16384"),
        ("(2000, 2000, 2000, 3)", "more than the 4,000 million pixels"),
        ("(2000, 1000, 1000, 3)", "unpacks to 5,722 MB; at most 1,024 MB"),
        ("(9, 32, 48, 3)", "damaged or cut short"),
        ("(-6, -32, 48, 3)", r"is \(-6, -32, 48, 3\)"),
    ],
)
def test_an_array_is_judged_by_its_header(tmp_path: Path, shape: str, message: str) -> None:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}"
    with pytest.raises(InputError, match=message):
        read_clip(_array_with_header(tmp_path / "a.npy", header, bytes(100)))


def test_an_array_that_python_2_wrote_is_read(tmp_path: Path) -> None:
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (6L, 32L, 48L, 3L), }"
    path = _array_with_header(tmp_path / "a.npy", header, blocks().tobytes())
    np.testing.assert_array_equal(read_clip(path).frames, blocks())


@pytest.mark.parametrize("header", ["(" * 9000, "{'descr': 'O'", "\0" * 50, "{'descr': '|u1', 'shape': 3}"])
def test_a_hostile_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(InputError, match="header that cannot be read"):
        read_clip(_array_with_header(tmp_path / "a.npy", header))


def test_our_own_mistake_is_not_blamed_on_the_zip(tmp_path: Path) -> None:
    path = save_zip(tmp_path / "a.zip", {"1.png": encoded(blocks()[0])})
    with pytest.raises(AssertionError, match="ours"), open_zip(path, LIMITS):
        raise AssertionError("ours")
