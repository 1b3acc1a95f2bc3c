"""How long somebody waits for the page, and how much memory it takes: the real page, in a process of its own."""

import logging
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cvae.checkpoint import BUNDLED, load_checkpoint
from training.checks import check_all
from training.puppets.clip import make_clip

APP = Path(__file__).parents[1] / "app.py"
PATIENCE = 120.0  # seconds until a page that has not come up is given up
FPS = 15.0


@dataclass(frozen=True, kw_only=True)
class PageSpeedConfig:
    """Start the page with the bundled weights, and measure the time until it answers and until a GIF is back."""

    frames: int = 120
    """To predict."""
    rounds: int = 5
    """Predictions that are measured, after one that is not."""

    def __post_init__(self) -> None:
        check_all(self, "", ("frames", "rounds"), 1)


def measure_page(config: PageSpeedConfig) -> None:
    """`python -m benchmarks page`."""
    from gradio_client import Client, handle_file

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell every request
    with tempfile.TemporaryDirectory() as folder, running_page(Path(folder)) as (process, url, ready):
        first, poses = write_inputs(Path(folder), config.frames)
        client = Client(url, verbose=False, download_files=folder, analytics_enabled=False)
        seconds, size = [], load_checkpoint(BUNDLED).config.data.size
        for _ in range(config.rounds + 1):
            started = time.perf_counter()
            *_, summary = client.predict(handle_file(str(first)), handle_file(str(poses)), api_name="/generate")
            seconds.append(time.perf_counter() - started)
        height, width = size
        print(f"from start to an answer: {ready:.1f} s")
        print(f"{summary['frames']} frames at {height}x{width}, from the call to the GIF: ", end="")
        print(f"{statistics.median(seconds[1:]):.2f} s ({min(seconds[1:]):.2f} to {max(seconds[1:]):.2f})")
        if (peak := peak_memory(process.pid)) is not None:
            print(f"most memory at once: {peak / 1e9:.2f} GB")


@contextmanager
def running_page(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, float]]:
    """The page on a free port: its process, its address and the seconds until it answered.

    Raises:
        RuntimeError: If it ends or does not answer.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, started = f"http://127.0.0.1:{port}", time.perf_counter()
    with (folder / "page.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, str(APP), "--port", str(port)], stdout=log, stderr=log)
    try:
        while not _answers(url):
            if process.poll() is not None or time.perf_counter() - started > PATIENCE:
                raise RuntimeError((folder / "page.log").read_text())
            time.sleep(0.05)
        yield process, url, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def write_inputs(folder: Path, frames: int) -> tuple[Path, Path]:
    """A generated dancer in the size of the bundled weights: the first frame, and a zip of all poses."""
    clip = make_clip(np.random.SeedSequence(0), frames + 1, load_checkpoint(BUNDLED).config.data.size, FPS)
    first, poses = folder / "first.png", folder / "poses.zip"
    cv2.imwrite(str(first), clip.frames[0, ..., ::-1])
    with zipfile.ZipFile(poses, "w") as archive:
        for number, pose in enumerate(clip.poses):
            archive.writestr(f"{number}.png", cv2.imencode(".png", pose[..., ::-1])[1].tobytes())
    return first, poses


def peak_memory(process: int) -> int | None:
    """Most bytes that a process has held so far, where the system says it."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else None
