import numpy as np
import pytest
import torch
from skimage.exposure import match_histograms

from training.strategies import interpolate_weights, specify_histogram


def test_weights_that_did_not_turn_stay() -> None:
    weights = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(interpolate_weights(2 * weights, weights), 2 * weights)


def test_weights_at_sixty_degrees_come_back_by_a_third() -> None:
    initial, now = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.75**0.5])  # cosine 0.5: share 2 * 0.5 / 1.5
    torch.testing.assert_close(interpolate_weights(now, initial), (2 * now + initial) / 3)


def test_weights_beyond_a_right_angle_begin_again() -> None:
    initial, now = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.5])
    torch.testing.assert_close(interpolate_weights(now, initial), initial)


def test_weights_that_began_at_zero_are_zero_again() -> None:
    assert not interpolate_weights(torch.ones(3), torch.zeros(3)).any()


def test_the_histogram_becomes_the_other_frames_as_scikit_image_does_it() -> None:
    frame, like = torch.rand(2, 1, 3, 16, 32, generator=torch.Generator().manual_seed(0)).unbind(0)
    matched = specify_histogram(frame, like**2)
    expected = match_histograms(frame[0].numpy(), like[0].numpy() ** 2, channel_axis=0)
    np.testing.assert_allclose(matched[0].numpy(), expected, atol=0.01)
    torch.testing.assert_close(matched.flatten(2).sort().values, (like**2).flatten(2).sort().values)


def test_the_gradient_is_that_of_the_frame() -> None:
    frame = torch.rand(1, 3, 4, 4, requires_grad=True)
    specify_histogram(frame, torch.rand(1, 3, 4, 4)).sum().backward()
    assert frame.grad is not None and (frame.grad == 1).all()


@pytest.mark.parametrize("shape", [(4,), (2, 3, 3, 3), ()])
def test_tensors_of_any_shape_are_interpolated(shape: tuple[int, ...]) -> None:
    assert interpolate_weights(torch.ones(shape), torch.ones(shape)).shape == shape
