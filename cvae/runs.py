"""The folder of a training run: which checkpoints lie in it, and which is the best."""

import json
import math
import re
from pathlib import Path

TRAINING = "training.json"
_STEP = re.compile(r"step_([0-9]{6,12})")


def step_folder(run: Path, step: int) -> Path:
    """Where the checkpoint of a step belongs."""
    return run / f"step_{step:06d}"


def checkpoints_in(run: Path) -> dict[int, Path]:
    """The checkpoints of a run by their steps, in this order; none where it is no run. Each is complete."""
    if not run.is_dir():
        return {}
    found = [(match, path) for path in run.iterdir() if (match := _STEP.fullmatch(path.name)) and path.is_dir()]
    return {int(match[1]): path for match, path in sorted(found, key=lambda item: int(item[0][1]))}


def best_checkpoint(run: Path) -> Path | None:
    """The checkpoint that validated best, the later one of equal ones; None where there are none."""
    return max(checkpoints_in(run).values(), key=_rank, default=None)


def _rank(checkpoint: Path) -> tuple[float, str]:
    """What `training.json` says of a checkpoint's validation, dB, and the folder's name."""
    try:
        score = float(json.loads((checkpoint / TRAINING).read_text())["validation_psnr"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        score = math.nan
    return (-math.inf if math.isnan(score) else score), checkpoint.name
