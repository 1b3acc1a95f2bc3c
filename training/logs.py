"""What a training says of itself: rows of metrics in a file, TensorBoard, and figures in the run's folder."""

import json
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard import SummaryWriter

from cvae.export import write_gif
from cvae.files import replacing
from training.plots import plot_training

METRICS = "metrics.jsonl"
FIGURE = "training.png"
Row = dict[str, float]


class Log:
    """The metrics of a run, which grow from where it is resumed.

    Each row has the step and what there was to measure: loss, reconstruction, KL, kl_weight, teacher_forcing, lr,
    frames_per_second, and at validations validation_psnr.
    """

    def __init__(self, out: Path, step: int) -> None:
        """Open the log of the run in `out`; rows after `step`, which will be trained again, are dropped."""
        self.out = out
        self.rows = [row for row in read_rows(out) if row["step"] <= step]
        with replacing(out / METRICS) as partial:
            partial.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        self._file = (out / METRICS).open("a")
        self._writer = SummaryWriter(out / "tensorboard", purge_step=step + 1)

    def write(self, step: int, **values: float) -> None:
        """Add a row."""
        self.rows.append({"step": step} | values)
        self._file.write(json.dumps(self.rows[-1]) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def show(self, step: int, frames: np.ndarray, fps: float) -> None:
        """Add a moving picture of a validation, uint8 `(T, H, W, 3)`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "validation.gif"
            write_gif(path, frames, fps)
            picture = Summary.Image(
                height=frames.shape[1], width=frames.shape[2], colorspace=3, encoded_image_string=path.read_bytes()
            )
        summary = Summary(value=[Summary.Value(tag="validation", image=picture)])
        self._writer._get_file_writer().add_summary(summary, step)  # type: ignore[no-untyped-call]

    def draw(self) -> None:
        """Draw the figures anew."""
        if self.rows:
            plot_training(self.rows, self.out / FIGURE)

    def close(self) -> None:
        """Draw the figures and end the files."""
        with closing(self._writer), self._file:
            self.draw()


def read_rows(out: Path) -> list[Row]:
    """The rows of a run so far; lines that are none, as one that was cut off, are left out."""
    if not (out / METRICS).exists():
        return []
    return [row for line in (out / METRICS).read_text(errors="replace").splitlines() if (row := _row(line))]


def _row(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_row = isinstance(row, dict) and "step" in row and all(isinstance(v, int | float) for v in row.values())
    return row if is_row else None
