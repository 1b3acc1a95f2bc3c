import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from cvae.metrics import psnr


def test_psnr_equals_that_of_scikit_image() -> None:
    truth, prediction = torch.rand(2, 5, 3, 8, 16, generator=torch.Generator().manual_seed(0)).unbind()
    expected = [
        peak_signal_noise_ratio(t.numpy(), p.numpy(), data_range=1) for t, p in zip(truth, prediction, strict=True)
    ]
    assert psnr(prediction, truth).tolist() == pytest.approx(expected, abs=1e-4)


def test_a_tenth_off_everywhere_is_20_db() -> None:
    assert psnr(torch.full((3, 4, 4), 0.6), torch.full((3, 4, 4), 0.5)).item() == pytest.approx(20, abs=1e-4)


def test_equal_pictures_are_100_db_and_not_infinite() -> None:
    assert psnr(torch.ones(2, 3, 4, 4), torch.ones(2, 3, 4, 4)).tolist() == [100.0, 100.0]


def test_psnr_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match=r"prediction is \(3, 4, 4\), truth is \(3, 4, 5\)"):
        psnr(torch.zeros(3, 4, 4), torch.zeros(3, 4, 5))
