import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvae.errors import InputError
from cvae.poses.keypoints import Keypoints
from cvae.poses.source import Poses
from tests.conftest import moving_square, write_pictures
from web import session as session_module
from web.poses import show_poses
from web.session import Session

SIZE = (16, 32)
POSES = Poses(
    title="a video of a person",
    content=Keypoints(points=np.zeros((4, 23, 3)), canvas=SIZE, fps=25.0),
    video=np.zeros((4, *SIZE, 3), np.uint8),
)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[list[Path]]:
    """Files that were searched; every search takes 20 frames."""
    begun: list[list[Path]] = []

    def read(paths: list[Path], *, size: tuple[int, int], watch: Any) -> Poses:
        begun.append(paths)
        for frame in range(20):
            watch(frame + 1, 20)
            time.sleep(0.002)
        return POSES

    monkeypatch.setattr(session_module, "read_poses", read)
    return begun


def uploaded(*names: str) -> Session:
    return Session(uploaded=[Path(name) for name in names])


def test_progress_is_shown_and_then_the_poses(searches: list[list[Path]]) -> None:
    (first, _), *progress, (last, goes_on) = show_poses(uploaded("a"), [Path("a")], SIZE)
    assert "Reading the files" in first
    assert any("Reading: frame " in strip and " of 20<" in strip for strip, _ in progress)
    assert all(reading for _, reading in progress)
    assert not goes_on
    assert "4 poses from a video of a person (25 frames a second, 0.2 s long)" in last


def test_poses_are_read_once_for_the_strip_and_the_run(searches: list[list[Path]]) -> None:
    session = uploaded("a")
    list(show_poses(session, [Path("a")], SIZE))
    assert session.read([Path("a")], SIZE, lambda *_: None) is POSES
    assert searches == [[Path("a")]]


def test_only_the_last_poses_are_kept(searches: list[list[Path]]) -> None:
    session = Session()
    for name in "aaba":
        session.uploaded = [Path(name)]
        session.read([Path(name)], SIZE, lambda *_: None)
    assert [path.name for (path,) in searches] == ["a", "b", "a"]


def test_poses_of_a_few_pages_are_kept_those_used_last(
    searches: list[list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "MOST_KEPT", 2)
    pages = {name: uploaded(name) for name in "abc"}
    for name in "ababcabc":  # c takes the place of a, which was used before b
        pages[name].read([Path(name)], SIZE, lambda *_: None)
    assert "".join(path.name for (path,) in searches) == "abcabc"


def test_search_that_ends_after_other_poses_came_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    session = uploaded("a")
    others = replace(POSES, title="others")

    def read(paths: list[Path], *, size: tuple[int, int], watch: Any) -> Poses:
        if paths == [Path("b")]:
            return others
        session.uploaded = [Path("b")]  # meanwhile they are uploaded and read
        assert session.read(session.uploaded, SIZE, watch) is others
        return POSES

    monkeypatch.setattr(session_module, "read_poses", read)
    assert session.read([Path("a")], SIZE, lambda *_: None) is POSES
    monkeypatch.delattr(session_module, "read_poses")
    assert session.read([Path("b")], SIZE, lambda *_: None) is others


def test_stop_ends_the_search_and_generate_begins_it_anew(searches: list[list[Path]]) -> None:
    session = uploaded("a")
    for strip, _ in show_poses(session, [Path("a")], SIZE):
        session.stop = "frame" in strip
        last = strip
    assert last == "<p>Stopped. Generate will read the poses.</p>"
    session.read([Path("a")], SIZE, lambda *_: None)
    assert len(searches) == 2


def test_search_ends_without_a_word_when_other_poses_came(searches: list[list[Path]]) -> None:
    session = uploaded("a")
    strips = []
    for strip, _ in show_poses(session, [Path("a")], SIZE):
        strips.append(strip)
        session.uploaded = [Path("b")]
    assert not any("poses from" in strip or "Stopped" in strip for strip in strips)


def test_search_that_waited_until_other_poses_came_does_not_begin(searches: list[list[Path]]) -> None:
    assert list(show_poses(uploaded("b"), [Path("a")], SIZE)) == []
    assert searches == []


def test_search_ends_when_the_page_is_closed(searches: list[list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    session, watched = uploaded("a"), []

    def read(paths: list[Path], *, size: tuple[int, int], watch: Any) -> Iterator[None]:
        while True:
            time.sleep(0.002)
            watch(1, None)
            watched.append(time.monotonic())

    monkeypatch.setattr(session_module, "read_poses", read)
    strips = show_poses(session, [Path("a")], SIZE)
    next(strips), next(strips)
    strips.close()  # type: ignore[attr-defined]
    count = len(watched)
    time.sleep(0.02)
    assert len(watched) == count


def test_fault_is_shown_and_raised(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[NaN]")
    session = Session(uploaded=[tmp_path / "a.json"])
    strips = show_poses(session, session.uploaded, SIZE)
    with pytest.raises(InputError, match=r"a\.json"):
        for strip, _ in strips:
            last = strip
    assert last.startswith('<p class="fault">')
    assert "a.json" in last


def test_fault_of_poses_that_were_replaced_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    session = uploaded("a")

    def fail(*_: Any, **__: Any) -> Poses:
        session.uploaded = [Path("b")]
        raise InputError("no poses")

    monkeypatch.setattr(session_module, "read_poses", fail)
    assert not any("fault" in strip for strip, _ in show_poses(session, [Path("a")], SIZE))


def test_stop_of_what_was_before_does_not_end_the_search(searches: list[list[Path]]) -> None:
    session = uploaded("a")
    session.stop = True
    *_, (last, _) = show_poses(session, [Path("a")], SIZE)
    assert "4 poses from" in last


def test_skeletons_are_shown_with_their_notes(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "poses", moving_square(3, 32, 64)[1])
    session = Session(uploaded=sorted(folder.iterdir()))
    *_, (last, _) = show_poses(session, session.uploaded, SIZE)
    assert "3 poses from skeletons on white" in last
    assert "resized from 64x32" in last
