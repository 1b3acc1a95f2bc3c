"""A moving picture of how far a network is."""

import numpy as np

from cvae.gaussian import Sampling
from cvae.generate import to_picture
from cvae.models import Model
from training.data.clips import Recordings
from training.evaluation.evaluate import predict
from training.evaluation.sequences import PoseSequence

MOST_FRAMES = 60


def preview(model: Model, recordings: Recordings, span: tuple[int, int], sample: Sampling) -> np.ndarray:
    """Pose, prediction and truth side by side, uint8 `(T, H, 3 W, 3)`, of the beginning of a recording.

    Args:
        model: In evaluation mode.
        recordings: Poses to follow and truth to show.
        span: First and one past the last frame of the recording.
        sample: Take the latent's prior `mean` or draw from the `prior`.
    """
    frames, poses = (
        clip[span[0] : min(span[1], span[0] + MOST_FRAMES)] for clip in (recordings.frames, recordings.poses)
    )
    sequence = PoseSequence("", frames[0], poses, None)
    predicted = [to_picture(frame[0]) for frame in predict(model, sequence, sample)]
    return np.concatenate([poses, np.stack([frames[0], *predicted]), frames], axis=2)
