"""The claims of docs/derivation.md, computed with numbers."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal
from torch.distributions import kl_divergence as divergence_of_torch

from cvae.config import Config, DataConfig, SVGConfig, SVGOptions
from cvae.gaussian import Gaussian
from cvae.losses import kl_divergence, reconstruction_error
from cvae.metrics import psnr
from cvae.models import SVG, build_model
from cvae.rollout import rollout
from tests.conftest import random_model
from training.data.clips import Batch
from training.dice import Dice
from training.objective import Losses, Objective, ObjectiveConfig
from training.presets import svg_lp
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


class RecurrentModel:
    """Section 2 with a memory: linear and Gaussian, with three frames to predict of which the first ones may be given.

    Args:
        given: How many frames are true in what is fed back.
    """

    frames, values, latents, sigma = 3, 3, 2, 1.0

    def __init__(self, given: int) -> None:
        self.given = given
        self.guess, self.posterior_in = (0.4 * random(self.values, self.latents, seed=seed) for seed in (1, 2))
        self.carry = 0.5 * random(self.values, self.values, seed=3)
        self.read_out = 0.5 * random(self.latents, self.values, seed=4)
        self.prior_logvar = random(self.latents, seed=5)

    def prior_mean(self, seen: list[Tensor]) -> Tensor:
        return sum(0.5**age * frame for age, frame in enumerate(reversed(seen))) @ self.guess

    def predict(self, seen: list[Tensor], latents: list[Tensor]) -> Tensor:
        memory = sum(0.6**age * z for age, z in enumerate(reversed(latents)))
        return seen[-1] @ self.carry + memory @ self.read_out

    def make(self, noise: Tensor, first: Tensor) -> Tensor:
        """Frames 1 to T, one after the other, from noise `(T, Z + N)` for latents and frames; linear in the noise."""
        seen, latents, frames = [first], [], []
        for of_latent, of_frame in zip(noise[:, : self.latents], noise[:, self.latents :], strict=True):
            latents.append(self.prior_mean(seen) + (0.5 * self.prior_logvar).exp() * of_latent)
            predicted = self.predict(seen, latents)
            frames.append(predicted + self.sigma * of_frame)
            seen.append(frames[-1] if len(seen) < self.given else predicted)
        return torch.stack(frames)

    def log_likelihood(self, clip: Tensor) -> float:
        """Of frames 1 to T given frame 0: all of them together are a linear function of the noise."""
        none = torch.zeros(self.frames, self.latents + self.values, dtype=torch.float64)
        slope = torch.autograd.functional.jacobian(lambda noise: self.make(noise, clip[0]), none)
        slope = slope.reshape(self.frames * self.values, -1)
        density = MultivariateNormal(self.make(none, clip[0]).flatten(), slope @ slope.T)
        return density.log_prob(clip[1:].flatten()).item()


@pytest.mark.parametrize("given", [1, 2, 4])
def test_a_recurrent_model_has_an_elbo_whichever_frames_are_fed_back_and_whose_posterior_sees_true_ones(
    given: int,
) -> None:
    """Section 2: with 4 the true frames are fed back throughout, as in teacher forcing, with 1 none but the first."""
    model, clip, draws = RecurrentModel(given), 0.5 * random(4, 3, seed=5), 100_000
    seen, latents = [clip[:1].expand(draws, -1)], []
    elbo, log_weight = torch.zeros(draws, dtype=torch.float64), torch.zeros(draws, dtype=torch.float64)
    generator = seeded()
    for t in range(1, 4):
        prior = Gaussian(model.prior_mean(seen), model.prior_logvar.expand(draws, -1))
        true = sum(0.7**age * frame for age, frame in enumerate(reversed(clip[1 : t + 1])))
        posterior = Gaussian((true @ model.posterior_in).expand(draws, -1), prior.logvar)
        latents.append(posterior.sample(generator))
        predicted = model.predict(seen, latents)
        log_density_of_frame = Normal(predicted, model.sigma).log_prob(clip[t]).sum(1)
        elbo += log_density_of_frame - kl_divergence(posterior, prior)
        log_weight += log_density_of_frame + log_density(prior, latents[-1]) - log_density(posterior, latents[-1])
        seen.append(clip[t].expand(draws, -1) if t < given else predicted)
    assert elbo.mean() < model.log_likelihood(clip) - 5 * elbo.std() / draws**0.5
    ratios = (log_weight - model.log_likelihood(clip)).exp()
    assert abs(ratios.mean() - 1) < 5 * ratios.std() / draws**0.5 < 0.05


def svg(prior: str = "learned", past: int = 3) -> SVG:
    options = SVGOptions(
        prior=prior,  # type: ignore[arg-type]
        past_frames=past,
        patch_size=1,
        widths=(8, 8),
        feature_channels=12,
        latent_channels=3,
        hidden_channels=16,
    )
    config = SVGConfig(options=options, coarsest=(2, 2), low=(-1.0,) * 7, high=(1.0,) * 7)
    model = random_model(Config(model=config, data=DataConfig(height=8, width=8)))
    assert isinstance(model, SVG)
    with torch.no_grad():
        for layer in (model.predictor.inward, model.predictor.outward, model.decoder.start, model.decoder.out):
            layer.weight *= 5  # so that a latent changes the frame
    return model


def robots(frames: int) -> Batch:
    generator = seeded()
    clips = torch.rand(2, frames, 3, 8, 8, generator=generator)
    numbers = 2 * torch.rand(2, frames, 7, generator=generator) - 1
    return Batch(clips[:, 0], numbers[:, 0], clips, numbers)


def losses_of(model: SVG, batch: Batch, prior_share: float = 0.0) -> Losses:
    config = ObjectiveConfig(prior_share=prior_share, withhold=0.0, previous_noise=0.0, sum_frames=True)
    return Objective(model, config, kl_per_value=False)(batch, Dice(0, range(2)))


def test_given_frames_pay_their_divergence_too() -> None:
    """Section 2: frames 0 to 2 are given and 3 is predicted; what all three priors see is true."""
    model, batch = svg(past=3), robots(4)
    contexts = model.encode_conditions(None, batch.conditions[:, 1:])
    views = model.encode_frames(batch.frames, given=True)
    memory, expected = None, torch.zeros(2)
    for context, before, view in zip(contexts, views[:-1], views[1:], strict=True):
        prior = model.encode_step(context, before, memory).prior
        posterior, step = model.posterior(model.encode_step(context, before, memory), view)
        of_torch = (Normal(of.mean, (of.logvar / 2).exp()) for of in (posterior, prior))
        expected += divergence_of_torch(*of_torch).sum(1)
        _, memory = model.decode_step(step, torch.randn(2, 3, generator=seeded()))
    torch.testing.assert_close(losses_of(model, batch).kl, expected)
    assert (expected > 0).all()


def test_given_frames_take_their_latents_from_the_posterior_in_training_and_in_use() -> None:
    """Sections 2 and 9: the share of latents as used is one of predicted frames."""
    model = svg(past=3)
    for frames, same in ((3, True), (4, False)):
        drawn, as_used = (losses_of(model, robots(frames), share).reconstruction for share in (0.0, 1.0))
        assert torch.equal(drawn, as_used) == same
    batch = robots(4)
    contexts = model.encode_conditions(None, batch.conditions[:, 1:])
    views, memory = model.encode_frames(batch.frames[:, :3], given=True), None
    for number, (context, view) in enumerate(zip(contexts, views, strict=True), start=1):
        step = model.encode_step(context, view, memory)
        latent = step.prior
        if number < 3:
            latent, step = model.posterior(step, views[number])
        sketch, memory = model.decode_step(step, latent.mean)
    (in_use,) = rollout(model, batch.frames[:, :3], batch.conditions)
    torch.testing.assert_close(in_use, model.draw_frames([sketch])[:, 0])


def test_the_prior_sees_what_is_fed_back_and_the_posterior_what_is_true() -> None:
    """Section 2: frames 0 to 2 are given, and the prior of frame 4 depends on what became of frame 3."""
    model, batch = svg(past=3), robots(5)
    contexts, views = (
        model.encode_conditions(None, batch.conditions[:, 1:]),
        model.encode_frames(batch.frames, given=True),
    )
    seen = {}
    for fed_back in ("true", "predicted"):
        memory, view = None, views[0]
        for number, context in enumerate(contexts, start=1):
            posterior, step = model.posterior(model.encode_step(context, view, memory), views[number])
            sketch, memory = model.decode_step(step, posterior.mean)
            true = number < 3 or fed_back == "true"
            view = views[number] if true else model.encode_frames(model.draw_frames([sketch]), given=False)[0]
        seen[fed_back] = step.prior.mean, posterior.mean
    assert not torch.allclose(seen["true"][0], seen["predicted"][0])
    torch.testing.assert_close(seen["true"][1], seen["predicted"][1])


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


def test_a_divergence_is_what_the_latent_tells_and_how_far_its_average_is_from_the_prior() -> None:
    """Section 6, on a random table of 3 pasts, 4 frames and 5 latents; by sums over all of it."""
    data = random(3, 4, seed=1).flatten().softmax(0).view(3, 4)  # p(h, x)
    posterior = random(3, 4, 5, seed=2).softmax(2)
    joint, past = data[..., None] * posterior, data.sum(1)  # p(h, x, z)
    averaged = joint.sum(1) / past[:, None]  # q(z | h)
    told = (joint * (posterior / averaged[:, None]).log()).sum()
    learned, fixed = random(3, 5, seed=3).softmax(1), random(5, seed=4).softmax(0)
    off = (past[:, None] * averaged * (averaged / learned).log()).sum()
    torch.testing.assert_close((joint * (posterior / learned[:, None]).log()).sum(), told + off)
    whole = past @ averaged  # q(z)
    told_of_past = (past[:, None] * averaged * (averaged / whole).log()).sum()
    off = told_of_past + (whole * (whole / fixed).log()).sum()
    torch.testing.assert_close((joint * (posterior / fixed).log()).sum(), told + off)


def best_prior(posteriors: Gaussian) -> Gaussian:
    """Section 6, of `(n, Z)`: the mean of means and the total variance."""
    variance = posteriors.logvar.exp().mean(0) + posteriors.mean.var(0, correction=0)
    return Gaussian(posteriors.mean.mean(0)[None], variance.log()[None])


def cost(posteriors: Gaussian, prior: Gaussian) -> Tensor:
    return kl_divergence(
        posteriors, Gaussian(*(x.expand_as(posteriors.mean) for x in (prior.mean, prior.logvar)))
    ).mean()


def test_the_best_prior_has_the_moments_of_the_averaged_posterior() -> None:
    """Section 6: where the gradient of the cost ends, and no Gaussian around it is better."""
    posteriors = Gaussian(random(40, 3, seed=1), random(40, 3, seed=2))
    found = torch.zeros(2, 1, 3, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([found], max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure() -> float:
        search.zero_grad()
        loss = cost(posteriors, Gaussian(found[0], found[1]))
        loss.backward()
        return loss.item()

    search.step(closure)
    best = best_prior(posteriors)
    torch.testing.assert_close(found.detach(), torch.stack([best.mean, best.logvar]), atol=1e-5, rtol=0)
    least = 0.5 * (best.logvar - posteriors.logvar.mean(0)).sum()
    torch.testing.assert_close(cost(posteriors, best), least)


def test_any_other_prior_costs_more_by_its_own_divergence_from_the_best() -> None:
    """Section 6, with torch's divergence of normals; of the fixed prior also by the short form."""
    posteriors = Gaussian(random(40, 3, seed=1), random(40, 3, seed=2))
    best = best_prior(posteriors)
    of_torch = Normal(best.mean, (best.logvar / 2).exp())
    for seed in range(5):
        other = Gaussian(random(1, 3, seed=10 + seed), random(1, 3, seed=20 + seed))
        more = divergence_of_torch(of_torch, Normal(other.mean, (other.logvar / 2).exp())).sum()
        torch.testing.assert_close(cost(posteriors, other) - cost(posteriors, best), more)
    fixed = Gaussian(torch.zeros(1, 3), torch.zeros(1, 3))
    more = 0.5 * (best.logvar.exp() + best.mean**2 - 1 - best.logvar).sum()
    torch.testing.assert_close(cost(posteriors, fixed) - cost(posteriors, best), more)


@pytest.mark.parametrize("prior", ["learned", "fixed"])
def test_stretching_and_shifting_the_latent_changes_nothing_unless_the_prior_is_fixed(prior: str) -> None:
    """Section 6, in the network itself: `z' = a z + b` in what gives latents, undone in what takes them."""
    model, batch = svg(prior), robots(5)
    before = losses_of(model, batch)
    a, b, g = torch.tensor([0.5, 2.0, 3.0]), torch.tensor([1.0, -2.0, 0.3]), 12
    with torch.no_grad():
        for gives in (model.posterior_lstm, model.prior_lstm):
            if gives is not None:
                gives.outward.weight[:3] *= a[:, None]
                gives.outward.bias.copy_(
                    torch.cat([a * gives.outward.bias[:3] + b, gives.outward.bias[3:] + 2 * a.log()])
                )
        takes = model.predictor.inward
        takes.weight[:, g : g + 3] /= a
        takes.bias -= takes.weight[:, g : g + 3] @ b
    after = losses_of(model, batch)
    torch.testing.assert_close(after.reconstruction, before.reconstruction)
    assert torch.allclose(after.kl, before.kl, rtol=1e-4) == (prior == "learned")


def test_a_latent_that_starts_narrow_costs_little_beside_a_learned_prior_and_much_beside_a_fixed_one() -> None:
    """Section 6, of an untrained network: about 1.51 nats for each element beside the standard normal."""
    found = {}
    for prior in ("learned", "fixed"):
        torch.manual_seed(0)
        losses = losses_of(build_model(svg(prior).config).eval(), robots(5))
        found[prior] = losses.kl.mean().item() / (4 * 3)
    assert found["fixed"] == pytest.approx(0.5 * (math.exp(-4) - 1 + 4), abs=0.1)
    assert found["learned"] < found["fixed"] / 2


def test_a_decoder_of_one_strength_pays_jensens_gap_where_the_prior_is_fixed() -> None:
    """Section 6: three pasts, the latent's variance (or the square of the decoder's strength) by search."""
    noise, open_variance = 0.3, torch.tensor([0.5, 2.0, 5.0], dtype=torch.float64)
    candidates = torch.linspace(0, 6, 60_001, dtype=torch.float64)
    explained = candidates[:, None] + noise
    likelihood = -0.5 * (explained.log() + open_variance / explained)  # (candidates, pasts)
    learned, fixed = likelihood.max(0).values.mean(), likelihood.mean(1).max()
    gap = 0.5 * (open_variance.mean().log() - open_variance.log().mean())
    torch.testing.assert_close(learned - fixed, gap, atol=1e-6, rtol=0)


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


def test_the_weight_of_robot_videos_asks_for_large_changes() -> None:
    """Section 7: what the paper's `beta` and that of the preset mean at 64x64."""
    for beta, believed, levels in ((1e-4, 2, 23), (svg_lp().kl.stop, 22, 2.3)):
        weight = beta * 3 * 64 * 64
        assert -10 * math.log10(weight / 2) == pytest.approx(believed, abs=0.2)
        assert 255 * math.sqrt(weight / 2 / (3 * 5 * 5)) == pytest.approx(levels, abs=0.05 * levels)


def test_where_nothing_is_open_the_error_has_a_price_on_the_latents_variance_and_the_divergence_has_none() -> None:
    """Section 6, for a linear decoder, by Monte Carlo; the learned prior equals the posterior."""
    jacobian, mean, frame, draws = random(5, 3), random(1, 3, seed=1), random(5, seed=2), 200_000
    for logvar in (0.0, -4.0):
        posterior = Gaussian(mean, torch.full_like(mean, logvar))
        many = Gaussian(mean.expand(draws, -1), posterior.logvar)
        errors = ((many.sample(seeded()) @ jacobian.T - frame) ** 2).sum(1)
        expected = ((mean @ jacobian.T - frame) ** 2).sum() + math.exp(logvar) * (jacobian**2).sum()
        assert abs(errors.mean() - expected) < 5 * errors.std() / draws**0.5
        assert kl_divergence(posterior, best_prior(posterior)).item() == pytest.approx(0, abs=1e-12)


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


def test_a_draw_of_the_latent_loses_what_the_latent_explains_at_most_three_decibels() -> None:
    """Section 13: of a variance of 0.01 the latent explains a quarter, the rest is noise that is not drawn."""
    explained, rest = 0.0025, 0.0075
    truth = 0.5 + (explained**0.5) * random(1, 1, 400, 500, seed=1) + (rest**0.5) * random(1, 1, 400, 500, seed=2)
    mean, drawn = torch.full_like(truth, 0.5), 0.5 + (explained**0.5) * random(1, 1, 400, 500, seed=3)
    assert (psnr(mean, truth) - psnr(drawn, truth)).item() == pytest.approx(10 * math.log10(1.25), abs=0.05)


def decibels(squared_error: Tensor) -> Tensor:
    return -10 * squared_error.log10()


def errors_of_samples(directions: int, samples: int, trials: int) -> tuple[Tensor, Tensor]:
    """Mean squared errors of draws `(samples, trials)` and of the mean `(trials,)`, for truths from the same normal."""
    truth = random(trials, directions, seed=1)
    drawn = random(samples, trials, directions, seed=2)
    return ((drawn - truth) ** 2).mean(2), (truth**2).mean(1)


@pytest.mark.parametrize(("samples", "expected"), [(10, 1.54), (100, 2.51), (1000, 3.24)])
def test_the_best_of_normal_scores_is_so_many_deviations_above_their_mean(samples: int, expected: float) -> None:
    """Section 14, by the integral of the distribution of the maximum."""
    grid = torch.linspace(-8, 8, 100_001, dtype=torch.float64)
    below = Normal(0.0, 1.0).cdf(grid) ** samples
    middle = (grid[1:] + grid[:-1]) / 2
    found = (middle * below.diff()).sum().item()
    assert found == pytest.approx(expected, abs=0.005)
    assert found < math.sqrt(2 * math.log(samples))


def test_the_best_of_a_hundred_gains_with_the_spread_and_beats_the_mean_where_little_is_open() -> None:
    """Section 14: the first order for many directions, and where the break-even lies."""
    gains = {}
    for directions in (15, 25, 400):
        drawn, mean = errors_of_samples(directions, samples=100, trials=400)
        scores = decibels(drawn)
        gains[directions] = (scores.max(0).values - scores.mean(0)).mean().item()
        assert (decibels(mean) - scores.mean(0)).mean().item() == pytest.approx(10 * math.log10(2), abs=0.15)
    assert gains[400] == pytest.approx(13.3 / 400**0.5, abs=0.05)
    assert gains[15] > 3.5
    assert gains[25] == pytest.approx(10 * math.log10(2), abs=0.2)


@pytest.mark.parametrize(("directions", "ball"), [(1, 2.0), (2, math.pi)])
def test_the_best_of_very_many_grows_without_end_and_with_the_likelihood(directions: int, ball: float) -> None:
    """Section 14, of standard normal truths and draws; `N` is the number of directions."""
    for samples in (100, 1000):
        drawn, _ = errors_of_samples(directions, samples, trials=4000)
        found = decibels(drawn.min(0).values).mean().item()
        log_density = -directions / 2 * math.log10(2 * math.pi * math.e)
        inner = math.log10(samples * ball) + log_density + 0.5772 / math.log(10)
        expected = 10 * math.log10(directions) + 20 / directions * inner
        assert found == pytest.approx(expected, abs=0.6)


def test_right_no_and_wrong_actions_are_one_difference_apart_each() -> None:
    """Section 15, on a random table of 3 pasts, 4 actions and 5 frames of 6 values, by sums over all of it."""
    joint = random(3, 4, 5, seed=1).flatten().softmax(0).view(3, 4, 5)  # p(h, a, x)
    frames, acted, past = random(5, 6, seed=2), joint.sum(2), joint.sum((1, 2))
    with_actions = joint @ frames / acted[..., None]  # (3, 4, 6), E[x | h, a]
    without = joint.sum(1) @ frames / past[:, None]  # (3, 6), E[x | h]

    def error(prediction: Tensor) -> Tensor:
        """Of predictions that broadcast to `(3, 4, 5, 6)`."""
        return (joint * ((frames - prediction) ** 2).sum(3)).sum()

    right = error(with_actions[:, :, None])
    told = (acted * ((with_actions - without[:, None]) ** 2).sum(2)).sum()
    torch.testing.assert_close(error(without[:, None, None]), right + told)
    wrong = torch.zeros((), dtype=torch.float64)
    for other in range(4):  # a' with p(a' | h), independent of a and x
        weight = (acted[:, other] / past)[:, None, None]
        wrong += (weight * joint * ((frames - with_actions[:, other][:, None, None]) ** 2).sum(3)).sum()
    torch.testing.assert_close(wrong, right + 2 * told)
    shuffled = with_actions[torch.arange(3)[:, None], torch.tensor([[2], [0], [3]])]  # a' that knows nothing of a
    assert error(shuffled[:, :, None]) > right + told


def test_a_bit_from_actions_is_six_decibels() -> None:
    """Section 15, of a scalar: x = a + noise, both normal; the information from entropies."""
    for told, rest in ((3.0, 1.0), (0.2, 0.7)):
        information = Normal(0.0, (told + rest) ** 0.5).entropy() - Normal(0.0, rest**0.5).entropy()
        decibels_lost = 10 * math.log10(1 + told / rest)
        assert decibels_lost == pytest.approx(20 / math.log(10) * information.item(), rel=1e-5)
        assert decibels_lost == pytest.approx(6.02 * information.item() / math.log(2), rel=1e-3)


def test_the_conditional_convolution_makes_the_decoders_first_weights_depend_on_the_action() -> None:
    """Section 15, with the first layer of a real decoder."""
    model, batch = svg(), robots(2)
    (conditions,) = model.encode_conditions(None, batch.conditions[:, 1:])
    g = torch.rand(2, 12, generator=seeded())
    found = model.decoder.start(torch.cat([g, g * conditions.scale + conditions.shift], dim=1))
    plain, modulated = model.decoder.start.weight.chunk(2, dim=1)
    for clip in range(2):
        weights = plain + modulated @ conditions.scale[clip].diag()
        expected = weights @ g[clip] + modulated @ conditions.shift[clip] + model.decoder.start.bias
        torch.testing.assert_close(found[clip], expected)
    assert (conditions.scale > 0).all() and not torch.allclose(conditions.scale[0], conditions.scale[1])
