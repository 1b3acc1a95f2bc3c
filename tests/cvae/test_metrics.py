import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from cvae.metrics import psnr, ssim


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


def test_ssim_equals_that_of_scikit_image() -> None:
    truth, noise = torch.rand(2, 5, 3, 16, 32, generator=torch.Generator().manual_seed(0)).unbind()
    prediction = 0.8 * truth + 0.2 * noise
    options = {"data_range": 1, "channel_axis": 0, "gaussian_weights": True, "use_sample_covariance": False}
    expected = [structural_similarity(t.numpy(), p.numpy(), **options) for t, p in zip(truth, prediction, strict=True)]
    assert ssim(prediction, truth).tolist() == pytest.approx(expected, abs=1e-5)


def test_ssim_of_equal_frames_is_one_also_where_they_are_flat() -> None:
    assert ssim(torch.zeros(2, 3, 11, 12), torch.zeros(2, 3, 11, 12)).tolist() == pytest.approx([1.0, 1.0])


def test_ssim_refuses_other_shapes_and_frames_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match=r"prediction is \(1, 3, 16, 16\), truth is \(1, 3, 16, 17\)"):
        ssim(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 17))
    with pytest.raises(ValueError, match=r"frames are \(8, 16\) pixels, the window of SSIM is 11"):
        ssim(torch.zeros(1, 3, 8, 16), torch.zeros(1, 3, 8, 16))


def test_a_prediction_that_is_no_number_is_the_worst() -> None:
    truth = torch.rand(3, 3, 8, 8)
    broken = truth.clone()
    broken[0, 0, 0, 0], broken[1, 0, 0, 0] = float("nan"), float("inf")
    assert psnr(broken, truth).tolist() == [-100.0, -100.0, 100.0]
