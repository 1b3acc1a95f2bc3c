import torch

from cvae.gaussian import Gaussian


def test_samples_have_the_mean_and_variance_asked_for() -> None:
    gaussian = Gaussian(torch.full((40, 1, 50, 50), 3.0), torch.full((40, 1, 50, 50), 0.5).log())
    drawn = gaussian.sample(torch.Generator().manual_seed(0))
    assert abs(drawn.mean() - 3) < 0.01
    assert abs(drawn.var() - 0.5) < 0.01


def test_a_seed_repeats_the_draw_and_another_does_not() -> None:
    gaussian = Gaussian(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3))
    first, again, other = (gaussian.sample(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_gradients_reach_mean_and_variance() -> None:
    mean, logvar = torch.zeros(1, 1, 2, 2, requires_grad=True), torch.zeros(1, 1, 2, 2, requires_grad=True)
    Gaussian(mean, logvar).sample(torch.Generator().manual_seed(0)).square().sum().backward()
    assert mean.grad is not None
    assert mean.grad.abs().sum() > 0
    assert logvar.grad is not None
    assert logvar.grad.abs().sum() > 0
