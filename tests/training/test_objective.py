import torch

from cvae.models import PoseCVAE
from training.data import Batch
from training.objective import Objective


def batch(count: int = 2, frames: int = 3) -> Batch:
    pictures = torch.rand(count, 2 * frames + 2, 3, 16, 32, generator=torch.Generator().manual_seed(0))
    return Batch(pictures[:, 0], pictures[:, 1], pictures[:, 2 : 2 + frames], pictures[:, 2 + frames :])


def objective(model: PoseCVAE, **changes: float) -> Objective:
    return Objective(model, **({"withhold": 0.0, "previous_noise": 0.0, "prior_share": 0.0} | changes))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_losses_are_one_number_per_clip(tiny_model: PoseCVAE) -> None:
    losses = objective(tiny_model)(batch(), seeded())
    assert losses.reconstruction.shape == losses.kl.shape == (2,)
    assert (losses.reconstruction > 0).all()
    assert (losses.kl > 0).all()


def test_with_latents_as_used_the_error_is_that_of_a_free_rollout(tiny_model: PoseCVAE) -> None:
    given = batch(frames=4)
    losses = objective(tiny_model, prior_share=1.0)(given, seeded())
    previous, errors = given.frames[:, 0], []
    reference = tiny_model.encode_reference(given.reference, given.reference_pose)
    for t in range(1, 4):
        (context,) = tiny_model.encode_conditions(reference, given.poses[:, t : t + 1])
        step = tiny_model.encode_step(context, previous)
        previous = tiny_model.decode_step(step, step.prior.mean)
        errors.append((previous - given.frames[:, t]).square().mean(dim=(1, 2, 3)))
    torch.testing.assert_close(losses.reconstruction, torch.stack(errors).mean(0))


def test_a_withheld_previous_frame_is_not_seen(tiny_model: PoseCVAE) -> None:
    one = batch(frames=2)
    other = Batch(one.reference, one.reference_pose, one.frames.clone(), one.poses)
    other.frames[:, 0] = 0
    for share, same in ((1.0, True), (0.0, False)):
        a, b = (objective(tiny_model, withhold=share)(given, seeded()).reconstruction for given in (one, other))
        assert torch.allclose(a, b) == same


def test_gradients_reach_every_weight(tiny_model: PoseCVAE) -> None:
    losses = objective(tiny_model)(batch(), seeded())
    (losses.reconstruction + losses.kl).mean().backward()
    without = [name for name, p in tiny_model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []
