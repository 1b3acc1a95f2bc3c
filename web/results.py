"""The files of a finished run: sprite sheets for the player, GIF, MP4 and PSNR to download."""

import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from cvae.export import write_gif, write_mp4
from cvae.generate import write_psnr

FOLDER_SECONDS = 3 * 3600
"""Older folders of runs go. By then Gradio has deleted the files in them that it handed out (after one to two hours);
what is left are empty folders, and files that nobody waited for."""

MAX_SHEET_PIXELS = 8_000_000
"""Browsers, those of phones above all, refuse to decode much larger pictures."""

MP4_SIDE = 512
"""Small pictures are enlarged by a whole factor up to this many pixels, since players would blur them."""


@dataclass(frozen=True, kw_only=True)
class Downloads:
    """Paths of what the user may take home."""

    gif: Path
    mp4: Path
    psnr: Path | None


def new_folder() -> Path:
    """An empty folder with an unguessable name inside Gradio's cache; those of runs long ago are removed."""
    cache = Path(get_upload_folder())
    cache.mkdir(parents=True, exist_ok=True)
    for folder in cache.glob("run-*"):
        with suppress(FileNotFoundError):  # another user's run may be clearing up too
            if time.time() - folder.stat().st_mtime > FOLDER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="run-", dir=cache))


def sheet_layout(height: int, width: int) -> tuple[int, int]:
    """How many frames of this size stand side by side in a sheet, and how many a sheet holds."""
    columns = max(1, math.isqrt(MAX_SHEET_PIXELS) // width)
    rows = max(1, math.isqrt(MAX_SHEET_PIXELS) // height)
    return columns, columns * rows


def write_sheets(folder: Path, name: str, frames: Sequence[np.ndarray]) -> list[str]:
    """Write frames, each `(H, W, 3)` uint8, row after row into as few PNGs as `sheet_layout` allows."""
    height, width = frames[0].shape[:2]
    columns, per_sheet = sheet_layout(height, width)
    paths = []
    for start in range(0, len(frames), per_sheet):
        part = frames[start : start + per_sheet]
        sheet = np.zeros((math.ceil(len(part) / columns) * height, columns * width, 3), np.uint8)
        for index, frame in enumerate(part):
            row, column = divmod(index, columns)
            sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = frame
        path = folder / f"{name}-{start // per_sheet}.png"
        Image.fromarray(sheet).save(path, compress_level=1)
        paths.append(str(path))
    return paths


def write_downloads(
    folder: Path, frames: Sequence[np.ndarray], fps: float, psnr: Sequence[float], given: int = 1
) -> Downloads:
    """Write the video twice and, where there was a truth, the PSNR of the frames after the given ones as a table."""
    video = np.stack(frames)
    write_gif(folder / "prediction.gif", video, fps)
    write_mp4(folder / "prediction.mp4", video, fps, scale=max(1, MP4_SIDE // max(video.shape[1:3])))
    if psnr:
        write_psnr(folder / "psnr.csv", psnr, given)
    return Downloads(
        gif=folder / "prediction.gif",
        mp4=folder / "prediction.mp4",
        psnr=folder / "psnr.csv" if psnr else None,
    )
