import base64
import io

import numpy as np
from PIL import Image

from web.player import PlayerView, data_url, live_frame


def test_live_frame_reaches_the_browser_without_loss() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (6, 10, 3), np.uint8)
    url = live_frame(3, {"prediction": picture})["pictures"]["prediction"]
    assert url == data_url(picture)
    prefix, data = url.split(",")
    assert prefix == "data:image/png;base64"
    assert np.array_equal(np.array(Image.open(io.BytesIO(base64.b64decode(data)))), picture)


def test_sheets_are_marked_as_files_so_that_gradio_serves_them() -> None:
    payload = PlayerView(sheets={"pose": ["a.png", "b.png"]}).payload()
    assert [file["path"] for file in payload["sheets"]["pose"]] == ["a.png", "b.png"]
    assert all(file["meta"] == {"_type": "gradio.FileData"} for file in payload["sheets"]["pose"])
