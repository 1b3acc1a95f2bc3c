import pytest
import torch

from cvae.config import PoseCVAEConfig
from cvae.models import PoseCVAE, build_model


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
    assert model.decode_step(step, step.prior.mean).shape == frame.shape
    assert model.posterior(step, frame).mean.shape == step.prior.mean.shape


@torch.inference_mode()
def test_many_poses_at_once_are_encoded_as_one_by_one(tiny_model: PoseCVAE) -> None:
    frame, poses = pictures(2, 3, 16, 32), pictures(2, 4, 3, 16, 32)
    reference = tiny_model.encode_reference(frame, poses[:, 0])
    together = tiny_model.encode_conditions(reference, poses)
    for t, context in enumerate(together):
        (alone,) = tiny_model.encode_conditions(reference, poses[:, t : t + 1])
        for a, b in zip(context.levels, alone.levels, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_attention_takes_each_part_from_where_the_pose_matches() -> None:
    from cvae.models.layers import Attention

    torch.manual_seed(0)
    layer = Attention(16, heads=1)
    for projection in (layer.query, layer.key, layer.value, layer.out):
        torch.nn.init.dirac_(projection.weight)
        torch.nn.init.zeros_(projection.bias)
    layer.query_norm = layer.value_norm = torch.nn.Identity()  # type: ignore[assignment]
    parts = 40 * torch.eye(16).reshape(1, 16, 4, 4)
    looks = pictures(1, 16, 4, 4)
    moved = torch.roll(parts, (1, 2), dims=(2, 3))
    found = layer(moved, *layer.look_up(parts, looks))
    torch.testing.assert_close(found, torch.roll(looks, (1, 2), dims=(2, 3)), atol=1e-4, rtol=0)


@torch.inference_mode()
def test_the_frame_is_a_blend_of_new_pixels_the_reference_and_the_previous_frame(tiny_model: PoseCVAE) -> None:
    frame, previous = pictures(1, 3, 16, 32), 1 - pictures(1, 3, 16, 32)
    (context,) = tiny_model.encode_conditions(tiny_model.encode_reference(frame, frame), frame[:, None])
    for channel, expected in ((4, frame), (5, previous)):
        torch.nn.init.zeros_(tiny_model.decoder.out.weight)
        torch.nn.init.zeros_(tiny_model.decoder.out.bias)
        tiny_model.decoder.out.bias[channel] = 50
        step = tiny_model.encode_step(context, previous)
        torch.testing.assert_close(tiny_model.decode_step(step, step.prior.mean), expected)
    withheld = tiny_model.encode_step(context, previous, torch.tensor([True]))
    blended = tiny_model.decode_step(withheld, withheld.prior.mean)
    torch.testing.assert_close(blended, (frame + 0.5) / 2)


@torch.inference_mode()
def test_the_posterior_alone_sees_the_target(tiny_model: PoseCVAE) -> None:
    frame = pictures(1, 3, 16, 32)
    (context,) = tiny_model.encode_conditions(tiny_model.encode_reference(frame, frame), frame[:, None])
    step = tiny_model.encode_step(context, frame)
    assert not torch.allclose(tiny_model.posterior(step, frame).mean, tiny_model.posterior(step, 1 - frame).mean)


@torch.inference_mode()
def test_the_latent_changes_the_frame(tiny_model: PoseCVAE) -> None:
    frame = pictures(1, 3, 16, 32)
    (context,) = tiny_model.encode_conditions(tiny_model.encode_reference(frame, frame), frame[:, None])
    step = tiny_model.encode_step(context, frame)
    assert not torch.allclose(
        tiny_model.decode_step(step, step.prior.mean), tiny_model.decode_step(step, step.prior.mean + 3)
    )
