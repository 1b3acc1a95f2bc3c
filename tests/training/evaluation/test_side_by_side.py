from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.evaluation.side_by_side import GAP, TITLE_HEIGHT, side_by_side

RED, GREEN = (np.full((3, 64, 32, 3), colour, np.uint8) for colour in ((200, 0, 0), (0, 160, 0)))


def test_every_frame_shows_every_video_enlarged_under_its_title(tmp_path: Path) -> None:
    with side_by_side(tmp_path / "50%d: it's.gif", ["left", "right"], (64, 32), 20) as gif:
        gif.add(RED, GREEN)
        gif.add(RED[:1], GREEN[:1])
    with Image.open(tmp_path / "50%d: it's.gif") as picture:
        assert picture.n_frames == 4  # type: ignore[attr-defined]
        assert picture.info["duration"] == 50
        assert picture.size == (2 * (32 + 32 + GAP), TITLE_HEIGHT + 2 * 64)
        for i in range(4):
            picture.seek(i)
            shown = np.array(picture.convert("RGB")).astype(int)
            assert np.abs(shown[TITLE_HEIGHT + 60, 30] - (200, 0, 0)).max() < 8
            assert np.abs(shown[TITLE_HEIGHT + 60, 2 * (32 + GAP) + 30] - (0, 160, 0)).max() < 8
            for half in (shown[:TITLE_HEIGHT, :64], shown[:TITLE_HEIGHT, 64:]):
                assert half.min() < 100 < 240 < half.max()


def test_a_gif_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no frame"), side_by_side(tmp_path / "a.gif", ["one"], (64, 32), 20) as gif:
        gif.add(RED)
        raise RuntimeError("no frame")
    assert list(tmp_path.iterdir()) == []
