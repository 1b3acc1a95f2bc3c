import base64
import io
import re

import numpy as np
from PIL import Image

from cvae.video import Clip
from tests.conftest import moving_square
from web.strip import SHOWN, clip_strip


def test_strip_shows_first_and_last_frame_and_the_count() -> None:
    _, poses = moving_square(40)
    text = clip_strip(Clip(frames=poses, fps=None), "pose")
    found = re.search(r"base64,([^\"]+)", text)
    assert found is not None
    picture = np.array(Image.open(io.BytesIO(base64.b64decode(found[1]))))
    assert picture.shape == (16, 32 * SHOWN, 3)
    assert np.array_equal(picture[:, :32], poses[0])
    assert np.array_equal(picture[:, -32:], poses[-1])
    assert "40 poses" in text


def test_notes_with_file_names_are_shown_as_text() -> None:
    text = clip_strip(Clip(frames=moving_square(1)[1], fps=None, notes=("<script>.png is left out",)), "pose")
    assert "<script>" not in text
    assert "1 pose<" in text
