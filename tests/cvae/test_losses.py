import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as torch_kl

from cvae.gaussian import Gaussian
from cvae.losses import kl_divergence, reconstruction_error


def gaussian(seed: int) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    return Gaussian(torch.randn(3, 2, 4, 5, generator=generator), torch.randn(3, 2, 4, 5, generator=generator))


def test_kl_is_zero_when_posterior_equals_prior() -> None:
    assert torch.equal(kl_divergence(gaussian(0), gaussian(0)), torch.zeros(3))


def test_kl_equals_that_of_torch_distributions() -> None:
    q, p = gaussian(0), gaussian(1)
    expected = torch_kl(Normal(q.mean, (q.logvar / 2).exp()), Normal(p.mean, (p.logvar / 2).exp()))
    torch.testing.assert_close(kl_divergence(q, p), expected.sum(dim=(1, 2, 3)))


def test_kl_is_never_below_zero() -> None:
    assert all((kl_divergence(gaussian(i), gaussian(i + 1)) >= 0).all() for i in range(20))


def test_kl_refuses_other_shapes() -> None:
    small = Gaussian(torch.zeros(3, 2, 1, 1), torch.zeros(3, 2, 1, 1))
    with pytest.raises(ValueError, match=r"posterior is \(3, 2, 4, 5\), prior is \(3, 2, 1, 1\)"):
        kl_divergence(gaussian(0), small)


def test_reconstruction_error_is_the_mean_square_by_hand() -> None:
    prediction = torch.tensor([0.0, 0.5, 1.0, 0.25]).reshape(1, 1, 2, 2)
    assert reconstruction_error(prediction, torch.zeros(1, 1, 2, 2)).item() == pytest.approx((0.25 + 1 + 0.0625) / 4)


def test_reconstruction_error_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match="prediction is"):
        reconstruction_error(torch.zeros(2, 3, 4, 4), torch.zeros(1, 3, 4, 4))
