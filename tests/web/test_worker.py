import gc
import logging
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses import weights
from cvae.progress import Watch
from web.worker import Stopped, Worker


def never() -> bool:
    return False


def endless(watch: Watch) -> int:
    frame = 0
    while True:
        frame += 1
        watch(frame, None)
        time.sleep(0.001)


def test_result_of_the_work_comes_back() -> None:
    with Worker(lambda _: 5, never) as work:
        assert list(work) == []
        assert work.result() == 5


def test_fault_of_the_work_comes_back() -> None:
    def fail(_: Watch) -> int:
        raise InputError("no poses")

    with pytest.raises(InputError, match="no poses"), Worker(fail, never) as work:
        list(work)
        work.result()


@pytest.mark.parametrize("fault", [InputError("no poses"), MemoryError()])
def test_what_failed_work_had_read_is_given_back_at_once(fault: Exception) -> None:
    read: list[weakref.ref[object]] = []

    def fail(_: Watch) -> int:
        frames = np.zeros(100)
        read.append(weakref.ref(frames))
        try:
            raise KeyError
        except KeyError as error:
            raise type(fault)(*fault.args) from error

    def ask() -> None:
        with Worker(fail, never) as work:
            list(work)
            work.result()

    gc.disable()
    try:
        with pytest.raises(type(fault)) as raised:
            ask()
        if isinstance(fault, InputError):
            assert read[0]() is None and str(raised.value) == "no poses"
        del raised
        assert read[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("promised", "sentence", "share"),
    [
        (8, "Reading: frame 2 of 8", 0.25),
        (None, "Reading: frame 2", None),
        (1, "Reading: frame 2", None),
    ],
)
def test_frames_are_counted(promised: int | None, sentence: str, share: float | None) -> None:
    seen = threading.Event()

    def look(watch: Watch) -> None:
        watch(2, promised)
        seen.wait(5)

    told = []
    with Worker(look, never) as work:
        for progress in work:
            told.append((progress.sentence, progress.share))
            if (sentence, share) in told:
                seen.set()
    assert told[-1] == (sentence, share)


def test_work_ends_after_the_frame_at_hand_when_it_is_over() -> None:
    over = threading.Event()
    with Worker(endless, over.is_set) as work:
        for _ in work:
            over.set()
        with pytest.raises(Stopped):
            work.result()


def test_work_ends_when_nobody_looks_any_more() -> None:
    before = threading.active_count()
    with Worker(endless, never) as work:
        next(iter(work))
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_only_the_own_thread_is_listened_to() -> None:
    begun, over = threading.Event(), threading.Event()

    def work_in_silence(_: Watch) -> None:
        begun.set()
        over.wait(5)

    with Worker(work_in_silence, never) as work:
        begun.wait(5)
        logging.getLogger("cvae.poses.weights").info("Another user's word.")
        assert next(iter(work)).sentence == "Reading the files …"
        over.set()


def test_fetching_of_the_pose_networks_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    seen = threading.Event()

    def download(*_: object, **__: object) -> object:
        seen.wait(5)
        raise InputError("no network")

    monkeypatch.setattr(weights.subprocess, "run", download)
    told = []
    with Worker(lambda _: weights.find_weights(), never) as work:
        for progress in work:
            told.append(progress.sentence)
            if "Fetching" in progress.sentence:
                seen.set()
        with pytest.raises(InputError, match="no network"):
            work.result()
    assert told[-1] == "Fetching the pose networks (36 MB, once) …"
    assert logging.getLogger("cvae.poses.weights").handlers == []
