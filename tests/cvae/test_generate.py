import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import imageio.v3 as iio
import imageio_ffmpeg
import numpy as np
import pytest

from cvae.checkpoint import load_checkpoint
from cvae.cli import run_options
from cvae.errors import InputError
from cvae.generate import GenerateConfig, frame_psnr, generate, generate_file, read_request
from hub.generate import main
from tests.conftest import moving_square, write_pictures

ROOT = Path(__file__).parents[2]
COUNT = 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A first frame, poses and truth of seven frames."""
    frames, poses = moving_square(COUNT)
    write_pictures(tmp_path, frames[:1]).joinpath("0.png").rename(tmp_path / "first.png")
    write_pictures(tmp_path / "poses", poses)
    write_pictures(tmp_path / "truth", frames)
    return tmp_path


def test_the_gif_shows_the_first_frame_then_the_predictions(folder: Path, tiny_checkpoint: Path) -> None:
    out = folder / "out.gif"
    config = GenerateConfig(first_frame=folder / "first.png", poses=folder / "poses", out=out)
    generate_file(config, load_checkpoint(tiny_checkpoint))
    shown = iio.imread(out)
    assert shown.shape == (COUNT, 16, 32, 3)
    assert np.abs(shown[0].astype(int) - moving_square(1)[0][0]).max() < 12
    request = read_request(folder / "first.png", folder / "poses", size=(16, 32))
    predicted = list(generate(load_checkpoint(tiny_checkpoint).model, request))
    assert np.abs(shown[1:].astype(int) - np.stack(predicted)).mean() < 3


def test_the_mp4_has_all_frames(folder: Path, tiny_checkpoint: Path) -> None:
    out = folder / "out.mp4"
    config = GenerateConfig(first_frame=folder / "first.png", poses=folder / "poses", out=out)
    generate_file(config, load_checkpoint(tiny_checkpoint))
    assert imageio_ffmpeg.count_frames_and_secs(str(out))[0] == COUNT


def test_the_csv_is_the_psnr_of_the_pictures_by_hand(
    folder: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"first_frame": folder / "first.png", "poses": folder / "poses", "truth": folder / "truth"}
    table = folder / "psnr.csv"
    config = GenerateConfig(**options, out=folder / "out.gif", psnr=table)  # type: ignore[arg-type]
    generate_file(config, load_checkpoint(tiny_checkpoint))
    rows = list(csv.reader(table.read_text().splitlines()))
    assert rows[0] == ["frame", "psnr"]
    assert [int(frame) for frame, _ in rows[1:]] == list(range(1, COUNT))
    request = read_request(**options, size=(16, 32))  # type: ignore[arg-type]
    predicted = np.stack(list(generate(load_checkpoint(tiny_checkpoint).model, request)))
    truth = moving_square(COUNT)[0][1:]
    mse = ((predicted / 255 - truth / 255) ** 2).mean(axis=(1, 2, 3))
    assert [float(value) for _, value in rows[1:]] == pytest.approx(-10 * np.log10(mse), abs=1e-3)
    printed = capsys.readouterr().out
    assert "frames/s" in printed
    assert f"mean PSNR {np.mean(-10 * np.log10(mse)):.2f} dB" in printed


def test_a_seed_repeats_and_the_mean_needs_none(folder: Path, tiny_checkpoint: Path) -> None:
    model = load_checkpoint(tiny_checkpoint).model
    request = read_request(folder / "first.png", folder / "poses", size=(16, 32))

    def frames(sample: str, seed: int) -> np.ndarray:
        return np.stack(list(generate(model, request, sample=sample, seed=seed)))  # type: ignore[arg-type]

    assert np.array_equal(frames("prior", 1), frames("prior", 1))
    assert not np.array_equal(frames("prior", 1), frames("prior", 2))
    assert np.array_equal(frames("mean", 1), frames("mean", 2))


def test_other_sizes_are_resized_and_it_is_said(folder: Path) -> None:
    write_pictures(folder / "large", moving_square(COUNT, 64, 128)[1])
    request = read_request(folder / "large" / "0.png", folder / "large", size=(16, 32))
    assert request.given.shape == (1, 16, 32, 3)
    assert request.poses.shape == (COUNT, 16, 32, 3)
    assert ["resized from 128x64 to 32x16" in note for note in request.notes] == [True, True]


def test_the_rate_is_that_of_the_poses_unless_another_is_asked_for(folder: Path) -> None:
    iio.imwrite(folder / "poses.gif", moving_square(COUNT)[1], duration=100, loop=0)
    assert read_request(folder / "first.png", folder / "poses.gif", size=(16, 32)).fps == pytest.approx(10)
    assert read_request(folder / "first.png", folder / "poses.gif", size=(16, 32), fps=7).fps == 7
    assert read_request(folder / "first.png", folder / "poses", size=(16, 32)).fps == 20


def test_psnr_compares_each_frame_with_the_one_in_its_place() -> None:
    frames = moving_square(COUNT)[0]
    scores = frame_psnr(list(frames[[0, 6]]), frames[[0, 0]])
    assert scores[0] == 100
    assert scores[1] == pytest.approx(-10 * np.log10(((frames[6] / 255 - frames[0] / 255) ** 2).mean()), abs=1e-3)


def break_one(folder: Path, what: str) -> Iterator[str]:
    """Options that are right but for `what`."""
    options = {
        "--first-frame": folder / "first.png",
        "--poses": folder / "poses",
        "--truth": folder / "truth",
        "--out": folder / "result" / "out.gif",
    }
    (folder / "result").mkdir()
    (folder / "text.png").write_text("I am no picture.")
    match what:
        case "no picture":
            options["--first-frame"] = folder / "text.png"
        case "no file":
            options["--poses"] = folder / "nowhere.zip"
        case "empty zip":
            (folder / "nothing").mkdir()
            options["--poses"] = Path(shutil.make_archive(str(folder / "nothing"), "zip", folder / "nothing"))
        case "one pose":
            options["--poses"] = folder / "poses" / "0.png"
        case "longer truth":
            cv2.imwrite(str(folder / "truth" / "7.png"), np.zeros((16, 32, 3), np.uint8))
        case "other ending":
            options["--out"] = folder / "result" / "out.avi"
        case "no folder":
            options["--out"] = folder / "result" / "none" / "out.gif"
        case "no checkpoint":
            options["--checkpoint"] = folder / "truth"
        case "psnr without truth":
            del options["--truth"]
            options["--psnr"] = folder / "result" / "psnr.csv"
    for name, value in options.items():
        yield from (name, str(value))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no picture", r"text\.png.* is text; expected"),
        ("no file", r"nowhere\.zip"),
        ("empty zip", r"nothing\.zip.* holds no files; expected pictures"),
        ("one pose", r"one pose; expected at least two"),
        ("longer truth", r"truth has 8 frames and there are 7 poses"),
        ("other ending", r"out\.avi; expected a name that ends in \.gif or \.mp4"),
        ("no folder", r"out\.gif cannot be written: there is no folder"),
        ("no checkpoint", r"is no checkpoint: it has no config\.json"),
        ("psnr without truth", r"expected --truth too"),
    ],
)
def test_wrong_input_ends_in_one_sentence(
    folder: Path,
    tiny_checkpoint: Path,
    what: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--checkpoint", str(tiny_checkpoint), *break_one(folder, what)]
    with pytest.raises(SystemExit) as ended:
        run_options(main, "python -m cvae generate", arguments)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert re.search(message, " ".join((said.err + said.out).split())), said
    assert "Traceback" not in said.err
    assert list((folder / "result").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out": "/"}, "--out is /; expected a name that ends in"),
        ({"psnr": "./a.gif"}, r"--psnr and --out are both a\.gif; expected another file to write"),
        ({"poses": "a.gif"}, r"--poses and --out are both a\.gif"),
        ({"first_frame": "b.csv", "psnr": "b.csv"}, r"--first-frame and --psnr are both b\.csv"),
        ({"seed": -1}, "--seed is -1; expected a whole number from 0 to 4294967295"),
        ({"seed": 10**300}, r"--seed is 10+\.\.\.0+; expected"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    paths = {key: Path(value) if isinstance(value, str) else value for key, value in options.items()}
    with pytest.raises(InputError, match=message):
        GenerateConfig(**{"poses": Path("poses"), "out": Path("a.gif"), **paths})


@pytest.mark.parametrize(("retarget", "is_fitted"), [("auto", False), ("never", False), ("always", True)])
def test_poses_are_fitted_as_asked(folder: Path, tiny_checkpoint: Path, retarget: str, is_fitted: bool) -> None:
    paths = {"--first-frame": folder / "first.png", "--poses": folder / "poses", "--out": folder / "out.gif"}
    options = [str(word) for option in paths.items() for word in option]
    with pytest.raises(SystemExit) if is_fitted else nullcontext():  # pictures of skeletons cannot be
        run_options(main, "generate", [*options, "--checkpoint", str(tiny_checkpoint), "--retarget", retarget])


def test_the_command_line_runs_as_the_readme_says(folder: Path, tiny_checkpoint: Path) -> None:
    command = [sys.executable, "-m", "cvae", "generate", "--first-frame", str(folder / "first.png")]
    command += ["--poses", str(folder / "poses"), "--out", str(folder / "out.gif")]
    done = subprocess.run(
        [*command, "--checkpoint", str(tiny_checkpoint)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "6 frames in" in done.stdout
    refused = subprocess.run(
        [*command, "--checkpoint", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: ")


def test_an_unreadable_request_names_both_lengths(folder: Path) -> None:
    (folder / "truth" / "6.png").unlink()
    with pytest.raises(InputError, match="ground truth has 6 frames and there are 7 poses"):
        read_request(folder / "first.png", folder / "poses", folder / "truth", size=(16, 32))
