"""A moving picture of how far a network is."""

from itertools import islice

import numpy as np

from cvae.borders import TRUE, bordered, bordered_video
from cvae.gaussian import Sampling
from cvae.generate import to_picture
from cvae.models import Model
from training.data.clips import Recordings
from training.evaluation.evaluate import predict
from training.evaluation.sequences import Sequence, sequence_of

MOST_FRAMES = 60
MOST_ROBOTS = 4


def preview(model: Model, recordings: Recordings, spans: list[tuple[int, int]], sample: Sampling) -> np.ndarray:
    """The beginning of a recording, or a robot's of a few: prediction and truth side by side.

    Args:
        model: In evaluation mode.
        recordings: Conditions to follow and truth to show.
        spans: First and one past the last frame of each recording.
        sample: Take the latent's prior `mean` or draw from the `prior`.

    Returns:
        uint8 `(T, H, 3 W, 3)`: pose, prediction and truth; of a robot prediction and truth of each recording, in
        borders that tell given, predicted and true frames apart.
    """
    past, posed = model.config.past_frames, model.config.condition == "poses"
    chosen = [(a, min(b, a + MOST_FRAMES)) for a, b in (spans[:1] if posed else spans[:MOST_ROBOTS])]
    sequences = [sequence_of(recordings, span, past) for span in chosen]
    videos = [np.concatenate([one.given, _predicted(model, one, sample)]) for one in sequences]
    if posed:
        (one,), (video,) = sequences, videos
        return np.concatenate([one.conditions[:], video, one.truth[:]], axis=2)  # type: ignore[index]
    shown = min(map(len, videos))
    columns = []
    for one, video in zip(sequences, videos, strict=True):
        columns += [bordered_video(video[:shown], past), bordered(one.truth[:shown], TRUE)]  # type: ignore[index]
    return np.concatenate(columns, axis=2)


def _predicted(model: Model, sequence: Sequence, sample: Sampling) -> np.ndarray:
    frames = islice(predict(model, sequence, sample), sequence.future)
    return np.stack([to_picture(frame[0]) for frame in frames])
