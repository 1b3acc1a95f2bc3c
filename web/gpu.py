"""Running the network where the GPU is: on a ZeroGPU Space that is another process, which has it for one call.

There the package `spaces` must be imported before anything touches CUDA, so that `app.py` imports this module first.
Other machines do not have the package, or it changes nothing on them.
"""

import math
from collections.abc import Callable, Generator
from functools import cache
from importlib import import_module
from typing import Any

try:
    GPU: Any = import_module("spaces").GPU
except (ImportError, AttributeError):  # AttributeError: it is just a folder of this name
    GPU = None

import numpy as np

from cvae.checkpoint import Checkpoint
from cvae.gaussian import Sampling
from cvae.generate import generate
from cvae.request import Request

Network = Callable[[Request, Sampling, int], Generator[np.ndarray]]
FRAMES_PER_SECOND = 20
"""What a GPU manages at least."""
MAX_SECONDS = 120
"""More is not lent at once to everybody."""


@cache
def network(checkpoint: Checkpoint) -> Network:
    """What predicts the frames after the given ones, uint8 `(H, W, 3)`; closing the generator ends the prediction.

    The page asks for it before it is served, since a ZeroGPU Space wants to know by then what will use the GPU.
    """

    def predict_frames(request: Request, sample: Sampling, seed: int) -> Generator[np.ndarray]:
        yield from generate(checkpoint.model, request, sample=sample, seed=seed)

    return on_gpu(predict_frames)


def on_gpu(function: Network) -> Network:
    """The same function with the GPU lent around it, where one is lent; then arguments and frames are pickled."""
    return GPU(duration=seconds_needed)(function) if GPU else function


def seconds_needed(request: Request, sample: Sampling = "mean", seed: int = 0) -> int:
    """For how long the GPU is asked for; shorter is served earlier."""
    return min(MAX_SECONDS, 10 + math.ceil(len(request.conditions) / FRAMES_PER_SECOND))
