import re

import pytest

from cvae.progress import frame_bar


def test_before_the_first_frame_nothing_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with frame_bar("reading"):
        pass
    assert capsys.readouterr().err == ""


def test_frames_of_one_clip_after_another_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with frame_bar("reading") as watch:
        for promised in (4, None, 3):
            for done in (1, 2, 3):
                watch(done, promised)
        assert re.findall(r"0/\d", capsys.readouterr().err) == ["0/4", "0/3"]
