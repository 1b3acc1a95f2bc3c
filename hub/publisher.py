"""Publishing during a training, beside it: nothing that happens to an upload stops the training."""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from huggingface_hub import get_token

from cvae.errors import InputError
from cvae.export import DEFAULT_FPS
from cvae.runs import best_checkpoint
from hub.faults import LOG_IN
from hub.files import SAMPLE
from hub.push import commit_message
from hub.sample import write_columns
from hub.stage import stage
from hub.tokens import without_tokens

log = logging.getLogger(__name__)

LONGEST_WAIT = 300.0
"""Seconds; other processes of a training wait meanwhile, and give up after ten minutes."""
_ROOT = Path(__file__).parents[1]


class _Next(NamedTuple):
    folder: Path
    message: str


class Publisher:
    """Publishes a run's best checkpoint whenever it is told to, in a process beside the training's.

    The files are copied at once, so that the run may change meanwhile. One upload runs at a time; of those that wait
    the newest is kept. Each is one commit, so that an upload that is broken off leaves the repository as it was.

        with Publisher("user/name", run) as publisher:
            publisher.offer()  # at each new best
    """

    fault: str | None = None
    """Why the newest checkpoint is not published."""

    def __init__(self, repo: str, run: Path, longest_wait: float = LONGEST_WAIT) -> None:
        """Asks nobody yet.

        Args:
            repo: `user/name`.
            run: Folder of the training.
            longest_wait: Seconds that the end waits for what is on its way.

        Raises:
            InputError: If there is no token to publish with.
        """
        self.repo, self.run, self.longest_wait = repo, run, longest_wait
        if not get_token():
            raise InputError(f"There is no token to publish {repo} with: {LOG_IN}.")
        self._state = threading.Condition()
        """Guards what follows."""
        self._next: _Next | None = None
        self._upload: subprocess.Popen[str] | None = None
        self._is_ending = False
        self._thread = threading.Thread(target=self._work, name="publisher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def offer(self, shown: np.ndarray | None = None, fps: float = DEFAULT_FPS) -> None:
        """Publish the run's best checkpoint as it is now, soon; raises nothing, whatever is wrong with it.

        Args:
            shown: What the card's sample shows, uint8 `(T, h, w, 3)`, where the checkpoint is new: pose, prediction and
                truth side by side, or prediction and truth of several recordings in borders.
            fps: Their frames per second.
        """
        folder = None
        try:
            if shown is not None and (best := best_checkpoint(self.run)):
                write_columns(best / SAMPLE, shown, fps)
            folder = Path(tempfile.mkdtemp(prefix=".push.", dir=self.run))  # a name that resuming clears away
            training = stage(self.run, folder, self.repo)
        except Exception as error:  # whatever it is, hours of training are worth more
            self._failed(without_tokens(str(error) or repr(error)))
            _remove(folder)
            return
        with self._state:
            self._forget_next()
            self._next = _Next(folder, commit_message(training))
            self._state.notify()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is on its way, but not for ever, and not at all where Ctrl-C broke off the training."""
        try:
            if kind is None or issubclass(kind, Exception):
                self._finish()
        finally:
            self._give_up()
        if self.fault:
            log.warning(
                "The newest checkpoint of %s is not on the Hub: %s\nTo publish it: python -m hub push %s %s",
                self.run,
                self.fault,
                self.run,
                self.repo,
            )

    def _finish(self) -> None:
        with self._state:
            self._is_ending = True
            self._state.notify()
            if self._next or self._upload:
                log.info("Publishing %s (%.0f s at most); Ctrl-C gives it up.", self.repo, self.longest_wait)
        deadline = time.monotonic() + self.longest_wait
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(0.2)  # in slices, so that Ctrl-C is heard

    def _give_up(self) -> None:
        """Break off what is still going on."""
        with self._state:
            self._is_ending = True
            self._state.notify()
            if self._next or self._upload:
                self.fault = "its upload was broken off."
            self._forget_next()
            if self._upload:
                self._upload.kill()
        self._thread.join(5)

    def _work(self) -> None:
        """In the thread: one upload after the other."""
        while True:
            with self._state:
                self._state.wait_for(lambda: self._next or self._is_ending)
                if self._next is None:
                    return
                now, self._next = self._next, None
                try:
                    self._upload = _start(now, self.repo)
                except OSError as error:
                    self._failed(str(error))
                    _remove(now.folder)
                    continue
            address, complaint = self._upload.communicate()
            with self._state:
                code, self._upload = self._upload.returncode, None
                if code == 0:
                    self.fault = None
                    log.info("Published: %s", address.strip())
                elif code > 0 or not self._is_ending:
                    self._failed(_last_line(complaint) or f"the upload ended with code {code}.")
            _remove(now.folder)

    def _failed(self, fault: str) -> None:
        """Say it once, not again for every checkpoint."""
        if fault != self.fault:
            log.warning("A checkpoint could not be published, the training goes on: %s", fault)
        self.fault = fault

    def _forget_next(self) -> None:
        if self._next:
            _remove(self._next.folder)
            self._next = None


def _start(now: _Next, repo: str) -> "subprocess.Popen[str]":
    """An upload in a process of its own: it can be ended at any time, whatever the Hub's client waits for."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", "hub.upload", str(now.folder), repo, "--message", now.message],
        env=os.environ | {"PYTHONPATH": path, "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is meant for the training
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return without_tokens(lines[-1].removeprefix("Error: ")) if lines else ""


def _remove(folder: Path | None) -> None:
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
