from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from cvae.config import Lab4Config
from cvae.errors import InputError
from cvae.models import Model, PoseCVAE, build_model
from tests.conftest import drawn
from training.data.clips import Batch
from training.dice import Dice
from training.objective import Objective, ObjectiveConfig
from training.strategies import specify_histogram


def batch(count: int = 2, frames: int = 3) -> Batch:
    pictures = torch.rand(count, 2 * frames + 2, 3, 16, 32, generator=torch.Generator().manual_seed(0))
    return Batch(pictures[:, 0], pictures[:, 1], pictures[:, 2 : 2 + frames], pictures[:, 2 + frames :])


def objective(model: Model, per_value: bool = True, **changes: Any) -> Objective:
    plain: dict[str, Any] = {"withhold": 0.0, "previous_noise": 0.0, "prior_share": 0.0}
    return Objective(model, ObjectiveConfig(**(plain | changes)), kl_per_value=per_value)


def dice(count: int = 2) -> Dice:
    return Dice(0, range(count))


def test_losses_are_one_number_per_clip(tiny_model: PoseCVAE) -> None:
    losses = objective(tiny_model)(batch(), dice())
    assert losses.reconstruction.shape == losses.kl.shape == (2,)
    assert (losses.reconstruction > 0).all()
    assert (losses.kl > 0).all()


@pytest.mark.parametrize(
    ("options", "feed_back"),
    [
        ({}, lambda predicted, true, fed_before: predicted),
        ({"share_of_truth": 1.0}, lambda predicted, true, fed_before: true),
        ({"share_of_truth": 0.25}, lambda predicted, true, fed_before: 0.25 * true + 0.75 * predicted),
        ({"match_histograms": True}, lambda predicted, true, fed_before: specify_histogram(predicted, fed_before)),
    ],
    ids=["free", "teacher forcing", "blend", "histograms"],
)
def test_with_latents_as_used_the_error_is_that_of_a_rollout_that_is_fed(
    options: dict[str, Any], feed_back: Callable[..., Tensor], tiny_model: PoseCVAE
) -> None:
    given = batch(frames=4)
    losses = objective(tiny_model, prior_share=1.0)(given, dice(), **options)
    previous, errors = given.frames[:, 0], []
    reference = tiny_model.encode_reference(given.reference, given.reference_condition)
    for t in range(1, 4):
        (context,) = tiny_model.encode_conditions(reference, given.conditions[:, t : t + 1])
        step = tiny_model.encode_step(context, previous)
        predicted = drawn(tiny_model, step, step.prior.mean)
        errors.append((predicted - given.frames[:, t]).square().mean(dim=(1, 2, 3)))
        previous = feed_back(predicted, given.frames[:, t], previous)
    torch.testing.assert_close(losses.reconstruction, torch.stack(errors).mean(0))


def test_a_withheld_previous_frame_is_not_seen(tiny_model: PoseCVAE) -> None:
    one = batch(frames=2)
    other = Batch(one.reference, one.reference_condition, one.frames.clone(), one.conditions)
    other.frames[:, 0] = 0
    for share, same in ((1.0, True), (0.0, False)):
        a, b = (objective(tiny_model, withhold=share)(given, dice()).reconstruction for given in (one, other))
        assert torch.allclose(a, b) == same


def test_gradients_reach_every_weight(tiny_model: PoseCVAE) -> None:
    losses = objective(tiny_model)(batch(), dice())
    (losses.reconstruction + losses.kl).mean().backward()
    without = [name for name, p in tiny_model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


def test_losses_are_summed_and_counted_per_frame_for_the_lab(tiny_model: PoseCVAE) -> None:
    given = batch(frames=4)
    mean = objective(tiny_model)(given, dice())
    summed = objective(tiny_model, per_value=False, sum_frames=True)(given, dice())
    torch.testing.assert_close(summed.reconstruction, 3 * mean.reconstruction)
    torch.testing.assert_close(summed.kl, 3 * mean.kl * given.frames[0, 0].numel())


def test_the_labs_network_is_trained_by_the_same_objective() -> None:
    torch.manual_seed(0)
    model = build_model(Lab4Config(frame_channels=16, label_channels=8, latent_channels=4, decoder_channels=16)).train()
    losses = objective(model, per_value=False, sum_frames=True)(batch(), dice())
    (losses.reconstruction + losses.kl).mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


def test_two_halves_of_a_batch_have_the_losses_of_the_whole(tiny_model: PoseCVAE) -> None:
    given = batch(count=4)
    whole = objective(tiny_model, withhold=0.5, previous_noise=0.1)(given, Dice(3, range(8, 12)))
    for half in (slice(0, 2), slice(2, 4)):
        part = Batch(
            *(getattr(given, name)[half] for name in ("reference", "reference_condition", "frames", "conditions"))
        )
        losses = objective(tiny_model, withhold=0.5, previous_noise=0.1)(part, Dice(3, range(8, 12)[half]))
        torch.testing.assert_close(losses.reconstruction, whole.reconstruction[half])
        torch.testing.assert_close(losses.kl, whole.kl[half])


def test_shares_are_checked() -> None:
    with pytest.raises(InputError, match=r"--objective.prior-share is a share from 0 to 1; got 1.5"):
        ObjectiveConfig(prior_share=1.5)
