import contextlib
import errno
import itertools
import random
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cvae.errors import InputError
from cvae.inputs import Limits
from cvae.video import read_clip
from tests.cvae.media import VIDEOS, blocks, encode_video, encoded, is_close, png_header, save_animation, save_zip

# Animations


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_animations_are_read_with_their_rate(tmp_path: Path, name: str) -> None:
    clip = read_clip(save_animation(tmp_path / name, blocks(), duration=40, lossless=True))
    np.testing.assert_allclose(clip.frames, blocks(), atol=1)
    assert clip.fps == pytest.approx(25) and clip.notes == ()


def test_delays_that_vary_give_their_mean_rate(tmp_path: Path) -> None:
    clip = read_clip(save_animation(tmp_path / "a.gif", blocks(), duration=[30, 30, 40, 30, 30, 40]))
    assert clip.fps == pytest.approx(30) and len(clip.frames) == 6 and clip.notes == ()


def test_neighbours_that_pillow_merged_come_back(tmp_path: Path) -> None:
    frames = blocks()[[0, 1, 1, 1, 2, 3]]
    clip = read_clip(save_animation(tmp_path / "a.gif", frames, duration=50))
    np.testing.assert_allclose(clip.frames, frames, atol=1)
    assert clip.fps == pytest.approx(20)
    assert clip.notes == ('4 frames of "a.gif" became 6: those that last longer are repeated.',)


def test_a_frame_that_stands_for_ever_is_refused(tmp_path: Path) -> None:
    path = save_animation(tmp_path / "a.gif", blocks(), duration=[20, 20, 20, 20, 20, 60_000])
    with pytest.raises(InputError, match="more than the 2000 frames"):
        read_clip(path)


def test_a_delay_of_nothing_counts_as_browsers_count_it(tmp_path: Path) -> None:
    assert read_clip(save_animation(tmp_path / "a.gif", blocks(), duration=0)).fps == pytest.approx(10)


def test_the_cover_of_an_apng_is_no_frame(tmp_path: Path) -> None:
    clip = read_clip(save_animation(tmp_path / "a.png", blocks(), duration=50, default_image=True))
    np.testing.assert_array_equal(clip.frames, blocks()[1:])
    assert clip.notes == ()


@pytest.mark.parametrize(("name", "promise"), [("a.gif", ""), ("a.png", " of 30")])
def test_a_cut_animation_gives_its_frames_and_says_so(tmp_path: Path, name: str, promise: str) -> None:
    content = save_animation(tmp_path / name, blocks(30), duration=50).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    clip = read_clip(tmp_path / name)
    assert 0 < len(clip.frames) < 30
    assert clip.notes == (
        f'{len(clip.frames)}{promise} frames of "{name}" could be read; the file is damaged or cut short.',
    )


def test_an_animation_is_bounded(tmp_path: Path) -> None:
    path = save_animation(tmp_path / "a.gif", blocks(), duration=50)
    with pytest.raises(InputError, match="more than the 5 frames"):
        read_clip(path, limits=Limits(max_frames=5))
    with pytest.raises(InputError, match="more than the 9000 pixels"):
        read_clip(path, limits=Limits(max_total_pixels=9000))
    with pytest.raises(InputError, match="needs memory for more than the 100 pixels"):
        read_clip(path, size=(8, 8), limits=Limits(max_kept_pixels=100))


# Still pictures


def test_one_still_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    Image.fromarray(blocks()[0]).save(tmp_path / "a.png")
    clip = read_clip(tmp_path / "a.png")
    np.testing.assert_array_equal(clip.frames, blocks()[:1])
    assert clip.fps is None


def test_a_phone_photo_with_a_second_picture_inside_is_one_frame(tmp_path: Path) -> None:
    first, second = (Image.fromarray(frame) for frame in blocks(2))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second], quality=95)
    clip = read_clip(tmp_path / "a.jpg")
    assert len(clip.frames) == 1 and is_close(clip.frames, blocks(1))


def test_a_folder_is_read_in_natural_order(tmp_path: Path) -> None:
    frames = blocks(11)
    for index in random.Random(0).sample(range(11), 11):
        Image.fromarray(frames[index]).save(tmp_path / f"{index}.png")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    clip = read_clip(tmp_path)
    np.testing.assert_array_equal(clip.frames, frames)
    assert clip.notes == (f'Left out of "{tmp_path.name}", being no pictures: "notes.txt".',)


def test_a_picture_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index, frame in enumerate(blocks(2)):
        Image.fromarray(frame).save(tmp_path / f"{index}.png")
    open_any = Path.open

    def refuse(path: Path, mode: str = "r") -> IO[Any]:  # permissions do not stop root, as whom a container runs
        if path.name == "1.png":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return open_any(path, mode)

    monkeypatch.setattr(Path, "open", refuse)
    for poses in (tmp_path, sorted(tmp_path.iterdir())):
        with pytest.raises(InputError, match=r'^"1.png" cannot be opened: Permission denied\.$'):
            read_clip(poses)


def test_our_own_mistake_is_not_blamed_on_the_animation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*_: Any) -> None:
        raise AssertionError("ours")

    monkeypatch.setattr("cvae.reader.to_rgb", mistaken)
    with pytest.raises(AssertionError, match="ours"):
        read_clip(save_animation(tmp_path / "a.gif", blocks(), duration=50))


def test_several_files_are_read_in_natural_order(tmp_path: Path) -> None:
    frames = blocks(11)
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"pose {index}.png")
    paths = [tmp_path / f"pose {index}.png" for index in sorted(range(11), key=str)]
    np.testing.assert_array_equal(read_clip(paths).frames, frames)


def test_one_file_in_a_list_is_that_file(tmp_path: Path) -> None:
    assert len(read_clip([save_animation(tmp_path / "a.gif", blocks(), duration=50)]).frames) == 6


def test_several_files_must_be_still_pictures(tmp_path: Path) -> None:
    Image.fromarray(blocks()[0]).save(tmp_path / "1.png")
    save_animation(tmp_path / "2.gif", blocks(), duration=50)
    (tmp_path / "3.txt").write_text("hello")
    with pytest.raises(InputError, match=r'"2.gif" is animated; expected still pictures'):
        read_clip([tmp_path / "1.png", tmp_path / "2.gif"])
    with pytest.raises(InputError, match=r'"3.txt" is text; expected several pictures'):
        read_clip([tmp_path / "1.png", tmp_path / "3.txt"])
    with pytest.raises(InputError, match="No file came"):
        read_clip([])


def test_frames_of_two_sizes_are_refused_by_name(tmp_path: Path) -> None:
    Image.new("RGB", (8, 4)).save(tmp_path / "1.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "2.png")
    with pytest.raises(InputError, match=r'differ in size: "1.png" is 8x4 and "2.png" is 4x4'):
        read_clip(tmp_path)
    clip = read_clip(tmp_path, size=(4, 4))
    assert clip.frames.shape == (2, 4, 4, 3)
    assert clip.notes[0].endswith(
        ", which are of several sizes, are resized from 8x4 to 4x4 (width x height), which changes the proportions."
    )


def test_resizing_while_reading_is_said(tmp_path: Path) -> None:
    path = save_animation(tmp_path / "a.png", blocks(), duration=50)
    clip = read_clip(path, size=(64, 96))
    assert clip.frames.shape == (6, 64, 96, 3)
    assert clip.notes == ('The frames of "a.png" are resized from 48x32 to 96x64 (width x height).',)
    assert read_clip(path, size=(32, 48)).notes == ()


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no files; expected pictures"):
        read_clip(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=r'holds no pictures but "a.txt"'):
        read_clip(tmp_path)


def test_a_folder_is_bounded(tmp_path: Path) -> None:
    for index in range(4):
        Image.new("RGB", (8, 4)).save(tmp_path / f"{index}.png")
    with pytest.raises(InputError, match="more than the 3 files"):
        read_clip(tmp_path, limits=Limits(max_entries=3))
    with pytest.raises(InputError, match="more than the 3 frames"):
        read_clip(tmp_path, limits=Limits(max_frames=3))
    (tmp_path / "9.png").write_bytes(png_header(20_000, 20_000))
    with pytest.raises(InputError, match=r'"9.png" is far above the 50 million pixels'):
        read_clip(tmp_path)


# Whatever else comes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"hello", "is text; expected a GIF, APNG or animated WebP, a video"),
        (b"<html><body>404</body></html>", "is a web page; expected"),
        (bytes(100), "is no file that we know; expected"),
        (b"\0\0\0\x18ftypheic" + bytes(9), "is a HEIC or AVIF picture; expected"),
        (b"RIFF\0\0\0\0WEBP", "is damaged and cannot be read as a picture"),
        (b"PK\x05\x06", "is a damaged zip"),
        (b"\x1a\x45\xdf\xa3", "cannot be opened as a video"),
    ],
)
def test_what_is_no_clip_is_refused_in_a_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(InputError, match=rf'^"a.mp4" {message}.*\.$'):
        read_clip(tmp_path / "a.mp4")


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'There is no file "a.mp4"\.'):
        read_clip(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="File name too long"):
        read_clip(tmp_path / ("a" * 300))


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("whole")
    frames = blocks(3, 16, 16)
    for name, kind in itertools.product(("a.gif", "a.png", "a.webp"), ("still", "moving")):
        save_animation(folder / f"{kind}_{name}", frames if kind == "moving" else frames[:1], duration=50)
    for name, options in VIDEOS.items():
        encode_video(folder / name, frames, *options)
    save_zip(folder / "a.zip", {f"{i}.png": encoded(frame) for i, frame in enumerate(frames)})
    (folder / "a.jpg").write_bytes(encoded(frames[0], "JPEG"))
    (folder / "a.bmp").write_bytes(encoded(frames[0], "BMP"))
    np.savez_compressed(folder / "a.npz", poses=frames)
    np.save(folder / "a.npy", frames)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


HEADS = (
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"PK\x03\x04",
    b"\x93NUMPY\x01\0",
    b"\0\0\0\x18ftypisom",
    b"\x1a\x45\xdf\xa3",
)
damage = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4)), max_size=6)


def _only_a_clip_or_an_input_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with contextlib.suppress(InputError):
        clip = read_clip(path, limits=Limits(max_frames=50, max_pixels=10**6, max_unpacked_bytes=2**24))
        assert clip.frames.dtype == np.uint8 and len(clip.frames) > 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from(HEADS), tail=st.binary(max_size=300))
def test_random_bytes_never_crash(tmp_path: Path, head: bytes, tail: bytes) -> None:
    _only_a_clip_or_an_input_error(tmp_path / "a.mp4", head + tail)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 10**6), edits=damage, keep=st.floats(0.05, 1))
def test_damaged_files_never_crash(
    tmp_path: Path, whole_files: list[bytes], which: int, edits: list[tuple[float, bytes]], keep: float
) -> None:
    content = bytearray(whole_files[which % len(whole_files)])
    for place, replacement in edits:
        at = int(place * len(content))
        content[at : at + len(replacement)] = replacement
    _only_a_clip_or_an_input_error(tmp_path / "a.mp4", bytes(content[: int(keep * len(content))]))
