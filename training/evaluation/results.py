"""The files of an evaluation that grow while it predicts: the submission and a GIF of every sequence."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from cvae.borders import BORDER, GIVEN, PREDICTED, TRUE, bordered
from cvae.export import DEFAULT_FPS
from cvae.robot_request import ROBOT_FPS
from training.evaluation.sequences import Sequence
from training.evaluation.side_by_side import side_by_side

Writer = Callable[[slice, NDArray[np.uint8]], None]
"""Takes which frames of the sequence come and the frames, uint8 `(n, t, H, W, 3)` of n samples (one where they are
given), in their order from frame 0."""
SHOWN_SAMPLES = 4
MOST_GIFS = 32  # of a robot's sequences, which may be hundreds


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


class ResultFiles:
    """The files of an evaluation: a GIF of every sequence, of the first ones where there are many, and the submission.

    Args:
        folder: Where to.
        samples: Videos of each sequence, of which some are shown.
        posed: Whether the conditions are pictures of poses, which are shown too; else borders tell given, predicted
            and true frames apart, and nobody hands anything in.
    """

    def __init__(self, folder: Path, samples: int, *, posed: bool) -> None:
        self.folder, self.shown, self.posed, self.gifs = folder, min(samples, SHOWN_SAMPLES), posed, 0
        self.submission = Submission(folder / "submission.csv")

    @contextmanager
    def writing(self, sequence: Sequence) -> Iterator[Writer | None]:
        """What takes the frames of one sequence; None where it is one too many."""
        posed = self.posed
        self.gifs += 1
        if not posed and self.gifs > MOST_GIFS:
            yield None
            return
        predictions = ["prediction"] if self.shown == 1 else [f"sample {n}" for n in range(1, self.shown + 1)]
        titles = [*(["pose"] if posed else []), *predictions, *(["truth"] if sequence.truth is not None else [])]
        height, width = (side + 2 * (0 if posed else BORDER) for side in sequence.given.shape[1:3])
        path = self.folder / f"{sequence.name}.gif"
        with side_by_side(path, titles, (height, width), DEFAULT_FPS if posed else ROBOT_FPS) as gif:

            def write(now: slice, pictures: NDArray[np.uint8]) -> None:
                shown = [pictures[sample % len(pictures)] for sample in range(self.shown)]
                truth = [] if sequence.truth is None else [sequence.truth[now]]
                if posed:
                    gif.add(np.asarray(sequence.conditions[now], np.uint8), *shown, *truth)
                    self.submission.add(shown[0])
                else:
                    colour = GIVEN if now.start < len(sequence.given) else PREDICTED
                    gif.add(*(bordered(one, colour) for one in shown), *(bordered(one, TRUE) for one in truth))

            yield write
