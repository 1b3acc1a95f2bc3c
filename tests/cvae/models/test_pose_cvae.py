import pytest
import torch

from cvae.config import PoseCVAEConfig
from cvae.models import PoseCVAE, build_model, layers
from cvae.models.layers import Attention, coordinates
from tests.conftest import drawn


def pictures(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("patch_size", "size"), [(1, (32, 64)), (2, (64, 128)), (2, (48, 32)), (4, (128, 128))])
@torch.inference_mode()
def test_any_multiple_of_the_stride_comes_back_in_its_size(patch_size: int, size: tuple[int, int]) -> None:
    config = PoseCVAEConfig(patch_size=patch_size, widths=(16, 16, 16), attention_levels=(1, 2))
    assert size[0] % config.stride == size[1] % config.stride == 0
    model, frame = build_model(config).eval(), pictures(2, 3, *size)
    (context,) = model.encode_conditions(model.encode_reference(frame, frame), frame[:, None])
    step = model.encode_step(context, frame)
    assert drawn(model, step, step.prior.mean).shape == frame.shape
    assert model.posterior(step, frame)[0].mean.shape == step.prior.mean.shape


@torch.inference_mode()
def test_many_poses_at_once_are_encoded_as_one_by_one(tiny_model: PoseCVAE) -> None:
    frame, poses = pictures(2, 3, 16, 32), pictures(2, 4, 3, 16, 32)
    reference = tiny_model.encode_reference(frame, poses[:, 0])
    together = tiny_model.encode_conditions(reference, poses)
    for t, context in enumerate(together):
        (alone,) = tiny_model.encode_conditions(reference, poses[:, t : t + 1])
        for name in ("fine", "coarse", "moved"):
            torch.testing.assert_close(getattr(context, name), getattr(alone, name), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_attention_takes_each_part_from_where_the_pose_matches() -> None:
    torch.manual_seed(0)
    layer = Attention(16, key_channels=16)
    for projection in (layer.query, layer.key):
        torch.nn.init.dirac_(projection.weight)
        torch.nn.init.zeros_(projection.bias)
    torch.nn.init.zeros_(layer.position.weight)
    layer.sharpness.fill_(30.0)
    parts, pixels = torch.eye(16).reshape(1, 16, 4, 4), pictures(1, 3, 4, 4)
    moved = torch.roll(parts, (1, 2), dims=(2, 3))
    found = layer(moved, layer.look_up(parts), pixels)
    torch.testing.assert_close(found, torch.roll(pixels, (1, 2), dims=(2, 3)), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_where_poses_say_nothing_attention_looks_near_by() -> None:
    torch.manual_seed(0)
    layer = Attention(16)
    layer.sharpness.fill_(200.0)
    where = torch.stack(torch.meshgrid(torch.arange(8.0), torch.arange(16.0), indexing="ij"))[None]
    nothing = torch.zeros(1, 16, 8, 16)
    found = layer(nothing, layer.look_up(nothing), where)
    assert (found - where).abs().mean() < 1


@pytest.mark.parametrize("most_weights", [layers.MOST_WEIGHTS, 100, 1])
def test_attention_over_many_poses_is_that_of_torch_one_by_one(
    most_weights: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "MOST_WEIGHTS", most_weights)  # at once, in pieces, one by one
    torch.manual_seed(0)
    layer, poses, values = Attention(16), pictures(6, 16, 3, 5), pictures(2, 7, 3, 5)

    def directions(projection: torch.nn.Module, pose: torch.Tensor) -> torch.Tensor:
        x = projection(pose) + layer.position(coordinates(3, 5))
        return torch.nn.functional.normalize(x.flatten(2).transpose(1, 2), dim=-1)

    together = layer(poses, layer.look_up(poses[::3]), values)
    for i in range(6):
        reference = poses[3 * (i // 3)][None]
        query = layer.sharpness * directions(layer.query, poses[i : i + 1])
        alone = torch.nn.functional.scaled_dot_product_attention(
            query, directions(layer.key, reference), values[i // 3].flatten(1).T[None], scale=1.0
        )
        torch.testing.assert_close(together[i : i + 1], alone.mT.reshape(1, 7, 3, 5), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_the_frame_is_a_blend_of_four_pictures(tiny_model: PoseCVAE) -> None:
    frame, previous = pictures(1, 3, 16, 32), 1 - pictures(1, 3, 16, 32)
    (context,) = tiny_model.encode_conditions(tiny_model.encode_reference(frame, frame), frame[:, None])
    for channel, expected in ((4, frame), (5, context.moved), (6, previous)):
        torch.nn.init.zeros_(tiny_model.out.weight)
        torch.nn.init.zeros_(tiny_model.out.bias)
        tiny_model.out.bias[channel] = 50
        step = tiny_model.encode_step(context, previous)
        torch.testing.assert_close(drawn(tiny_model, step, step.prior.mean), expected)
    withheld = tiny_model.encode_step(context, previous, None, torch.tensor([True]))
    blended = drawn(tiny_model, withheld, withheld.prior.mean)
    torch.testing.assert_close(blended, (frame + context.moved + 0.5) / 3)


@torch.inference_mode()
def test_the_posterior_alone_sees_the_target(tiny_model: PoseCVAE) -> None:
    frame = pictures(1, 3, 16, 32)
    (context,) = tiny_model.encode_conditions(tiny_model.encode_reference(frame, frame), frame[:, None])
    step = tiny_model.encode_step(context, frame)
    assert not torch.allclose(tiny_model.posterior(step, frame)[0].mean, tiny_model.posterior(step, 1 - frame)[0].mean)


@torch.inference_mode()
def test_the_latent_changes_the_frame(tiny_model: PoseCVAE) -> None:
    frame = pictures(1, 3, 16, 32)
    (context,) = tiny_model.encode_conditions(tiny_model.encode_reference(frame, frame), frame[:, None])
    step = tiny_model.encode_step(context, frame)
    assert not torch.allclose(drawn(tiny_model, step, step.prior.mean), drawn(tiny_model, step, step.prior.mean + 3))
