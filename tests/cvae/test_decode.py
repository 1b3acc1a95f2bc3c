import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

from cvae.decode import _capture, _times_in
from cvae.errors import InputError
from cvae.inputs import Limits
from cvae.reader import ClipReader, Span
from cvae.video import read_clip
from tests.cvae.media import VIDEOS, blocks, encode_hdr, encode_mp4, encode_rgba, encode_video, encoded, is_close


@pytest.mark.parametrize("name", VIDEOS)
def test_videos_are_read_with_their_rate_in_rgb(tmp_path: Path, name: str) -> None:
    clip = read_clip(encode_video(tmp_path / name, blocks(), *VIDEOS[name], fps=12.5))
    assert is_close(clip.frames, blocks())
    assert clip.fps == pytest.approx(12.5) and clip.notes == ()


def test_a_video_named_gif_is_read_as_a_video(tmp_path: Path) -> None:
    path = encode_mp4(tmp_path / "a.mp4", blocks()).rename(tmp_path / "a.gif")
    assert is_close(read_clip(path).frames, blocks())


def test_a_cut_video_gives_its_frames_and_says_so(tmp_path: Path) -> None:
    content = encode_mp4(tmp_path / "a.mp4", blocks(30), "-movflags", "+faststart").read_bytes()
    (tmp_path / "a.mp4").write_bytes(content[: len(content) * 3 // 4])
    clip = read_clip(tmp_path / "a.mp4")
    read = len(clip.frames)
    assert 0 < read < 30
    assert clip.notes == (f'{read} of 30 frames of "a.mp4" could be read; the file is damaged or cut short.',)


def test_a_video_of_unknown_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = encode_video(tmp_path / "a.webm", blocks(), "-c:v", "libvpx-vp9", "-live", "1")
    assert len(read_clip(path).frames) == 6


def test_time_stamps_tell_the_rate_where_the_file_claims_none_that_can_be(tmp_path: Path) -> None:
    slow = ("-vf", "setpts=N/(10*TB)", "-fps_mode", "passthrough")  # 10 a second, called 1000 a second
    clip = read_clip(encode_video(tmp_path / "a.mkv", blocks(), *slow, "-c:v", "libx264", fps=1000))
    assert clip.fps == pytest.approx(10) and is_close(clip.frames, blocks()) and clip.notes == ()


def test_a_song_with_a_cover_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "cover.png").write_bytes(encoded(blocks()[0]))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "sine=d=0.2"]
    command += ["-i", str(tmp_path / "cover.png"), "-map", "0", "-map", "1", "-c:v", "copy"]
    subprocess.run([*command, "-disposition:v:0", "attached_pic", str(tmp_path / "a.mp4")], check=True)
    with pytest.raises(InputError, match=r'"a\.mp4" has no pictures but a sound, with a cover perhaps'):
        read_clip(tmp_path / "a.mp4")


def test_interlaced_video_is_read(tmp_path: Path) -> None:
    interlaced = ("-flags", "+ildct+ilme", "-x264-params", "tff=1")  # OpenCV gives unfilled memory here
    clip = read_clip(encode_mp4(tmp_path / "a.mp4", blocks(), *interlaced))
    assert is_close(clip.frames, blocks()) and clip.notes == ()


def test_deinterlaced_video_keeps_its_frames_and_loses_its_combs(tmp_path: Path) -> None:
    moving = np.stack([np.roll(np.kron(np.eye(2, 3), np.ones((32, 32))), 8 * shift, axis=1) for shift in range(20)])
    fields = np.where(np.arange(64)[None, :, None] % 2, moving[1::2], moving[::2])  # two moments in each frame
    frames = (fields[..., None] * np.full(3, 255)).astype(np.uint8)
    interlaced = ("-flags", "+ildct+ilme", "-x264-params", "tff=1")
    clip = read_clip(encode_mp4(tmp_path / "a.mp4", frames, *interlaced))
    combs = [np.abs(np.diff(each[2:-2, :, :, 0].astype(int), axis=1))[:, ::2].mean() for each in (frames, clip.frames)]
    assert len(clip.frames) == 10 and combs[1] < combs[0] / 4


def test_oblong_pixels_are_made_square(tmp_path: Path) -> None:
    path = encode_mp4(tmp_path / "a.mp4", blocks(), "-vf", "setsar=4/3")
    assert read_clip(path).frames.shape == (6, 32, 64, 3)
    turn = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-display_rotation", "90", "-i", str(path), "-c", "copy"]
    subprocess.run([*turn, str(tmp_path / "turned.mp4")], check=True)
    assert read_clip(tmp_path / "turned.mp4").frames.shape == (6, 48, 24, 3)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_shown_in_usual_colours(tmp_path: Path, transfer: str) -> None:
    greys = np.repeat(blocks(6, 64, 96)[..., :1], 3, axis=-1)
    clip = read_clip(encode_hdr(tmp_path / "a.mp4", greys, transfer))
    assert clip.frames.shape == greys.shape and np.abs(clip.frames.astype(int) - greys).mean() < 12


def test_hdr_is_refused_where_ffmpeg_cannot_convert_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cvae.decode._can_map_tones", lambda: False)
    with pytest.raises(InputError, match=r'"a.mp4" is an HDR video, .*; expected SDR\.'):
        read_clip(encode_hdr(tmp_path / "a.mp4", blocks(6, 64, 96), "smpte2084"))


TRANSPARENT = {
    "prores.mov": ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    "qtrle.mov": ("-c:v", "qtrle"),
    "png.mov": ("-c:v", "png"),
    "ffv1.mkv": ("-c:v", "ffv1", "-pix_fmt", "bgra"),
    "vp8.webm": ("-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"),
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparent_video_lies_on_white(tmp_path: Path, name: str) -> None:
    opacity = np.kron(np.linspace(0, 1, 6), np.ones(8))[None, None, :, None]
    clip = read_clip(encode_rgba(tmp_path / name, blocks(), opacity, *TRANSPARENT[name]))
    assert is_close(clip.frames, np.round(blocks() * opacity + 255 * (1 - opacity)).astype(np.uint8))


def test_a_phone_that_left_out_frames_is_shown_at_its_pace(tmp_path: Path) -> None:
    shown = np.delete(np.arange(30), [7, 20, 21])
    late = "+".join(f"gte(N,{index})*{step}" for index, step in ((7, 1), (19, 2)))
    stamps = f"settb=1/90000,setpts=3000*(N+{late})+200*mod(N\\,3)"
    vary = ("-vf", stamps.replace("(N,", "(N\\,"), "-fps_mode", "passthrough", "-enc_time_base", "1:90000")
    clip = read_clip(encode_mp4(tmp_path / "a.mp4", blocks(30)[shown], *vary))
    assert clip.fps == pytest.approx(30, rel=0.002)
    assert is_close(clip.frames, blocks(30)[[*range(7), 6, *range(8, 20), 19, 19, *range(22, 30)]])
    assert clip.notes == ('27 frames of "a.mp4" became 30: those that last longer are repeated.',)


def test_two_rates_in_a_video_become_one(tmp_path: Path) -> None:
    vary = ("-vf", "settb=1/90000,setpts='if(lt(N,20),N*3000,60000+(N-20)*3750)'", "-fps_mode", "passthrough")
    clip = read_clip(encode_mp4(tmp_path / "a.mp4", blocks(36), *vary, "-enc_time_base", "1:90000"))
    assert clip.fps == 30 and len(clip.frames) == 40 and is_close(clip.frames[:21], blocks(36)[:21])
    assert clip.notes == ('36 frames of "a.mp4" became 40: those that last longer are repeated.',)


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ("0 40000 80000", [0, 0.04, 0.08]),
        ("20000 60000", [0.02, 0.06, 0.1]),
        ("0 0 0", [0, 0.04, 0.08]),
        ("", [0, 0.04, 0.08]),
        ("40000 0 80000 120000", [0.04, 0.04, 0.08]),
    ],
)
def test_time_stamps_that_are_missing_are_made_from_the_rate(tmp_path: Path, stamps: str, times: list[float]) -> None:
    (tmp_path / "stamps").write_text(stamps.replace(" ", "\n"))
    np.testing.assert_allclose(_times_in(tmp_path / "stamps", 3, 25), times)


def test_a_video_damaged_in_the_middle_goes_on_after_it(tmp_path: Path) -> None:
    content = bytearray(encode_video(tmp_path / "a.mov", blocks(75), *VIDEOS["a.mov"]).read_bytes())
    middle = slice(len(content) // 2, len(content) // 2 + len(content) // 8)
    content[middle] = bytes(len(content) // 8)
    (tmp_path / "a.mov").write_bytes(content)
    clip = read_clip(tmp_path / "a.mov")
    assert len(clip.frames) == 75 and is_close(clip.frames[[0, -1]], blocks(75)[[0, -1]])
    assert clip.notes[0].endswith(' of 75 frames of "a.mov" could be read; the file is damaged or cut short.')
    with ClipReader(tmp_path / "a.mov", span=Span(start=1, end=2)) as reader:
        assert len(list(reader)) < 24
    assert re.fullmatch(r'[0-9]+ frames of "a.mov" could be read; the file is damaged or cut short.', reader.notes[0])


def test_a_phone_video_is_turned_upright(tmp_path: Path) -> None:
    path = encode_mp4(tmp_path / "a.mp4", blocks())
    turn = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-display_rotation", "90", "-i", str(path), "-c", "copy"]
    subprocess.run([*turn, str(tmp_path / "turned.mp4")], check=True)
    assert is_close(read_clip(tmp_path / "turned.mp4").frames, np.rot90(blocks(), axes=(1, 2)))


def test_a_trimmed_video_is_no_damaged_video(tmp_path: Path) -> None:
    path = encode_mp4(tmp_path / "a.mp4", blocks(60))
    trim = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", "1.0", "-i", str(path), "-c", "copy"]
    subprocess.run([*trim, str(tmp_path / "trimmed.mp4")], check=True)
    clip = read_clip(tmp_path / "trimmed.mp4")
    assert is_close(clip.frames, blocks(60)[25:]) and clip.notes == ()


def test_an_avi_cut_between_two_frames_says_so(tmp_path: Path) -> None:
    content = encode_video(tmp_path / "a.avi", blocks(), *VIDEOS["a.avi"]).read_bytes()
    (tmp_path / "a.avi").write_bytes(content[: content.rindex(b"00dc", 0, content.index(b"idx1"))])
    clip = read_clip(tmp_path / "a.avi")
    assert clip.notes[0].endswith(' of 6 frames of "a.avi" could be read; the file is damaged or cut short.')


def test_no_process_is_left_when_a_video_is_refused_halfway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode_mp4(tmp_path / "a.mp4", blocks(60))
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(InputError, match="more than the 9000 pixels"):
        read_clip(path, limits=Limits(max_total_pixels=9000))
    assert started and all(process.returncode is not None for process in started)


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile {}\n"])
def test_a_playlist_opens_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    encode_mp4(tmp_path / "secret.mp4", blocks())
    (tmp_path / "a.mp4").write_text(text.format("secret.mp4"))
    with pytest.raises(InputError, match=r'"a.mp4" is text; expected'):
        read_clip(tmp_path / "a.mp4")
    with pytest.raises(InputError, match="cannot be opened as a video"), _capture(tmp_path / "a.mp4"):
        pass  # nor does FFmpeg, had it come so far


def test_a_video_without_its_index_is_refused(tmp_path: Path) -> None:
    content = encode_mp4(tmp_path / "a.mp4", blocks()).read_bytes()
    (tmp_path / "a.mp4").write_bytes(content[: content.index(b"moov")])
    with pytest.raises(InputError, match=r'"a.mp4" cannot be opened as a video'):
        read_clip(tmp_path / "a.mp4")


def test_a_video_is_measured_before_its_first_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode_mp4(tmp_path / "a.mp4", blocks())
    monkeypatch.setattr("cvae.decode._frames_of", None)
    with pytest.raises(InputError, match="48x32 pixels; at most 40 on a side"):
        read_clip(path, limits=Limits(max_side=40))
    with pytest.raises(InputError, match="more than the 5 frames"):
        read_clip(path, limits=Limits(max_frames=5))
