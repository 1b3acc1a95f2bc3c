"""The networks. `build_model` makes one from its config."""

from cvae.config import Lab4Config, ModelConfig
from cvae.models.lab4 import Lab4CVAE
from cvae.models.pose_cvae import PoseCVAE

__all__ = ["Lab4CVAE", "Model", "PoseCVAE", "build_model"]

Model = PoseCVAE | Lab4CVAE
"""Any of the networks. All are used alike (see `cvae.rollout`); what they make of a reference, of poses and of a
previous frame is of their own kind, so that callers hand it on as `Any`."""


def build_model(config: ModelConfig) -> Model:
    """A network of the family and sizes in `config`, with random weights."""
    return Lab4CVAE(config) if isinstance(config, Lab4Config) else PoseCVAE(config)
