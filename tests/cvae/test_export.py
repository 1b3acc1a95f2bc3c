import resource
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from cvae.errors import InputError
from cvae.export import write_gif, write_mp4, write_png, write_video
from cvae.video import read_clip
from tests.cvae.media import blocks


def _gif(path: Path) -> tuple[np.ndarray, list[int]]:
    with Image.open(path) as image:
        frames, delays = [], []
        for _ in ImageSequence.Iterator(image):
            frames.append(np.array(image.convert("RGB")))
            delays.append(image.info["duration"])
        return np.stack(frames), delays


def test_a_gif_of_few_colours_is_exact(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", blocks(), 10)
    frames, delays = _gif(tmp_path / "a.gif")
    np.testing.assert_allclose(frames, blocks(), atol=1)
    assert delays == [100] * 6


def test_white_stays_white_in_a_gif_of_many_colours(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    frames[:, :16] = 255
    write_gif(tmp_path / "a.gif", frames, 10)
    assert (_gif(tmp_path / "a.gif")[0][:, :16] == 255).all()


def test_equal_neighbours_stay_frames_of_a_gif(tmp_path: Path) -> None:
    frames = np.repeat(blocks(3), 4, axis=0)
    write_gif(tmp_path / "a.gif", frames, 25)
    written, delays = _gif(tmp_path / "a.gif")
    np.testing.assert_allclose(written, frames, atol=1)
    assert delays == [40] * 12


def test_gif_delays_of_10_ms_steps_keep_the_mean_rate(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", np.repeat(blocks(6), 10, axis=0), 30)
    delays = _gif(tmp_path / "a.gif")[1]
    assert set(delays) == {30, 40} and sum(delays) == 2000


def test_a_gif_is_never_faster_than_browsers_play(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", blocks(), 60)
    assert set(_gif(tmp_path / "a.gif")[1]) == {20}


def test_a_gif_repeats_for_ever(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", blocks(), 10)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["loop"] == 0


def test_a_gif_of_one_frame_is_written(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", blocks(1), 10)
    assert len(_gif(tmp_path / "a.gif")[0]) == 1


def test_scale_enlarges_by_whole_pixels(tmp_path: Path) -> None:
    write_gif(tmp_path / "a.gif", blocks(), 10, scale=3)
    np.testing.assert_allclose(_gif(tmp_path / "a.gif")[0], np.kron(blocks(), np.ones((1, 3, 3, 1))), atol=1)


def test_an_mp4_is_what_browsers_play(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", blocks(), 25)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(tmp_path / "a.mp4")]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "Video: h264" in told and "yuv420p(tv, bt709" in told and "25 fps" in told
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("fps", [10, 25, 29.97, 30000 / 1001, 60])
def test_an_mp4_keeps_frames_and_rate(tmp_path: Path, fps: float) -> None:
    write_mp4(tmp_path / "a.mp4", blocks(), fps, scale=2)
    clip = read_clip(tmp_path / "a.mp4", size=(32, 48))
    assert clip.fps == pytest.approx(fps, rel=1e-3)
    assert np.abs(clip.frames.astype(int) - blocks()).mean() < 3


def test_odd_sides_are_padded_with_their_edge(tmp_path: Path) -> None:
    frames = blocks()[:, :31, :47]
    write_mp4(tmp_path / "a.mp4", frames, 25)
    read = read_clip(tmp_path / "a.mp4").frames
    assert read.shape == (6, 32, 48, 3)
    assert np.abs(read[:, 31].astype(int) - read[:, 30]).mean() < 8


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.gif").write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(KeyboardInterrupt):
        write_gif(tmp_path / "a.gif", blocks(), 10)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.gif"] and (tmp_path / "a.gif").read_bytes() == b"old"


def test_a_failing_encoder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, b"", b"No space left on device")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(OSError, match="No space left"):
        write_mp4(tmp_path / "a.mp4", blocks(), 10)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_the_users_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'"a.gif" cannot be written in its folder: No such file'):
        write_gif(tmp_path / "nowhere" / "a.gif", blocks(), 10)


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(InputError, match=r'"a.mp4" is a folder'):
        write_mp4(tmp_path / "a.mp4", blocks(), 10)


def test_the_ending_chooses_the_kind(tmp_path: Path) -> None:
    write_video(tmp_path / "a.GIF", blocks(), 10)
    write_video(tmp_path / "a.mp4", blocks(), 10)
    assert (tmp_path / "a.GIF").read_bytes().startswith(b"GIF89a")
    assert (tmp_path / "a.mp4").read_bytes()[4:8] == b"ftyp"
    with pytest.raises(InputError, match=r'"a.webm" ends in ".webm"; expected .gif or .mp4'):
        write_video(tmp_path / "a.webm", blocks(), 10)


def test_a_png_that_does_not_fit_on_the_disk_is_an_error(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_png(tmp_path / "a.png", blocks(1)[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
