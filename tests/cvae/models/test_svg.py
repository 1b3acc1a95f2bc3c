from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cvae.config import Config, DataConfig, SVGConfig, SVGOptions
from cvae.errors import InputError
from cvae.models.svg import FARTHEST, SVG, LSTMs
from cvae.rollout import rollout
from tests.conftest import random_model

OPTIONS = SVGOptions(
    patch_size=1,
    widths=(8, 16),
    feature_channels=12,
    latent_channels=3,
    hidden_channels=16,
    gaussian_layers=1,
)
LIMITS = {"low": (-1.0, 0.0, 5.0, -1.0, -1.0, -1.0, -1.0), "high": (1.0, 4.0, 5.0, 1.0, 1.0, 1.0, 1.0)}


def network(**changes: object) -> SVG:
    options = replace(OPTIONS, **changes)  # type: ignore[arg-type]
    limits = {"low": (), "high": ()} if options.condition == "none" else LIMITS
    config = SVGConfig(options=options, coarsest=(2, 3), **limits)
    model = random_model(Config(model=config, data=DataConfig(height=8, width=12)))
    assert isinstance(model, SVG)
    return model


def clip(frames: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Frames `(2, T, 3, 8, 12)` and numbers `(2, T, 7)`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, frames, 3, 8, 12, generator=generator), torch.rand(2, frames, 7, generator=generator)


def predict(model: SVG, given: Tensor, numbers: Tensor, seed: int = 0) -> Tensor:
    """`(2, T - P, 3, 8, 12)`, drawn from the prior."""
    generator = torch.Generator().manual_seed(seed)
    return torch.stack(list(rollout(model, given, numbers, sample="prior", generator=generator)), dim=1)


@pytest.mark.parametrize("prior", ["fixed", "learned"])
@pytest.mark.parametrize("past", [1, 2, 4])
def test_any_number_of_given_frames_leads_to_all_that_are_left(prior: str, past: int) -> None:
    frames, numbers = clip()
    predicted = predict(network(prior=prior), frames[:, :past], numbers)
    assert predicted.shape == (2, 6 - past, 3, 8, 12)
    assert ((predicted >= 0) & (predicted <= 1)).all()


def test_lstms_are_those_of_torch() -> None:
    torch.manual_seed(0)
    ours, whole = LSTMs(5, 4, 7, layers=2), nn.LSTM(7, 7, num_layers=2)
    for layer, cell in enumerate(ours.cells):
        for name, weights in cell.named_parameters():
            getattr(whole, f"{name}_l{layer}").data.copy_(weights)
    inputs, state, out = torch.rand(6, 2, 5), None, []
    for x in inputs:
        y, state = ours(x, state)
        out.append(y)
    expected = ours.outward(whole(ours.inward(inputs))[0])
    torch.testing.assert_close(torch.stack(out), expected)


def test_nothing_is_kept_on_the_module_two_rollouts_at_once_are_as_each_alone() -> None:
    model, (frames, numbers) = network(), clip()
    other_frames, other_numbers = clip(seed=1)
    alone = [
        torch.stack(list(rollout(model, f[:, :2], n))) for f, n in ((frames, numbers), (other_frames, other_numbers))
    ]
    both = zip(rollout(model, frames[:, :2], numbers), rollout(model, other_frames[:, :2], other_numbers), strict=True)
    for expected, together in zip(alone, map(torch.stack, zip(*both, strict=True)), strict=True):
        torch.testing.assert_close(together, expected)


def test_a_fixed_prior_is_the_standard_normal_and_a_learned_one_follows_frames_and_actions() -> None:
    frames, numbers = clip()
    for kind, differs in (("fixed", False), ("learned", True)):
        model = network(prior=kind)
        priors = []
        for f, n in ((frames, numbers), (1 - frames, numbers), (frames, 1 - numbers)):
            (context, *_), (view, *_) = model.encode_conditions(None, n), model.encode_frames(f, given=True)
            priors.append(model.encode_step(context, view).prior)
        assert torch.equal(priors[0].mean, torch.zeros(2, 3)) != differs
        assert torch.allclose(priors[0].mean, priors[1].mean) != differs
        assert torch.allclose(priors[0].logvar, priors[2].logvar) != differs


def test_the_posterior_sees_the_true_frame_and_the_prior_remembers_those_before() -> None:
    model, (frames, numbers) = network(), clip()
    contexts, views = model.encode_conditions(None, numbers), model.encode_frames(frames, given=True)
    others = model.encode_frames(1 - frames, given=True)
    step = model.encode_step(contexts[1], views[0])
    (a, after), (b, _) = model.posterior(step, views[1]), model.posterior(step, others[1])
    assert not torch.allclose(a.mean, b.mean)
    _, memory = model.decode_step(after, a.mean)
    _, other_memory = model.decode_step(model.encode_step(contexts[1], others[0]), a.mean)
    assert not torch.allclose(
        model.encode_step(contexts[2], views[1], memory).prior.mean,
        model.encode_step(contexts[2], views[1], other_memory).prior.mean,
    )


def test_an_action_changes_its_frame_and_those_after_it_and_none_before() -> None:
    model, (frames, numbers) = network(), clip()
    changed = numbers.clone()
    changed[:, 4] = 1 - changed[:, 4]
    before, after = (predict(model, frames[:, :2], n) for n in (numbers, changed))
    torch.testing.assert_close(before[:, :2], after[:, :2])  # frames 2 and 3
    assert not torch.allclose(before[:, 2], after[:, 2])
    assert not torch.allclose(before[:, 3], after[:, 3])


def test_without_conditions_nothing_but_their_number_matters() -> None:
    model, (frames, numbers) = network(condition="none"), clip()
    torch.testing.assert_close(predict(model, frames[:, :2], numbers), predict(model, frames[:, :2], 1 - numbers))


@pytest.mark.parametrize("prior", ["fixed", "learned"])
@pytest.mark.parametrize("condition", ["actions", "none"])
def test_bfloat16_shows_nearly_the_same(condition: str, prior: str) -> None:
    model, (frames, numbers) = network(condition=condition, prior=prior), clip()
    exact = predict(model, frames[:, :2], numbers)
    rounded = predict(model.to(torch.bfloat16), frames[:, :2], numbers)
    assert rounded.dtype == torch.float32
    assert (rounded - exact).abs().mean() < 0.02


def test_the_conditional_convolution_is_as_the_lab_defines_it() -> None:
    model, (frames, numbers) = network(), clip()
    (context, *_), (view, *_) = model.encode_conditions(None, numbers), model.encode_frames(frames, given=True)
    sketch, _ = model.decode_step(model.encode_step(context, view), torch.zeros(2, 3))
    assert model.scale is not None and model.shift is not None
    g, modulated = sketch.vector.chunk(2, dim=1)
    c = context.numbers
    expected = g * F.softplus(F.linear(c, model.scale.weight, model.scale.bias))
    expected = expected + F.linear(c, model.shift.weight, model.shift.bias)
    torch.testing.assert_close(modulated, expected)


def test_numbers_are_brought_to_minus_one_to_one_of_their_range_in_training() -> None:
    given = torch.tensor([[-1.0, 0.0, 5.0], [1.0, 4.0, 5.0], [0.5, 3.0, 9.0], [99.0, -99.0, 5.0]])
    numbers = F.pad(given, (0, 4))[None]
    found = torch.stack([c.numbers[0, :3] for c in network().encode_conditions(None, numbers)])
    expected = torch.tensor([[-1, -1, 0], [1, 1, 0], [0.5, 0.5, 0], [FARTHEST, -FARTHEST, 0]])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("last_frame_skip", [False, True])
def test_details_come_from_the_last_given_frame_unless_from_the_previous_one(last_frame_skip: bool) -> None:
    model, (frames, numbers) = network(last_frame_skip=last_frame_skip), clip()
    contexts = model.encode_conditions(None, numbers)
    given, later = model.encode_frames(frames[:, :2], given=True), model.encode_frames(frames[:, 2:], given=False)
    memory, details = None, []
    for context, view in zip(contexts[1:], [*given, *later], strict=False):
        step = model.encode_step(context, view, memory)
        picture = step.memory.details.picture
        assert picture is not None
        details.append([t for t in range(6) if torch.equal(picture, frames[:, t])])
        _, memory = model.decode_step(step, step.prior.mean)
    assert details == [[0], [1], [2], [3], [4]] if last_frame_skip else details == [[0], [1], [1], [1], [1]]


def test_what_is_withheld_is_not_seen() -> None:
    model, (frames, numbers) = network(), clip()
    context, withheld = model.encode_conditions(None, numbers)[1], torch.tensor([True, False])
    a, b = (
        model.encode_step(context, model.encode_frames(f, given=True)[0], None, withheld).features
        for f in (frames, 1 - frames)
    )
    assert torch.equal(a[0], b[0]) and not torch.allclose(a[1], b[1])


@pytest.mark.parametrize(
    ("options", "limits", "message"),
    [
        ({"widths": ()}, {}, "widths has 1 to 6 levels; got"),
        ({"widths": (7,)}, {}, "multiples of 8 from 8 to 512"),
        ({"past_frames": 0}, {}, "past_frames is 1 to 100; got 0"),
        ({"hidden_channels": 10**9}, {}, "hidden_channels is 8 to 1024"),
        ({"patch_size": 3}, {}, "patch_size is 1, 2 or 4; got 3"),
        ({}, {"low": (0.0,) * 7, "high": (1.0, 2.0)}, "low and high are as many"),
        ({}, {"low": (2.0,) * 7, "high": (1.0,) * 7}, "low not above high"),
        ({}, {"low": (0.0,) * 7, "high": (float("nan"),) * 7}, "none beyond a million"),
        ({}, {"low": (0.0,), "high": (1.0,)}, "low has the 7 numbers of the condition actions; got 1"),
        ({}, {"coarsest": (4, 1000)}, "coarsest has sides of 1 to 8"),
        ({"condition": "none"}, {}, "low has the 0 numbers of the condition none; got 7"),
    ],
)
def test_a_config_that_cannot_be_is_refused(options: dict, limits: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SVGConfig(options=replace(OPTIONS, **options), **limits)


def test_frames_of_another_size_than_the_network_is_for_are_refused() -> None:
    with pytest.raises(InputError, match="Frames of this network have 8x12 pixels \\(height x width\\); got 16x12"):
        Config(model=SVGConfig(options=OPTIONS, coarsest=(2, 3), **LIMITS), data=DataConfig(height=16, width=12))


def test_frames_drawn_together_are_those_drawn_one_by_one() -> None:
    model, (frames, numbers) = network(), clip()
    contexts, views, memory, sketches = (
        model.encode_conditions(None, numbers),
        model.encode_frames(frames, given=True),
        None,
        [],
    )
    for context, view in zip(contexts[1:], views, strict=False):
        sketch, memory = model.decode_step(step := model.encode_step(context, view, memory), step.prior.mean)
        sketches.append(sketch)
    together = model.draw_frames(sketches)
    assert together.shape == (2, 5, 3, 8, 12)
    for t, sketch in enumerate(sketches):
        torch.testing.assert_close(model.draw_frames([sketch])[:, 0], together[:, t])
