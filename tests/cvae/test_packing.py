import pytest
import torch
from torch import nn

from cvae.packing import PackedConv, pack_convolutions


@pytest.mark.parametrize(
    "conv",
    [nn.Conv2d(16, 32, 3, padding=1), nn.Conv2d(16, 24, 1, bias=False), nn.Conv2d(16, 16, 2, stride=2)],
    ids=["3x3", "1x1 without bias", "2x2 with stride"],
)
@torch.inference_mode()
def test_a_packed_convolution_does_what_the_convolution_did(conv: nn.Conv2d) -> None:
    x = torch.rand(3, 16, 8, 12, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
    model = nn.Sequential(nn.Sequential(conv), nn.SiLU())
    expected = model(x)
    pack_convolutions(model)
    packed = model(x)
    torch.testing.assert_close(packed, expected, atol=1e-5, rtol=0)
    assert packed.is_contiguous(memory_format=torch.channels_last)
    assert not any(isinstance(module, nn.Conv2d) for module in model.modules())
    assert any(isinstance(module, PackedConv) for module in model.modules())


@torch.inference_mode()
def test_pictures_of_another_size_and_number_may_follow() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1))
    pictures = [torch.rand(b, 3, h, 10) for b, h in ((1, 4), (5, 4), (2, 30))]
    expected = [model(x) for x in pictures]
    pack_convolutions(model)
    for x, y in zip(pictures, expected, strict=True):
        torch.testing.assert_close(model(x), y, atol=1e-5, rtol=0)
