import numpy as np

from cvae.generate import to_picture
from cvae.models import PoseCVAE
from tests.conftest import moving_square
from training.data.clips import Recordings
from training.evaluation.evaluate import predict
from training.evaluation.sequences import Sequence
from training.preview import preview


def test_pose_prediction_and_truth_stand_side_by_side_and_latents_are_drawn_as_asked(tiny_model: PoseCVAE) -> None:
    frames, poses = moving_square(6)
    for sample in ("mean", "prior"):
        shown = preview(tiny_model, Recordings(frames, poses, [(0, 6)]), [(1, 5)], sample)
        predicted = predict(tiny_model, Sequence("", frames[1:2], poses[1:5], None), sample)
        assert np.array_equal(shown[:, :, :32], poses[1:5])
        assert np.array_equal(shown[1:, :, 32:64], np.stack([to_picture(frame[0]) for frame in predicted]))
        assert np.array_equal(shown[:, :, 64:], frames[1:5])
