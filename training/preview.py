"""A moving picture of how far a network is."""

import numpy as np
import torch
from torch import Tensor

from cvae.generate import to_picture, to_tensor
from cvae.models import Model
from cvae.rollout import rollout
from training.data.clips import Recordings

MOST_FRAMES = 60


def preview(model: Model, recordings: Recordings, span: tuple[int, int], device: torch.device) -> np.ndarray:
    """Pose, prediction and truth side by side, uint8 `(T, H, 3 W, 3)`, of the beginning of a recording.

    Args:
        model: In evaluation mode.
        recordings: Poses to follow and truth to show.
        span: First and one past the last frame of the recording.
        device: Where the model is.
    """
    frames, poses = (
        clip[span[0] : min(span[1], span[0] + MOST_FRAMES)] for clip in (recordings.frames, recordings.poses)
    )
    first: Tensor = to_tensor(frames[:1]).to(device)
    predicted = [to_picture(frame[0]) for frame in rollout(model, first, to_tensor(poses)[None].to(device))]
    return np.concatenate([poses, np.stack([frames[0], *predicted]), frames], axis=2)
