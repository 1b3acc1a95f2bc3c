import torch

from training.dice import Dice


def test_a_clips_draws_depend_on_its_number_alone() -> None:
    whole, half = Dice(0, range(10, 14)), Dice(0, range(12, 14))
    for draw in ("uniform", "normal", "uniform"):
        a, b = getattr(whole, draw)(3, 2), getattr(half, draw)(3, 2)
        assert a.shape == (4, 3, 2) and torch.equal(a[2:], b)


def test_other_clips_and_other_seeds_are_drawn_others() -> None:
    draws = torch.cat([Dice(seed, range(50)).uniform(1) for seed in range(4)])
    assert len(draws.unique()) == 200


def test_draws_have_their_distributions() -> None:
    dice = Dice(0, range(200))
    uniform, normal = dice.uniform(100), dice.normal(100)
    assert abs(uniform.mean() - 0.5) < 0.01 and uniform.min() >= 0 and uniform.max() < 1
    assert abs(normal.mean()) < 0.02 and abs(normal.std() - 1) < 0.02
    across = uniform[:, 0]  # the first draw of one clip after the other is no pattern
    assert abs(torch.corrcoef(torch.stack([across[1:], across[:-1]]))[0, 1]) < 0.2
