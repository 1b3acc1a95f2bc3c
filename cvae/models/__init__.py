"""The networks. `build_model` makes one from its config."""

from cvae.config import PoseCVAEConfig
from cvae.models.pose_cvae import PoseCVAE

__all__ = ["PoseCVAE", "build_model"]


def build_model(config: PoseCVAEConfig) -> PoseCVAE:
    """A network of the sizes in `config`, with random weights."""
    return PoseCVAE(config)
