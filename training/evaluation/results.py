"""The files of an evaluation that grow while it predicts: the submission and a GIF of every sequence."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from cvae.export import DEFAULT_FPS
from training.evaluation.sequences import PoseSequence
from training.evaluation.side_by_side import side_by_side

Writer = Callable[[slice, NDArray[np.uint8]], None]
"""Takes which frames of the sequence come and the frames, uint8 `(t, H, W, 3)`, in their order from frame 0."""


class Submission:
    """A CSV as the lab's competition reads it: a running `id`, then the 3*H*W values of a frame from 0 to 255.

    Every frame of every sequence has a row, also the given frame 0; the values are all of red, of green, of blue, each
    row by row.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Append the next frames, uint8 `(t, H, W, 3)`, all of one size."""
        values = rearrange(pictures, "t h w c -> t (c h w)").tolist()
        with self.path.open("a", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            if self.count == 0:
                rows.writerow(["id", *range(len(values[0]))])
            rows.writerows([self.count + i, *row] for i, row in enumerate(values))
        self.count += len(values)


@contextmanager
def sequence_writer(folder: Path, submission: Submission, sequence: PoseSequence) -> Iterator[Writer]:
    """One sequence goes to the submission and, with its poses and the truth where it is known, to `folder/NAME.gif`."""
    titles = ["pose", "prediction", *(["truth"] if sequence.truth is not None else [])]
    height, width, _ = sequence.first_frame.shape
    with side_by_side(folder / f"{sequence.name}.gif", titles, (height, width), DEFAULT_FPS) as gif:

        def write(now: slice, pictures: NDArray[np.uint8]) -> None:
            truth = [] if sequence.truth is None else [sequence.truth[now]]
            gif.add(sequence.poses[now], pictures, *truth)
            submission.add(pictures)

        yield write
