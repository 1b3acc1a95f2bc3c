from pathlib import Path

import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses.person import Person
from tests.cvae.media import encode_mp4
from training import prepare as prepare_module
from training.data.folders import open_keypoints
from training.data.splits import open_split
from training.prepare import PrepareConfig, prepare, split_recordings
from training.puppets.clip import PuppetClip


def person(pieces: np.ndarray, missing: slice = slice(0, 0), fps: float = 10) -> Person:
    points = np.ones((len(pieces), 23, 3))
    points[missing] = 0
    frames = np.zeros((len(pieces), 8, 8, 3), np.uint8)
    return Person(frames=frames, points=points, pieces=pieces, picture=(8, 8), fps=fps, notes=())


def test_the_last_part_is_for_validation_and_a_second_before_it_for_nothing() -> None:
    found = split_recordings(person(np.zeros(200, int)), 0.1)
    assert found == {"train": [slice(0, 170)], "val": [slice(180, 200)]}


def test_cuts_and_frames_without_a_person_part_the_recordings() -> None:
    pieces = np.repeat([1, 2], 150)
    found = split_recordings(person(pieces, missing=slice(50, 60)), 0.2)
    assert found == {"train": [slice(0, 50), slice(60, 150), slice(150, 230)], "val": [slice(240, 300)]}


def test_moments_are_left_out() -> None:
    found = split_recordings(person(np.repeat([1, 2, 3], [50, 5, 145])), 0.1)
    assert found == {"train": [slice(0, 50), slice(55, 170)], "val": [slice(180, 200)]}


def test_two_videos_become_a_data_set_that_training_reads(
    dancer: PuppetClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prepare_module, "GAP_SECONDS", 0.0)
    video = encode_mp4(tmp_path / "a.mp4", np.concatenate([dancer.frames, dancer.frames[::-1]]))
    prepare(PrepareConfig(videos=(video, video), out=tmp_path / "data", size=(64, 128), val_share=0.45))
    train, val = open_split(tmp_path / "data", "train"), open_split(tmp_path / "data", "val")
    assert train.spans == [(0, 13), (13, 26)] and val.spans == [(0, 11), (11, 22)]
    assert train.frames.shape[1:3] == train.conditions.shape[1:3] == (64, 128)
    both = np.concatenate([train.frames[:13], val.frames[:11]])
    small = np.concatenate([dancer.frames, dancer.frames[::-1]])[:, ::2, ::2]
    assert np.abs(both.astype(int) - small).mean() < 8
    assert (train.conditions < 128).any(axis=(1, 2, 3)).all()
    assert (tmp_path / "data" / "preview.gif").exists()
    seen = open_keypoints(tmp_path / "data", "train").conditions.reshape(26, 23, 3)
    assert (seen[..., 2].mean(axis=1) > 0.5).all()
    assert np.array_equal(seen[:13], seen[13:])
    assert "26 frames to train on and 22 to validate on, 128x64" in capsys.readouterr().out


def test_a_short_video_is_refused_and_leaves_nothing_behind(dancer: PuppetClip, tmp_path: Path) -> None:
    video = encode_mp4(tmp_path / "a.mp4", dancer.frames)
    with pytest.raises(InputError, match=r'"a.mp4" is too short: no 10 frames in a row .* expected half a minute'):
        prepare(PrepareConfig(videos=(video,), out=tmp_path / "data", size=(64, 128)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"videos": ()}, "No video came"),
        ({"size": (4, 64)}, "height is 8 to 1024 pixels; got 4"),
        ({"size": (8, 1024)}, "one side at most 8 times the other"),
        ({"val_share": 0.9}, "--val-share is 0.9; expected a share above 0, at most 0.5"),
        ({"fps": -1}, "--fps is -1; expected"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, object], message: str) -> None:
    given: dict[str, object] = {"videos": (Path("a.mp4"),), "out": Path("out"), "size": (64, 128)}
    with pytest.raises(InputError, match=message):
        PrepareConfig(**(given | options))  # type: ignore[arg-type]
