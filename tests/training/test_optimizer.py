import pytest
import torch
from torch import nn

from training.optimizer import build_optimizer
from training.recipe import OptimizerConfig

LR = 1e-3


def steps_of(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """What one step adds to a convolution's matrix `(32, 144)` and to its bias, in learning rates."""
    torch.manual_seed(0)
    model = nn.Conv2d(16, 32, 3)
    before = model.weight.detach().clone(), model.bias.detach().clone()  # type: ignore[union-attr]
    config = OptimizerConfig(name=name, peak_lr=LR, weight_decay=0.0)  # type: ignore[arg-type]
    optimizer = build_optimizer(model, config)
    strong, weak = torch.randn(32, 1) * torch.randn(1, 144), torch.randn(32, 144)
    model.weight.grad = (strong + 1e-2 * weak).reshape(32, 16, 3, 3)  # nearly all of it lies in one direction
    model.bias.grad = torch.randn(32)  # type: ignore[union-attr]
    optimizer.step()
    weight, bias = ((new.detach() - old) / LR for new, old in zip((model.weight, model.bias), before, strict=True))
    return weight.reshape(32, 144), bias


def test_muon_learns_rare_directions_as_fast_as_common_ones() -> None:
    ratios = {}
    for name in ("muon", "adamw"):
        strengths = torch.linalg.svdvals(steps_of(name)[0])
        ratios[name] = float(strengths.max() / strengths.median())
    assert ratios["muon"] < 2
    assert ratios["adamw"] > 5


def test_a_step_of_muon_is_a_fifth_of_adams_first() -> None:
    for_adam, for_muon = (steps_of(name)[0].square().mean().sqrt() for name in ("adamw", "muon"))
    assert for_adam == pytest.approx(1, rel=0.01)
    assert for_muon == pytest.approx(0.2, rel=0.25)


def test_biases_go_down_their_gradient() -> None:
    muon, adam = (steps_of(name)[1] for name in ("muon", "adamw"))
    assert torch.equal(muon.sign(), adam.sign())
