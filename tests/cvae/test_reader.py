import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits
from cvae.reader import ClipReader, Span
from cvae.stills import stills_of_folder
from cvae.video import FrameBuffer, read_clip
from tests.cvae.media import VIDEOS, blocks, encode_mp4, encode_video, is_close, save_animation

WITH_TIMES = ["a.mp4", "a.webm", "a.avi", "a.gif", "a.webp"]


def save(path: Path, frames: np.ndarray) -> Path:
    """At 25 frames a second."""
    if path.name in VIDEOS:
        return encode_video(path, frames, *VIDEOS[path.name])
    return save_animation(path, frames, duration=40, lossless=True)


@pytest.mark.parametrize("name", WITH_TIMES)
def test_frames_come_one_by_one_with_their_times(tmp_path: Path, name: str) -> None:
    with ClipReader(save(tmp_path / name, blocks())) as reader:
        frames = np.stack(list(reader))
    assert is_close(frames, blocks())
    np.testing.assert_allclose(reader.times, np.arange(6) / 25, atol=0.001)
    index, fps, notes = reader.pace()
    assert index.tolist() == list(range(6)) and fps == pytest.approx(25) and notes == reader.notes == ()


@pytest.mark.parametrize("name", WITH_TIMES)
def test_a_span_is_read_by_the_time_of_the_source(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, blocks(30))
    with ClipReader(path, span=Span(start=0.4, end=0.8)) as reader:
        frames = np.stack(list(reader))
    assert is_close(frames, blocks(30)[10:20])
    assert reader.notes == ()
    np.testing.assert_allclose(reader.times, np.arange(10, 20) / 25, atol=0.001)
    assert reader.pace()[1] == pytest.approx(25) and len(reader.pace()[0]) == 10
    if name not in ("a.gif", "a.webp"):
        assert reader.promised == 10


@pytest.mark.parametrize("name", WITH_TIMES)
def test_another_rate_is_made_of_the_time_stamps(tmp_path: Path, name: str) -> None:
    with ClipReader(save(tmp_path / name, blocks(10))) as reader:
        list(reader)
    index, fps, notes = reader.pace(12.5)
    assert index.tolist() == [0, 2, 4, 6, 8] and fps == 12.5 and notes == ()


@pytest.mark.parametrize("name", WITH_TIMES)
def test_a_span_without_frames_is_refused(tmp_path: Path, name: str) -> None:
    message = r'^"a\..*" has no frame from 5 to 6 seconds; it ends after 0.2 seconds\.$'
    with (
        ClipReader(save(tmp_path / name, blocks()), span=Span(start=5, end=6)) as reader,
        pytest.raises(InputError, match=message),
    ):
        list(reader)


def test_a_span_needs_times(tmp_path: Path) -> None:
    Image.fromarray(blocks()[0]).save(tmp_path / "a.png")
    np.save(tmp_path / "a.npy", blocks())
    for name in ("a.png", "a.npy"):
        with (
            ClipReader(tmp_path / name, span=Span(end=1)) as reader,
            pytest.raises(InputError, match="has no times, so that the part from 0 to 1 seconds cannot be told"),
        ):
            list(reader)


@pytest.mark.parametrize(("start", "end"), [(-1, None), (2, 2), (3, 1), (float("nan"), None), (0, float("inf"))])
def test_a_span_ends_after_it_starts(start: float, end: float | None) -> None:
    with pytest.raises(InputError, match="expected a start of 0 seconds or more and an end after it"):
        Span(start=start, end=end)


def test_stills_may_differ_in_size_and_have_no_rate(tmp_path: Path) -> None:
    Image.new("RGB", (8, 4)).save(tmp_path / "1.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "2.png")
    with ClipReader(tmp_path) as reader:
        sizes = [(reader.frame_name, frame.shape) for frame in reader]
    assert sizes == [("1.png", (4, 8, 3)), ("2.png", (4, 4, 3))]
    assert reader.promised == 2 and reader.times is None
    assert reader.pace()[1] is None and reader.pace(10)[1] == 10


def test_stills_that_were_found_already_are_read_under_their_name_and_limits(tmp_path: Path) -> None:
    for number in (2, 10):
        Image.new("RGB", (8, 4)).save(tmp_path / f"{number}.png")
    stills = replace(stills_of_folder(tmp_path, LIMITS), name="robot")
    with ClipReader(stills) as reader:
        assert [reader.frame_name for _ in reader] == ["2.png", "10.png"]
    for limits in (Limits(max_frames=1), Limits(max_total_pixels=40), Limits(max_seconds=0)):
        with ClipReader(stills, limits=limits) as reader, pytest.raises(InputError, match='"robot"'):
            list(reader)


def test_what_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = save_animation(tmp_path / "a.gif", blocks(), duration=40)
    with pytest.raises(InputError, match=r'Reading "a.gif" took more than the 1e-06 seconds that are accepted'):
        read_clip(path, limits=Limits(max_seconds=1e-6))


def test_a_decoder_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = encode_mp4(tmp_path / "a.mp4", blocks())
    monkeypatch.setattr("cvae.decode._filters", lambda *_: ["realtime=speed=0.001"])
    with pytest.raises(InputError, match=r"took more than the 0.5 seconds"):
        read_clip(path, limits=Limits(max_seconds=0.5))


def test_a_reader_may_be_left_early(tmp_path: Path) -> None:
    with ClipReader(encode_mp4(tmp_path / "a.mp4", blocks(60))) as reader:
        assert is_close(np.stack(list(itertools.islice(reader, 2))), blocks(2))
        assert reader.promised == 60


def test_a_long_still_in_a_video_is_bounded(tmp_path: Path) -> None:
    late = ("-vf", "settb=1/1000,setpts='if(gt(N,3),1000000,N*40)'", "-fps_mode", "passthrough")
    path = encode_video(tmp_path / "a.mkv", blocks(), *late, "-enc_time_base", "1:1000", "-c:v", "ffv1")
    with pytest.raises(InputError, match="more than the 2000 frames"):
        read_clip(path)


def test_a_buffer_says_which_frame_differs() -> None:
    frames = FrameBuffer("a.mp4")
    frames.add(blocks()[0])
    with pytest.raises(InputError, match='"frame 1" is 48x32 and "frame 2" is 24x32'):
        frames.add(blocks()[0][:, :24])


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.avi"])
def test_a_moment_is_no_more_than_a_moment_and_a_far_end_is_the_end(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, blocks(10))
    with ClipReader(path, span=Span(start=0.2, end=0.2 + 1e-9)) as reader:
        assert len(list(reader)) <= 1
    for span in (Span(end=1e300), Span(start=0.2, end=1e300)):
        with ClipReader(path, span=span) as reader:
            assert len(list(reader)) == (5 if span.start else 10)
    with ClipReader(path, span=Span(start=1e300)) as reader, pytest.raises(InputError, match=r"it ends after 0\.4"):
        list(reader)


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.mp4"])
def test_a_video_whose_clock_begins_late_is_no_longer_for_it(tmp_path: Path, name: str) -> None:
    path = encode_video(tmp_path / name, blocks(10), *VIDEOS[name], "-output_ts_offset", "100")
    with ClipReader(path, limits=Limits(max_frames=20)) as reader:
        assert len(list(reader)) == reader.promised == 10


def test_where_the_length_is_unknown_no_end_is_told(tmp_path: Path) -> None:
    path = encode_video(tmp_path / "a.webm", blocks(), "-c:v", "libvpx-vp9", "-live", "1")
    with (
        ClipReader(path, span=Span(start=60)) as reader,
        pytest.raises(InputError, match=r"has no frame from 60 to the end\.$"),
    ):
        list(reader)
