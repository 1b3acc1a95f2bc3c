"""A ZeroGPU Space without a GPU: a package `spaces` that does what the real one does, pickling and forking."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cvae.checkpoint import Checkpoint
from cvae.request import Request
from tests.conftest import moving_square, write_pictures
from web.gpu import MAX_SECONDS, network, seconds_needed

ROOT = Path(__file__).parents[2]
SPACES = """
import multiprocessing, pickle, sys
assert "torch" not in sys.modules, "imported after torch"
wrapped, ended = [], []

def GPU(duration):
    def wrap(task):
        wrapped.append(task)
        def call(*arguments):
            assert duration(*arguments) > 0
            fork = multiprocessing.get_context("fork")
            frames, stop = fork.SimpleQueue(), fork.Event()
            sent = pickle.dumps(arguments)

            def work():
                made = task(*pickle.loads(sent))
                for frame in made:
                    frames.put(frame)
                    if stop.wait(0.05):
                        break
                frames.put(None)

            process = fork.Process(target=work, daemon=True)
            process.start()
            try:
                while (frame := frames.get()) is not None:
                    yield frame
            finally:
                stop.set()
                process.join(5)
                ended.append(process.exitcode)
        return call
    return wrap
"""
CODE = """
import sys
import app, spaces
from pathlib import Path
from cvae.checkpoint import load_checkpoint
from web import person_tab
from web.served import Served
from web.session import Session
from web.failure import build_failure_page

checkpoint, folder = load_checkpoint(Path(sys.argv[1])), Path(sys.argv[2])
app.build_page([Served(checkpoint)])
assert len(spaces.wrapped) == 1
frames = [{"path": str(path)} for path in sorted((folder / "frames").iterdir())]
poses = [{"path": str(path)} for path in sorted((folder / "poses").iterdir())]
*_, last = person_tab.on_generate(checkpoint, Session(), frames[0], poses, frames, "mean", 0, 0, True)
print(*last.view.psnr)
session = Session()
for step in person_tab.on_generate(checkpoint, session, frames[0], poses, frames, "mean", 0, 0, True):
    session.stop = session.stop or step.view.live is not None
print(step.view.status)
assert spaces.ended == [0, 0] and len(spaces.wrapped) == 1, (spaces.ended, spaces.wrapped)
build_failure_page("No model.")
assert len(spaces.wrapped) == 2
"""


def test_a_zero_gpu_space_predicts_the_same_in_its_own_process_and_stops(
    checkpoint: Checkpoint, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    frames, poses = moving_square(6)
    write_pictures(tmp_path / "frames", frames), write_pictures(tmp_path / "poses", poses)
    (tmp_path / "spaces.py").write_text(SPACES)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tiny_checkpoint), str(tmp_path)],
        cwd=ROOT,
        env=os.environ
        | {"PYTHONPATH": str(tmp_path), "GRADIO_TEMP_DIR": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    values, status = done.stdout.splitlines()
    here = list(network(checkpoint)(request(frames, poses), "mean", 0))
    errors = ((np.stack(here) / 255.0 - frames[1:] / 255.0) ** 2).mean((1, 2, 3))
    assert [float(value) for value in values.split()] == pytest.approx(list(-10 * np.log10(errors)), abs=1e-3)
    assert status.startswith("Stopped after 1 of 5 frames")


def request(frames: np.ndarray, poses: np.ndarray) -> Request:
    return Request(given=frames[:1], conditions=poses, poses=poses, truth=None, fps=20, notes=())


def test_the_gpu_is_asked_for_as_long_as_the_video_needs_within_bounds() -> None:
    frames, poses = moving_square(6)
    few, many = request(frames, poses), request(frames, np.concatenate([poses] * 1000))
    assert seconds_needed(few) < 15 < seconds_needed(many) == MAX_SECONDS
