import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cvae.errors import InputError
from cvae.extract import ExtractConfig, main, write_preview
from cvae.poses.keypoint_files import read_keypoints
from cvae.poses.person import Person
from cvae.poses.skeleton import draw_skeletons
from cvae.video import read_clip
from tests.conftest import write_pictures


def test_all_four_results_agree(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(ExtractConfig(video=video, out=tmp_path / "out", size=(64, 128)))
    frames, poses = (read_clip(tmp_path / "out" / kind).frames for kind in ("frames", "poses"))
    assert frames.shape == poses.shape == (12, 64, 128, 3)
    shown = read_clip(tmp_path / "out" / "preview.gif")
    assert shown.frames.shape == (12, 192, 768, 3) and shown.fps == pytest.approx(25)
    keypoints = read_keypoints(tmp_path / "out" / "keypoints")
    assert keypoints is not None and keypoints.canvas == (64, 128) and keypoints.fps == 25
    np.testing.assert_array_equal(draw_skeletons(keypoints.at((64, 128)), (64, 128)), poses)  # the same picture
    expected = f"12 frames of 128x64 at 25 frames/s, a person in 12 of them: {tmp_path / 'out'}\n"
    assert capsys.readouterr().out == expected


def test_nothing_is_left_behind_where_it_fails(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "empty", np.full((2, 64, 64, 3), 128, np.uint8))
    with pytest.raises(InputError, match="No person was found"):
        main(ExtractConfig(video=folder, out=tmp_path / "out"))
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_folder_in_use_is_left_alone(video: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="already exists and is not an empty folder"):
        main(ExtractConfig(video=video, out=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fps": 0}, r"--fps is 0; expected 0.1 to 240 frames per second"),
        ({"fps": float("nan")}, "--fps is nan"),
        ({"size": (8, 2048)}, r"--size is 2048x8 pixels; .* one side at most 8 times the other"),
        ({"size": (4, 128)}, r"--size is 4 128; expected height and width from 8 to 2048"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ExtractConfig(video=Path("a.mp4"), out=Path("out"), **options)  # type: ignore[arg-type]


def test_a_preview_shows_both_at_a_height_to_look_at_and_of_a_long_video_the_beginning(tmp_path: Path) -> None:
    frames, nobody = np.zeros((203, 32, 64, 3), np.uint8), np.zeros((203, 23, 3))
    frames[200:] = 255
    person = Person(
        frames=frames, points=nobody, pieces=np.zeros(203, int), picture=frames.shape[1:3], fps=20, notes=()
    )
    write_preview(tmp_path / "a.gif", person)
    shown = read_clip(tmp_path / "a.gif")
    assert shown.frames.shape == (200, 192, 768, 3) and shown.fps == pytest.approx(20)
    assert not shown.frames[:, :, :380].any() and (shown.frames[:, :, 388:] == 255).all()


@pytest.mark.slow
def test_the_command_line_refuses_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cvae", "extract", str(tmp_path / "no.mp4"), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (2, 'Error: There is no file "no.mp4".')
    assert list(tmp_path.iterdir()) == []
