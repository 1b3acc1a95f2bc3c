from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cvae.config import Lab4Config
from cvae.losses import kl_divergence, reconstruction_error
from cvae.models import Lab4CVAE, build_model
from cvae.rollout import rollout
from tests.conftest import drawn

TINY = {"frame_channels": 8, "label_channels": 4, "latent_channels": 4, "decoder_channels": 8}


def tiny(**changes: bool) -> Lab4CVAE:
    torch.manual_seed(0)
    model = build_model(Lab4Config(**TINY, **changes))
    assert isinstance(model, Lab4CVAE)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def pictures(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def next_frame(model: Lab4CVAE, previous: Tensor, pose: Tensor, latent: Tensor) -> Tensor:
    (context,) = model.encode_conditions(None, pose[:, None])
    return drawn(model, model.encode_step(context, previous), latent)


class Reference:
    """What the lab's network answers to the checkpoint with random weights."""

    def __init__(self, folder: Path) -> None:
        self.arrays = np.load(folder / "expected.npz")
        self.weights = torch.load(folder / "random.ckpt", weights_only=True)["state_dict"]

    def model(self, **changes: bool) -> Lab4CVAE:
        model = Lab4CVAE(Lab4Config(**changes)).eval()
        model.load_state_dict(self.weights)
        return model

    def pictures(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name]).movedim(-1, -3).float()[None] / 255

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])


@pytest.fixture(scope="module")
def reference(evaluation_data: Path) -> Reference:
    return Reference(evaluation_data / "lab4_checkpoint")


@pytest.mark.parametrize("sigmoid", [False, True])
@pytest.mark.parametrize("running", [False, True])
@torch.inference_mode()
def test_roll_outs_are_those_of_the_lab(reference: Reference, running: bool, sigmoid: bool) -> None:
    model = reference.model(running_statistics=running, sigmoid=sigmoid)
    frame, poses, latents = reference.pictures("first_frame"), reference.pictures("poses"), reference.tensor("latents")
    expected = reference.tensor(f"frames_{'running' if running else 'batch'}_{'sigmoid' if sigmoid else 'none'}")
    contexts = model.encode_conditions(None, poses[:, 1:])
    for t, context in enumerate(contexts):
        frame = drawn(model, model.encode_step(context, frame), latents[t : t + 1])
        torch.testing.assert_close(frame[0], expected[t], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_the_posterior_on_running_statistics_is_that_of_the_lab(reference: Reference) -> None:
    model = reference.model(running_statistics=True)
    frame, poses = reference.pictures("first_frame"), reference.pictures("poses")
    (context,) = model.encode_conditions(None, poses[:, 1:2])
    posterior, _ = model.posterior(model.encode_step(context, torch.zeros_like(frame)), frame)
    torch.testing.assert_close(posterior.mean, reference.tensor("posterior_mean"), atol=1e-5, rtol=0)
    torch.testing.assert_close(posterior.logvar, reference.tensor("posterior_logvar"), atol=1e-5, rtol=0)


def test_the_network_has_as_many_weights_as_the_lab_counts() -> None:
    assert sum(parameter.numel() for parameter in Lab4CVAE(Lab4Config()).parameters()) == 1_585_620


@pytest.mark.parametrize("running", [False, True])
@torch.inference_mode()
def test_many_poses_at_once_are_encoded_as_one_by_one(running: bool) -> None:
    model, poses = tiny(running_statistics=running), pictures(2, 3, 3, 16, 32)
    for t, context in enumerate(model.encode_conditions(None, poses)):
        for b in range(2):
            (alone,) = model.encode_conditions(None, poses[b : b + 1, t : t + 1])
            torch.testing.assert_close(context[b : b + 1], alone, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_in_use_a_picture_is_normalised_as_in_training_by_itself() -> None:
    model, poses = tiny(), pictures(1, 2, 3, 16, 32)
    in_use = model.encode_conditions(None, poses)
    for ours, theirs in zip(in_use, model.train().encode_conditions(None, poses), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@torch.no_grad()
def test_training_normalises_each_frame_over_the_batch_and_keeps_running_statistics() -> None:
    model, poses = tiny().train(), pictures(3, 2, 3, 8, 8)
    convolution, norm = model.label_transformation[1], model.label_transformation[2]
    mean, variance = torch.zeros(2), torch.ones(2)
    for t in range(2):
        h = convolution(torch.nn.functional.pad(poses[:, t], (3, 3, 3, 3), mode="reflect"))
        mean = 0.9 * mean + 0.1 * h.mean(dim=(0, 2, 3))
        variance = 0.9 * variance + 0.1 * h.var(dim=(0, 2, 3))
    together = model.encode_conditions(None, poses)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    (alone,) = model.encode_conditions(None, poses[:1, :1])
    assert not torch.allclose(together[0][:1], alone, atol=1e-3)


@torch.inference_mode()
def test_the_prior_is_the_standard_normal() -> None:
    model, frame = tiny(), pictures(2, 3, 8, 16)
    (context,) = model.encode_conditions(None, frame[:, None])
    prior = model.encode_step(context, frame).prior
    assert torch.equal(prior.mean, torch.zeros(2, 4, 8, 16))
    assert torch.equal(prior.logvar, torch.zeros(2, 4, 8, 16))


@torch.inference_mode()
def test_previous_frame_pose_and_latent_all_change_the_frame() -> None:
    model, a, b = tiny(), pictures(1, 3, 8, 16), 1 - pictures(1, 3, 8, 16)
    zeros = torch.zeros(1, 4, 8, 16)
    frame = next_frame(model, a, a, zeros)
    for other in (next_frame(model, b, a, zeros), next_frame(model, a, b, zeros), next_frame(model, a, a, zeros + 1)):
        assert not torch.allclose(frame, other, atol=1e-4)


@torch.inference_mode()
def test_the_sigmoid_stands_behind_the_generator() -> None:
    previous, pose, latent = pictures(3, 1, 3, 8, 16)[0], pictures(1, 3, 8, 16), torch.zeros(1, 4, 8, 16)
    plain = next_frame(tiny(), previous, pose, latent)
    torch.testing.assert_close(next_frame(tiny(sigmoid=True), previous, pose, latent), plain.sigmoid())


@torch.inference_mode()
def test_a_withheld_previous_frame_is_not_seen() -> None:
    model, frames = tiny(), pictures(2, 3, 8, 16)
    (context,) = model.encode_conditions(None, frames[:, None])
    withheld = torch.tensor([True, False])
    a = model.encode_step(context, frames, None, withheld).frame_features
    b = model.encode_step(context, 1 - frames, None, withheld).frame_features
    assert torch.equal(a[0], b[0])
    assert not torch.allclose(a[1], b[1])


@torch.inference_mode()
def test_sequences_of_a_batch_do_not_mix() -> None:
    model, frame, poses = tiny(), pictures(2, 3, 8, 16), pictures(2, 4, 3, 8, 16)
    together = list(rollout(model, frame[:, None], poses))
    alone = list(rollout(model, frame[1:, None], poses[1:]))
    assert len(together) == 3
    for a, b in zip(together, alone, strict=True):
        torch.testing.assert_close(a[1:], b, atol=1e-5, rtol=0)


def test_gradients_of_a_clip_reach_every_weight() -> None:
    model, frames, poses = tiny().train(), pictures(2, 3, 3, 8, 16), 1 - pictures(2, 2, 3, 8, 16)
    previous, loss = frames[:, 0], torch.zeros(())
    for context, target in zip(model.encode_conditions(None, poses), frames[:, 1:].unbind(1), strict=True):
        step = model.encode_step(context, previous)
        posterior, step = model.posterior(step, target)
        previous = drawn(model, step, posterior.sample(torch.Generator().manual_seed(0)))
        loss = loss + reconstruction_error(previous, target).mean() + kl_divergence(posterior, step.prior).mean()
    loss.backward()
    unreached = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert unreached <= {"label_transformation.1.bias"}  # the normalisation behind it takes it away, in the lab too


def test_a_posterior_without_bounds_keeps_a_finite_variance() -> None:
    model, frame = tiny(), pictures(1, 3, 8, 16)
    model.Gaussian_Predictor[-1].bias.data.fill_(1e4)
    (context,) = model.encode_conditions(None, frame[:, None])
    assert model.posterior(model.encode_step(context, frame), frame)[0].logvar.exp().isfinite().all()


@pytest.mark.parametrize("name", ["frame_channels", "label_channels", "latent_channels", "decoder_channels"])
def test_sizes_without_sense_are_refused(name: str) -> None:
    for size in (1, 10**6):
        with pytest.raises(ValueError, match=f"{name} is [248] to 512; got {size}"):
            Lab4Config(**{name: size})
