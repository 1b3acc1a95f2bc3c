"""The two terms of the conditional ELBO: tensors in, one number per sample out."""

from torch import Tensor

from cvae.gaussian import Gaussian


def kl_divergence(posterior: Gaussian, prior: Gaussian) -> Tensor:
    """KL(posterior || prior) of diagonal Gaussians, summed over the latent, not over the batch.

    Args:
        posterior: Mean and log-variance, each `(B, Z, h, w)` or `(B, Z)`.
        prior: The same shapes.

    Returns:
        `(B,)`, nats per sample, never below zero.

    Raises:
        ValueError: If the shapes differ.

    Source: Kingma & Welling 2014, appendix B (arXiv:1312.6114).
    """
    if posterior.mean.shape != prior.mean.shape:
        raise ValueError(f"posterior is {tuple(posterior.mean.shape)}, prior is {tuple(prior.mean.shape)}")
    variance_ratio = (posterior.logvar - prior.logvar).exp()
    distance = (posterior.mean - prior.mean) ** 2 * (-prior.logvar).exp()
    per_element = 0.5 * (variance_ratio + distance - 1 + prior.logvar - posterior.logvar)
    return per_element.flatten(1).sum(1)


def reconstruction_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of each sample, the quantity PSNR is the logarithm of.

    Args:
        prediction: `(B, C, H, W)` in [0, 1].
        target: The same shape.

    Returns:
        `(B,)`, mean over channels and pixels.

    Raises:
        ValueError: If the shapes differ.
    """
    if prediction.shape != target.shape:
        raise ValueError(f"prediction is {tuple(prediction.shape)}, target is {tuple(target.shape)}")
    return ((prediction - target) ** 2).flatten(1).mean(1)
