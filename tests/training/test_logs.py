from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.logs import Log, read_rows


def write(out: Path, first: int, last: int, factor: float = 1.0) -> None:
    log = Log(out, first - 1)
    for step in range(first, last + 1):
        log.write(step, loss=factor / step, kl_weight=0.1, teacher_forcing=0.5)
    log.close()


def test_rows_are_read_back_and_drawn(tmp_path: Path) -> None:
    write(tmp_path, 1, 5)
    assert [row["step"] for row in read_rows(tmp_path)] == [1, 2, 3, 4, 5]
    assert read_rows(tmp_path)[1] == {"step": 2, "loss": 0.5, "kl_weight": 0.1, "teacher_forcing": 0.5}
    assert np.asarray(Image.open(tmp_path / "training.png").convert("L")).std() > 5


def test_a_resumed_log_drops_what_will_be_trained_again(tmp_path: Path) -> None:
    write(tmp_path, 1, 5)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 6, "lo')  # killed in the middle of a line
    write(tmp_path, 4, 6, factor=10)
    rows = read_rows(tmp_path)
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["loss"] > 1 for row in rows] == [False, False, False, True, True, True]


@pytest.mark.parametrize(
    "line", [b"\xff\xfe\0", b"5", b"[" * 10**5, b'{"loss": 1}', b'{"step": "a"}', b'{"step": 2, "loss": "b"}']
)
def test_a_line_that_is_no_row_costs_that_line_alone(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(b'{"step": 1, "loss": 0.5}\n' + line + b'\n{"step": 3, "loss": 0.25}\n')
    assert [row["step"] for row in read_rows(tmp_path)] == [1, 3]


def test_tensorboard_has_the_numbers_and_a_moving_picture(tmp_path: Path) -> None:
    log = Log(tmp_path, 0)
    log.write(7, loss=0.25)
    log.show(7, np.random.default_rng(0).integers(0, 255, (4, 16, 96, 3), dtype=np.uint8), 10)
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (scalar,) = events.Scalars("loss")
    assert (scalar.step, scalar.value) == (7, 0.25)
    (picture,) = events.Images("validation")
    with Image.open(BytesIO(picture.encoded_image_string)) as image:
        assert image.format == "GIF" and image.n_frames == 4  # type: ignore[attr-defined]


def test_a_run_without_rows_has_none(tmp_path: Path) -> None:
    assert read_rows(tmp_path) == []
