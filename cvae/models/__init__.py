"""The networks. `build_model` makes one from its config.

All are used alike, whatever they make of a frame and of a condition; the rollout, the objective and whoever else runs
them know nothing more:

    reference = model.encode_reference(frame, condition)          once per sequence
    contexts = model.encode_conditions(reference, conditions)     many frames at a time
    views = model.encode_frames(frames, given=True)               many frames at a time
    step = model.encode_step(context, view, memory)               frame after frame: the prior of the latent
    posterior, step = model.posterior(step, view)                 where the frame itself is known
    sketch, memory = model.decode_step(step, latent)              what a recurrent network remembers of it
    frames = model.draw_frames([sketch, ...])                     many frames at a time, where none waits for another

The memory is handed in and out, None at the beginning and of networks that have none; nothing is kept on the module.
"""

from typing import Any

from cvae.config import Lab4Config, ModelConfig, SVGConfig
from cvae.models.lab4 import Lab4CVAE
from cvae.models.pose_cvae import PoseCVAE
from cvae.models.svg import SVG

__all__ = ["SVG", "Lab4CVAE", "Model", "PoseCVAE", "build_model"]

Model = PoseCVAE | Lab4CVAE | SVG
"""Any of the networks. References, contexts, views, steps, sketches and memories are of its own kind, so that callers
hand them on as `Any`."""


def build_model(config: ModelConfig) -> Model:
    """A network of the family and sizes in `config`, with random weights."""
    networks: dict[type, Any] = {Lab4Config: Lab4CVAE, SVGConfig: SVG}
    model: Model = networks.get(type(config), PoseCVAE)(config)
    return model
