"""How good a checkpoint is: free rollouts from the first frame, compared with the truth."""

import torch

from cvae.generate import to_tensor
from cvae.metrics import psnr
from cvae.models import PoseCVAE
from cvae.rollout import rollout
from training.data import Recordings

MAX_RECORDINGS = 8


def rollout_psnr(model: PoseCVAE, recordings: Recordings, frames: int, device: torch.device) -> float:
    """Mean PSNR over the predicted frames of up to eight recordings, evenly spaced over all of them.

    Args:
        model: In evaluation mode.
        recordings: Poses to follow and truth to compare with.
        frames: Predicted at most, over all recordings.
        device: Where the model is.

    Returns:
        dB, the mean over recordings of the mean over frames.
    """
    chosen = recordings.spans[:: -(-len(recordings.spans) // MAX_RECORDINGS)]
    share = max(2, frames // len(chosen))
    scores = []
    for a, b in chosen:
        rows = slice(a, min(b, a + share))
        truth = to_tensor(recordings.frames[rows]).to(device)
        poses = to_tensor(recordings.poses[rows]).to(device)
        predicted = torch.cat(list(rollout(model, truth[:1], poses[None])))
        scores.append(psnr(predicted, truth[1:]).mean().item())
    return sum(scores) / len(scores)
