"""GIFs of several videos side by side under their titles, of any length in the memory of a few frames."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SHOWN_HEIGHT = 128  # pixels, to which small frames are enlarged about
TITLE_HEIGHT = 20
GAP = 2


class SideBySide:
    """Takes the frames as they come. They wait on disk, since the palette needs all of them."""

    def __init__(self, waiting: IO[bytes]) -> None:
        self._waiting = waiting

    def add(self, *columns: NDArray[np.uint8]) -> None:
        """Keep some frames of every video, uint8 `(t, H, W, 3)` each."""
        space = np.full_like(columns[0][:, :, :GAP], 255)
        parts = [part for column in columns for part in (space, column)]
        self._waiting.write(np.ascontiguousarray(np.concatenate(parts[1:], axis=2)).data)


@contextmanager
def side_by_side(path: Path, titles: Sequence[str], size: tuple[int, int], fps: float) -> Iterator[SideBySide]:
    """What is added in the body becomes a GIF at its end.

    Args:
        path: The GIF; it appears whole or not at all.
        titles: One for each video.
        size: Height and width of a frame of each.
        fps: Frames per second.
    """
    height, width = size
    scale = max(1, round(SHOWN_HEIGHT / height))
    row = len(titles) * (width + GAP) - GAP
    with TemporaryDirectory(dir=path.parent, prefix=".") as name:
        folder = Path(name)
        with (folder / "frames").open("wb") as waiting:
            yield SideBySide(waiting)
        _titles(titles, row * scale, (width + GAP) * scale).save(folder / "titles.png")
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{row}x{height}", "-r", f"{fps:.6f}"]
        inputs = [*raw, "-i", "frames", "-i", "titles.png"]
        big = f"[0]scale=iw*{scale}:ih*{scale}:flags=neighbor,pad=iw:ih+{TITLE_HEIGHT}:0:{TITLE_HEIGHT}:white[big]"
        titled = f"{big};[big][1]overlay=format=gbrp"
        _ffmpeg(folder, [*inputs, "-filter_complex", f"{titled},palettegen=stats_mode=full", "palette.png"])
        coloured = f"{titled}[titled];[titled][2]paletteuse=dither=none"
        _ffmpeg(folder, [*inputs, "-i", "palette.png", "-filter_complex", coloured, "-loop", "0", "made.gif"])
        (folder / "made.gif").replace(path)


def _titles(titles: Sequence[str], width: int, pitch: int) -> Image.Image:
    picture = Image.new("RGB", (width, TITLE_HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    for i, title in enumerate(titles):
        draw.text((i * pitch + 2, TITLE_HEIGHT // 2), title, "black", ImageFont.load_default(14), anchor="lm")
    return picture


def _ffmpeg(folder: Path, arguments: Sequence[str]) -> None:
    """Within `folder`, so that no name of a user's, in which ffmpeg reads `%` and `:`, is in the arguments."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True)
    if done.returncode:
        raise OSError(f"ffmpeg could not write a GIF: {done.stderr.decode(errors='replace').strip()}")
