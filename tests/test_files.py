"""One table of files of every kind that people have, and of every fault: each is read right or refused in a sentence.

All of them are read in one process, so that its memory can be bounded. Beside them lies `secret.mp4`, a pipe that
nobody fills: whoever opens it waits for ever.
"""

import json
import os
import resource
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from struct import pack
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from cvae.errors import InputError
from cvae.poses.keypoint_files import read_keypoints
from cvae.poses.source import read_poses
from cvae.video import read_clip
from tests.cvae.media import (
    alias_video,
    blocks,
    encode_hdr,
    encode_mp4,
    encode_rgba,
    encode_video,
    encoded,
    png_chunk,
    png_header,
    save_animation,
    save_zip,
)
from tests.cvae.poses.coco_drawings import draw_coco, standing
from training.puppets.clip import make_clip

ROOT = Path(__file__).parents[1]
FRAMES = blocks(10, 64, 96)
GREY = np.repeat(FRAMES[..., :1], 3, axis=-1)
OPACITY = np.kron(np.linspace(0, 1, 12), np.ones(8))[None, None, :, None]
ON_WHITE = np.round(FRAMES * OPACITY + 255 * (1 - OPACITY)).astype(np.uint8)
TOLERANCE = 16
"""Mean difference of a picture's values, of 255; two frames of random squares differ by 85."""

Make = Callable[[Path], Any]
X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
GIF_FRAME = b"\x21\xf9\x04\0\x04\0\0\0\x2c" + pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
SLOWED = ("-vf", "settb=1/90000,setpts='3000*(N+gte(N,4))'", "-fps_mode", "passthrough", "-enc_time_base", "1:90000")


def video(*options: str, frames: np.ndarray = FRAMES, fps: float = 25) -> Make:
    return lambda path: encode_video(path, frames, *options, fps=fps)


def animation(**options: Any) -> Make:
    return lambda path: save_animation(path, FRAMES, **options)


def rgba(*options: str) -> Make:
    return lambda path: encode_rgba(path, FRAMES, OPACITY, *options)


def content(text: bytes | str) -> Make:
    return lambda path: path.write_bytes(text.encode() if isinstance(text, str) else text)


def remuxed(make: Make, *options: str) -> Make:
    """With the streams as they are, in a file that differs in what stands around them."""

    def write(path: Path) -> None:
        make(path.with_name("first.mp4"))
        source = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *options, "-i", "first.mp4", "-c", "copy"]
        subprocess.run([*source, path.name], cwd=path.parent, check=True)
        path.with_name("first.mp4").unlink()

    return write


def changed(make: Make, change: Callable[[bytes], bytes]) -> Make:
    def write(path: Path) -> None:
        make(path)
        path.write_bytes(change(path.read_bytes()))

    return write


def without_the_middle(whole: bytes) -> bytes:
    middle, length = len(whole) // 2, len(whole) // 8
    return whole[:middle] + bytes(length) + whole[middle + length :]


def folder(path: Path) -> None:
    path.mkdir()
    for index in range(len(FRAMES)):
        Image.fromarray(FRAMES[index]).save(path / f"pose {index}.png")
    (path / "notes.txt").write_text("x")


def transparent_gif(path: Path) -> None:
    holes = np.where(OPACITY > 0.5, 255, 0).astype(np.uint8) * np.ones_like(FRAMES[..., :1])
    first, *rest = [Image.fromarray(frame, "RGBA") for frame in np.concatenate([FRAMES, holes], axis=-1)]
    first.save(path, save_all=True, append_images=rest, duration=40, disposal=2)


def turned_photo(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right
    Image.fromarray(np.rot90(FRAMES[0])).save(path, exif=exif, quality=95)


def deep_grey(path: Path) -> None:
    Image.fromarray(GREY[0, :, :, 0].astype(np.uint16) * 257).save(path)


def long_gif(path: Path) -> None:
    frames = (GIF_FRAME + GIF_FRAME.replace(b"\x44", b"\x4c")) * 5000
    path.write_bytes(b"GIF89a" + pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + frames + b";")


def encrypted_zip(path: Path) -> None:
    save_zip(path, {"1.png": encoded(FRAMES[0])})
    flagged = path.read_bytes().replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\x01\0")
    path.write_bytes(flagged)


def text_bomb(path: Path) -> None:
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 * 2**20)))
    whole = encoded(FRAMES[0])
    path.write_bytes(whole[:33] + bomb + whole[33:])


def sound(path: Path) -> None:
    source = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2"]
    subprocess.run([*source, "-f", "mp4", str(path)], check=True)


def pictures(numbers: range = range(10), prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{number}.png": encoded(FRAMES[number]) for number in numbers}


def pose(*numbers: object) -> str:
    people = [{"pose_keypoints_2d": list(numbers)}] if numbers else []
    return json.dumps({"people": people, "canvas_width": 96, "canvas_height": 64})


NOTED = {"slowed.mp4": "9 frames", "damaged.mov": "of 75 frames", "cut.mkv": "of 75 frames", "folder": "notes.txt"}
"""What the notes of a file name; there are none of any other."""

WITHOUT_RATE = (
    *("turned.jpg", "16 bits.png", "folder", "pictures.zip", "outwards.zip", "a\nb\x1b[31m.zip", "poses.npz"),
    "floats.npy",
)
"""All others have 25 frames a second, but for the slowed one."""

READ: dict[str, tuple[Make, np.ndarray]] = {
    "h264.mp4": (video(*X264), FRAMES),
    "hevc.mp4": (video("-c:v", "libx265", "-x265-params", "log-level=error"), FRAMES),
    "hevc of 10 bits.mov": (
        video("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=error"),
        FRAMES,
    ),
    "av1.mp4": (video("-c:v", "libsvtav1", "-pix_fmt", "yuv420p10le", "-crf", "20"), FRAMES),
    "vp8.webm": (video("-c:v", "libvpx", "-b:v", "1M"), FRAMES),
    "vp9.webm": (video("-c:v", "libvpx-vp9"), FRAMES),
    "vp9 of 10 bits.webm": (video("-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p10le"), FRAMES),
    "without length.webm": (video("-c:v", "libvpx-vp9", "-live", "1"), FRAMES),
    "mpeg4.mov": (video("-c:v", "mpeg4", "-q:v", "2"), FRAMES),
    "mpeg4.avi": (video("-c:v", "mpeg4", "-q:v", "2"), FRAMES),
    "mjpeg.avi": (video("-c:v", "mjpeg", "-q:v", "2"), FRAMES),
    "mpeg2.mkv": (video("-c:v", "mpeg2video", "-q:v", "2"), FRAMES),
    "prores.mov": (video("-c:v", "prores_ks"), FRAMES),
    "ffv1.mkv": (video("-c:v", "ffv1"), FRAMES),
    "grey.mp4": (video("-c:v", "libx264", "-pix_fmt", "gray", frames=GREY), GREY),
    "odd.mp4": (video("-c:v", "libx264", "-pix_fmt", "yuv444p", frames=FRAMES[:, :63, :95]), FRAMES[:, :63, :95]),
    "fragments.mp4": (video(*X264, "-g", "3", "-movflags", "frag_keyframe+empty_moov"), FRAMES),
    "turned.mov": (remuxed(video(*X264), "-display_rotation", "90"), np.rot90(FRAMES, axes=(1, 2))),
    "oblong pixels.mp4": (video(*X264, "-vf", "setsar=2"), np.repeat(FRAMES, 2, axis=2)),
    "interlaced.mp4": (video(*X264, "-flags", "+ildct+ilme", "-x264-params", "tff=1"), FRAMES),
    "slowed.mp4": (video(*X264, *SLOWED, frames=FRAMES[:9]), FRAMES[[0, 1, 2, 3, 3, 4, 5, 6, 7, 8]]),
    "pq.mp4": (lambda path: encode_hdr(path, GREY, "smpte2084"), GREY),
    "hlg.mov": (lambda path: encode_hdr(path, GREY, "arib-std-b67"), GREY),
    "transparent.mov": (rgba("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"), ON_WHITE),
    "transparent.webm": (rgba("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"), ON_WHITE),
    "a video.gif": (video(*X264, "-f", "mp4"), FRAMES),
    "cut.mkv": (changed(video(*X264, frames=blocks(75)), lambda whole: whole[: len(whole) * 5 // 8]), blocks(75)),
    "damaged.mov": (changed(video("-c:v", "mpeg4", frames=blocks(75)), without_the_middle), blocks(75)),
    "a.gif": (animation(duration=40), FRAMES),
    "transparent.gif": (transparent_gif, np.where(OPACITY > 0.5, FRAMES, 255)),
    "apng.png": (animation(duration=40), FRAMES),
    "animated.webp": (animation(duration=40, lossless=True), FRAMES),
    "turned.jpg": (turned_photo, FRAMES[:1]),
    "16 bits.png": (deep_grey, GREY[:1]),
    "folder": (folder, FRAMES),
    "pictures.zip": (lambda path: save_zip(path, pictures()), FRAMES),
    "outwards.zip": (lambda path: save_zip(path, pictures(prefix="../../")), FRAMES),
    "a\nb\x1b[31m.zip": (lambda path: save_zip(path, pictures()), FRAMES),
    "poses.npz": (lambda path: np.savez_compressed(path, poses=FRAMES), FRAMES),
    "floats.npy": (lambda path: np.save(path, FRAMES / 255), FRAMES),
}

REFUSED: dict[str, tuple[Make, str]] = {
    "empty.mp4": (content(b""), "is empty"),
    "text.mp4": (content("hello"), "is text; expected a GIF"),
    "page.mp4": (content("<!DOCTYPE html><html>404"), "is a web page"),
    "a.heic": (content(b"\0\0\0\x18ftypheic" + bytes(99)), "is a HEIC or AVIF picture"),
    "playlist.mp4": (content("#EXTM3U\n#EXTINF:9,\nsecret.mp4\n#EXT-X-ENDLIST\n"), "is text; expected"),
    "list.mp4": (content("ffconcat version 1.0\nfile secret.mp4\n"), "is text; expected"),
    "playlist in disguise.mp4": (content(b"\0\0\0\x18ftypisom\n#EXTM3U\nsecret.mp4\n"), "cannot be opened as a video"),
    "elsewhere.mov": (lambda path: alias_video(path, FRAMES, "secret.mp4"), "No frame of .* could be read"),
    "sound.mp4": (sound, "cannot be opened as a video; it is damaged or has no pictures"),
    "without index.mp4": (
        changed(video(*X264), lambda whole: whole[: whole.index(b"moov")]),
        "cannot be opened as a video",
    ),
    "large.mov": (
        video("-vf", "scale=5600:4000", "-c:v", "mjpeg", frames=FRAMES[:1]),
        "5600x4000 pixels; at most 20 million in a frame",
    ),
    "long.mkv": (
        video("-c:v", "mjpeg", frames=np.zeros((2001, 16, 16, 3), np.uint8)),
        "more than the 2000 frames that are accepted",
    ),
    "long.gif": (long_gif, "more than the 2000 frames that are accepted"),
    "large.png": (content(png_header(20_000, 20_000)), "far above the 50 million pixels"),
    "wide.png": (content(png_header(20_000, 2)), "is 20000x2 pixels; at most 16384 on a side"),
    "large.gif": (
        content(b"GIF89a" + pack("<HHBBB", 65535, 65535, 0, 0, 0) + GIF_FRAME),
        "far above the 50 million pixels",
    ),
    "large and moving.gif": (
        content(b"GIF89a" + pack("<HHBBB", 6000, 4000, 0, 0, 0) + GIF_FRAME * 2 + b";"),
        "6000x4000 pixels; at most 20 million in a frame",
    ),
    "text bomb.png": (text_bomb, "is damaged and cannot be read as a picture"),
    "half a.png": (content(encoded(FRAMES[0])[:500]), "is damaged and cannot be read as a picture"),
    "bomb.zip": (lambda path: save_zip(path, {"1.png": bytes(2**25)}), "unpacks to more than 250 times its size"),
    "nested.zip": (lambda path: save_zip(path, {"a.zip": b"PK\x03\x04"}), "holds another zip"),
    "crowded.zip": (lambda path: save_zip(path, {f"{i}": b"" for i in range(4001)}), "more than the 4000 files"),
    "encrypted.zip": (encrypted_zip, "is protected by a password"),
    "lzma.zip": (partial(save_zip, members=pictures(), compression=zipfile.ZIP_LZMA), "is packed in an unusual way"),
    "nowhere.zip": (lambda path: save_zip(path, {"../../etc/passwd": b"root"}), "holds no pictures but"),
    "bomb.npz": (lambda path: np.savez_compressed(path, poses=np.zeros((99, 99, 999, 3), "u1")), "times its size"),
    "objects.npz": (lambda path: np.savez(path, poses=np.array([{}], object)), "header|no array|is \\(1,\\)"),
    "nan.json": (content(pose(float("nan"), *[1] * 53)), "NaN"),
    "strings.json": (content(pose(*["1"] * 54)), 'has the text "1" in .*; expected numbers only'),
    "deep.json": (content("[" * 100_000), "is nested too deeply"),
    "short.json": (content(pose(*[1] * 53)), "53"),
    "people.zip": (
        lambda path: save_zip(path, {"../1.json": pose().encode(), "2.png": png_header(9**9, 9)}),
        '"2.png" is far above the 50 million pixels',
    ),
}

KEYPOINTS: dict[str, tuple[Make, list[int]]] = {
    "nobody.json": (content(f"[{pose()}, {pose(*range(1, 55))}]"), [0, 19]),
    "outwards poses.zip": (
        lambda path: save_zip(path, {f"../../{i}.json": pose(*[9] * 54).encode() for i in range(3)}),
        [19] * 3,
    ),
}
"""And how many joints there are to be seen in each frame."""


def person(path: Path) -> None:
    frames = make_clip(np.random.SeedSequence(4), 6, (128, 256), 12.0).frames
    encode_mp4(path, np.stack([cv2.resize(frame, (1280, 640)) for frame in frames]))


POSES: dict[str, tuple[Make, str]] = {
    "person.mp4": (person, "a video of a person"),
    "coco.mp4": (lambda path: encode_mp4(path, np.stack([draw_coco(standing())] * 6)), "skeletons on black"),
}
"""And what they are taken for."""

TABLE: dict[str, Make] = {name: row[0] for rows in (READ, REFUSED, KEYPOINTS, POSES) for name, row in rows.items()}


def read_all(files: str, results: str) -> None:
    """Read the whole table, as the command in `answers` asks."""
    answers: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(TABLE):
        answer = answers[name] = {"number": number}
        try:
            path = Path(files) / name
            if name in POSES:
                poses = read_poses(path, size=(64, 128))
                answer |= {"title": poses.title, "count": poses.count}
                continue
            if keypoints := read_keypoints(path):
                answer["joints"] = (keypoints.points[..., 2] > 0).sum(axis=1).tolist()
                continue
            clip = read_clip(path)
            np.save(Path(results) / f"{number}.npy", clip.frames)
            answer |= {"fps": clip.fps, "notes": clip.notes}
        except InputError as error:
            answer["refusal"] = str(error)
    kilobytes = own_peak() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    (Path(results) / "answers.json").write_text(json.dumps({"answers": answers, "bytes": kilobytes * 1024}))


def own_peak() -> int:
    """Of this process's memory, in kilobytes; `getrusage` would count that of the process which started it too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what came of each file, once all are read."""
    files, results = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("results")
    for name, make in TABLE.items():
        make(files / name)
    os.mkfifo(files / "secret.mp4")
    before = sorted(files.rglob("*"))
    code = f"from tests.test_files import read_all; read_all({str(files)!r}, {str(results)!r})"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=files, env=environment, timeout=120, check=True)
    assert sorted(files.rglob("*")) == before
    return results


@pytest.fixture(scope="module")
def answers(results: Path) -> dict[str, dict[str, Any]]:
    return json.loads((results / "answers.json").read_text())["answers"]


@pytest.mark.parametrize("name", READ)
def test_a_file_that_people_have_is_read_right(name: str, results: Path, answers: dict[str, dict[str, Any]]) -> None:
    answer, expected = answers[name], READ[name][1]
    assert "refusal" not in answer, answer
    frames = np.load(results / f"{answer['number']}.npy")
    if name == "cut.mkv":
        assert 30 <= len(frames) < 60
        expected = expected[: len(frames)]
    assert frames.shape == expected.shape
    for place in (0, -1):
        assert np.abs(frames[place].astype(int) - expected[place]).mean() < TOLERANCE
    rate = 30 if name == "slowed.mp4" else 25
    assert answer["fps"] == (None if name in WITHOUT_RATE else pytest.approx(rate, rel=1e-3))
    notes = " ".join(answer["notes"])
    assert NOTED[name] in notes if name in NOTED else notes == ""


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_nobody_can_use_is_refused_in_a_sentence(name: str, answers: dict[str, dict[str, Any]]) -> None:
    with pytest.raises(InputError, match=REFUSED[name][1]) as caught:
        raise InputError(answers[name].get("refusal", f"It was read: {answers[name]}"))
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", KEYPOINTS)
def test_key_points_are_read_right(name: str, answers: dict[str, dict[str, Any]]) -> None:
    assert answers[name].get("joints") == KEYPOINTS[name][1], answers[name]


@pytest.mark.parametrize("name", POSES)
def test_poses_are_found(name: str, answers: dict[str, dict[str, Any]]) -> None:
    assert (answers[name].get("title"), answers[name].get("count")) == (POSES[name][1], 6), answers[name]


def test_all_files_together_are_read_in_less_memory_than_a_small_machine_has(results: Path) -> None:
    """Of this process and the largest that it started."""
    assert json.loads((results / "answers.json").read_text())["bytes"] < 1.5 * 2**30
