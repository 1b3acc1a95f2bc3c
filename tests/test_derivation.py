"""The claims of docs/derivation.md, computed with numbers."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from cvae.gaussian import Gaussian
from cvae.losses import kl_divergence, reconstruction_error
from cvae.metrics import psnr
from training.schedules import average_decay

FLAT = (1, -1, 1, 1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def log_density(gaussian: Gaussian, at: Tensor) -> Tensor:
    return Normal(gaussian.mean, (0.5 * gaussian.logvar).exp()).log_prob(at).flatten(1).sum(1)


def test_the_kl_divergence_is_the_mean_log_ratio_under_the_posterior() -> None:
    """Section 4, by Monte Carlo: within five standard errors of the estimate."""
    draws = 200_000
    posterior = Gaussian(random(1, 2, 1, 1, seed=1), random(1, 2, 1, 1, seed=2))
    prior = Gaussian(random(1, 2, 1, 1, seed=3), random(1, 2, 1, 1, seed=4))
    many = Gaussian(posterior.mean.expand(draws, -1, -1, -1), posterior.logvar)
    z = many.sample(seeded())
    ratios = log_density(posterior, z) - log_density(prior, z)
    assert abs(ratios.mean() - kl_divergence(posterior, prior)) < 5 * ratios.std() / draws**0.5


def test_against_the_standard_normal_the_divergence_has_its_short_form() -> None:
    posterior = Gaussian(random(3, 2, 4, 5, seed=1), random(3, 2, 4, 5, seed=2))
    standard = Gaussian(torch.zeros_like(posterior.mean), torch.zeros_like(posterior.mean))
    by_hand = 0.5 * (posterior.logvar.exp() + posterior.mean**2 - 1 - posterior.logvar).sum(dim=(1, 2, 3))
    torch.testing.assert_close(kl_divergence(posterior, standard), by_hand)


class LinearModel:
    """A model whose likelihood is known: frames of N values, Z latents, everything linear and Gaussian.

    The columns of `read_out` are orthogonal, so that the true posterior of a frame's latent is a diagonal Gaussian.
    """

    frames, values, latents, sigma = 3, 5, 2, 0.7

    def __init__(self) -> None:
        self.read_out = torch.linalg.qr(random(self.values, self.latents))[0] * torch.tensor([2.0, 0.8])  # (N, Z)
        self.carry = 0.5 * random(self.values, self.values, seed=1)  # (N, N)
        self.guess = random(self.latents, self.values, seed=2)  # (Z, N)
        self.prior_logvar = random(self.latents, seed=3)

    def prior(self, previous: Tensor) -> Gaussian:
        return Gaussian((self.guess @ previous).view(FLAT), self.prior_logvar.view(FLAT))

    def log_likelihood(self, clip: Tensor) -> float:
        """Of frames 1 to T given the true one before each, by integrating the latents out."""
        total = 0.0
        for previous, frame in pairwise(clip):
            mean = self.carry @ previous + self.read_out @ (self.guess @ previous)
            noise = self.sigma**2 * torch.eye(self.values, dtype=torch.float64)
            covariance = self.read_out @ self.prior_logvar.exp().diag() @ self.read_out.T + noise
            total += MultivariateNormal(mean, covariance).log_prob(frame).item()
        return total

    def log_likelihood_of_rollout(self, clip: Tensor) -> float:
        """Of frames 1 to T given frame 0, where each prediction and not the true frame is fed back."""
        mean, spread, means, spreads = clip[0], torch.zeros(self.values, 0, dtype=torch.float64), [], []
        transition = self.carry + self.read_out @ self.guess
        for _ in clip[1:]:
            fresh = self.read_out @ (0.5 * self.prior_logvar).exp().diag()
            mean, spread = transition @ mean, torch.cat([transition @ spread, fresh], dim=1)
            means.append(mean)
            spreads.append(spread)
        width = spreads[-1].shape[1]
        stacked = torch.cat([torch.nn.functional.pad(s, (0, width - s.shape[1])) for s in spreads])  # (T N, T Z)
        covariance = stacked @ stacked.T + self.sigma**2 * torch.eye(len(stacked), dtype=torch.float64)
        return MultivariateNormal(torch.cat(means), covariance).log_prob(clip[1:].flatten()).item()

    def true_posterior(self, previous: Tensor, frame: Tensor) -> Gaussian:
        strength = (self.read_out**2).sum(0) / self.sigma**2
        variance = 1 / (strength + (-self.prior_logvar).exp())
        evidence = self.read_out.T @ (frame - self.carry @ previous) / self.sigma**2
        mean = variance * (evidence + (self.guess @ previous) * (-self.prior_logvar).exp())
        return Gaussian(mean.view(FLAT), variance.log().view(FLAT))

    def elbo(self, clip: Tensor, posteriors: list[Gaussian]) -> float:
        """Section 2, its sum over frames; the expectation of the squared error is known for a linear decoder."""
        total = 0.0
        for previous, frame, posterior in zip(clip[:-1], clip[1:], posteriors, strict=True):
            prediction = self.carry @ previous + self.read_out @ posterior.mean.flatten()
            spread = ((self.read_out**2) @ posterior.logvar.exp().flatten()).sum()
            log_density = Independent(Normal(prediction, self.sigma), 1).log_prob(frame) - spread / (2 * self.sigma**2)
            total += (log_density - kl_divergence(posterior, self.prior(previous))).item()
        return total


def test_the_elbo_is_never_above_the_log_likelihood() -> None:
    model = LinearModel()
    for seed in range(50):
        clip = random(model.frames + 1, model.values, seed=seed)
        drawn = random(model.frames, 2, model.latents, seed=100 + seed)
        posteriors = [Gaussian(mean.view(FLAT), logvar.view(FLAT)) for mean, logvar in drawn]
        assert model.elbo(clip, posteriors) < model.log_likelihood(clip)


def test_the_elbo_is_the_log_likelihood_where_the_posterior_is_true_and_falls_short_by_its_divergence_elsewhere() -> (
    None
):
    model, clip = LinearModel(), random(4, 5, seed=9)
    true = [model.true_posterior(previous, frame) for previous, frame in pairwise(clip)]
    assert model.elbo(clip, true) == pytest.approx(model.log_likelihood(clip))
    other = [Gaussian(posterior.mean + 0.3, posterior.logvar - 0.5) for posterior in true]
    gap = sum(kl_divergence(a, b).item() for a, b in zip(other, true, strict=True))
    assert model.elbo(clip, other) == pytest.approx(model.log_likelihood(clip) - gap)


def test_a_rollout_has_an_elbo_too_whose_posterior_sees_frames_and_predictions() -> None:
    """Sections 1 and 2, with what is predicted fed back: the model is a state space, its frames together Gaussian.

    The mean of the weights p(x, z) / q(z) is the likelihood, so that nothing was left out of the bound.
    """
    model, clip, draws = LinearModel(), 0.5 * random(3, 5, seed=5), 100_000
    posterior_in = 0.2 * random(model.latents, 2 * model.values, seed=6)
    state = clip[:1].expand(draws, -1)
    elbo, log_weight = torch.zeros(draws, dtype=torch.float64), torch.zeros(draws, dtype=torch.float64)
    generator = seeded()
    for frame in clip[1:]:
        seen = torch.cat([state, frame.expand(draws, -1)], dim=1)
        prior = Gaussian(
            (state @ model.guess.T)[..., None, None], model.prior_logvar.view(FLAT).expand(draws, -1, 1, 1)
        )
        posterior = Gaussian(prior.mean + (seen @ posterior_in.T)[..., None, None], prior.logvar - 0.3)
        z = posterior.sample(generator)
        state = state @ model.carry.T + z.flatten(1) @ model.read_out.T
        log_density_of_frame = Normal(state, model.sigma).log_prob(frame).sum(1)
        elbo += log_density_of_frame - kl_divergence(posterior, prior)
        log_weight += log_density_of_frame + log_density(prior, z) - log_density(posterior, z)
    assert elbo.mean() < model.log_likelihood_of_rollout(clip) - 5 * elbo.std() / draws**0.5
    estimate = log_weight.logsumexp(0) - math.log(draws)
    assert estimate.item() == pytest.approx(model.log_likelihood_of_rollout(clip), abs=0.05)


def test_squared_error_plus_weighted_divergence_is_the_negative_elbo_of_a_model_with_that_noise() -> None:
    """Section 5: with `w = 2 sigma^2` they differ by a constant only."""
    weight, values = 0.01, 3 * 4 * 5
    sigma = math.sqrt(weight / 2)
    differences = []
    for seed in range(5):
        prediction, target = random(1, 3, 4, 5, seed=seed), random(1, 3, 4, 5, seed=10 + seed)
        divergence = kl_divergence(
            Gaussian(random(1, 2, 1, 1, seed=20 + seed), random(1, 2, 1, 1, seed=30 + seed)),
            Gaussian(torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)),
        )
        elbo = Normal(prediction, sigma).log_prob(target).sum() - divergence
        loss = reconstruction_error(prediction, target) + weight * divergence / values
        differences.append((loss + weight / values * elbo).item())
    assert differences == pytest.approx([differences[0]] * 5)


def test_a_latent_never_saves_more_of_the_squared_error_than_half_its_divergence() -> None:
    """Section 7, on random tables of 6 frames, 4 latents and 5 values: decoders that could not be better."""
    for seed in range(200):
        frames = torch.rand(6, 5, generator=seeded(seed), dtype=torch.float64).round(decimals=seed % 3)
        data = random(6, seed=seed).softmax(0)
        posterior = (4 * random(6, 4, seed=1000 + seed)).softmax(1)
        averaged = data @ posterior  # (4,), also the best prior
        divergence = (data[:, None] * posterior * (posterior / averaged).log()).sum()
        of_latent = (data[:, None] * posterior).T @ frames / averaged[:, None]  # (4, 5), E[x | z]
        saved = averaged @ (of_latent - data @ frames) ** 2
        assert (saved <= divergence / 2).all()


@pytest.mark.parametrize(("variance", "used"), [(0.3, 0.0), (0.5, 0.0), (2.0, 1.5)])
def test_a_direction_is_used_only_where_it_varies_more_than_the_assumed_noise(variance: float, used: float) -> None:
    """Section 7: the likelihood's maximum over `a^2`, for noise of variance 0.5."""
    candidates = torch.linspace(0, 4, 4001, dtype=torch.float64)
    explained = candidates + 0.5
    likelihood = -0.5 * (explained.log() + variance / explained)
    assert candidates[likelihood.argmax()].item() == pytest.approx(used, abs=1e-3)


def test_noise_on_the_previous_frame_is_a_price_on_the_derivative() -> None:
    """Section 11, for a linear prediction, by Monte Carlo."""
    jacobian, x, y, spread, draws = random(4, 4), random(4, seed=1), random(4, seed=2), 0.3, 200_000
    noise = spread * random(draws, 4, seed=3)
    errors = (((x + noise) @ jacobian.T - y) ** 2).sum(1)
    expected = ((jacobian @ x - y) ** 2).sum() + spread**2 * (jacobian**2).sum()
    assert abs(errors.mean() - expected) < 5 * errors.std() / draws**0.5


def test_the_average_weighs_each_step_by_a_power_of_its_place() -> None:
    """Section 12: what the decays come to is the difference of two powers."""
    steps, gamma = 50, 16.0
    weights: list[float] = []
    for step in range(steps):
        decay = average_decay(step, gamma)
        weights = [*(decay * weight for weight in weights), 1 - decay]
    expected = [(s ** (gamma + 1) - (s - 1) ** (gamma + 1)) / steps ** (gamma + 1) for s in range(1, steps + 1)]
    assert weights == pytest.approx(expected)


def test_a_perfect_draw_has_twice_the_error_of_the_mean_which_is_three_decibels() -> None:
    """Section 13, for frames of many values that are equally uncertain."""
    truth, drawn = (0.5 + 0.1 * random(1, 1, 400, 500, seed=seed) for seed in (1, 2))
    mean = torch.full_like(truth, 0.5)
    assert (psnr(mean, truth) - psnr(drawn, truth)).item() == pytest.approx(10 * math.log10(2), abs=0.05)
