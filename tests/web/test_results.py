import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cvae.video import read_clip
from web import results
from web.results import new_folder, sheet_layout, write_downloads, write_sheets


def frames(count: int, height: int, width: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8))


def test_player_finds_every_frame_in_the_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_SHEET_PIXELS", 40 * 40)
    clip = frames(23, 16, 12)
    columns, per_sheet = sheet_layout(16, 12)
    assert (columns, per_sheet) == (3, 6)
    sheets = [np.array(Image.open(path)) for path in write_sheets(tmp_path, "pose", clip)]
    assert len(sheets) == 4
    for number, frame in enumerate(clip):
        row, column = divmod(number % per_sheet, columns)
        found = sheets[number // per_sheet][row * 16 : (row + 1) * 16, column * 12 : (column + 1) * 12]
        assert np.array_equal(found, frame)


def test_sheet_holds_a_frame_larger_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_SHEET_PIXELS", 100)
    assert sheet_layout(64, 32) == (1, 1)


def test_downloads_hold_every_frame_and_the_psnr(tmp_path: Path) -> None:
    made = write_downloads(tmp_path, frames(5, 16, 32), 10.0, [30.0, 29.5, 28.25, 27.0])
    assert len(read_clip(made.gif).frames) == len(read_clip(made.mp4).frames) == 5
    assert read_clip(made.mp4).frames.shape[1:3] == (256, 512)
    assert made.psnr is not None
    assert made.psnr.read_text().splitlines() == ["frame,psnr", "1,30.0000", "2,29.5000", "3,28.2500", "4,27.0000"]


def test_there_is_no_psnr_file_without_a_truth(tmp_path: Path) -> None:
    assert write_downloads(tmp_path, frames(2, 16, 32), 10.0, []).psnr is None


def test_every_run_has_its_own_folder_in_gradios_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    first, second = new_folder(), new_folder()
    assert first != second
    assert first.parent == second.parent == tmp_path / "cache"


def test_folders_of_runs_long_ago_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    empty, left, recent = new_folder(), new_folder(), new_folder()
    (left / "pose-0.png").write_bytes(b"x")
    (tmp_path / "uploaded").mkdir()
    for folder in (empty, left, tmp_path / "uploaded"):
        os.utime(folder, (0, 0))
    newest = new_folder()
    assert sorted(tmp_path.iterdir()) == sorted([recent, newest, tmp_path / "uploaded"])
