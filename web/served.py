"""A model that the page serves."""

from dataclasses import dataclass
from typing import Literal

from cvae.checkpoint import Checkpoint
from cvae.inputs import width_by_height

Kind = Literal["person", "robot"]


@dataclass(frozen=True)
class Served:
    """The model, with what is said of it."""

    checkpoint: Checkpoint
    note: str | None = None
    """What visitors must know of it."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.checkpoint.name

    @property
    def kind(self) -> Kind:
        """Whom it predicts."""
        return "person" if self.checkpoint.config.model.condition in ("poses", "keypoints") else "robot"

    @property
    def width_by_height(self) -> str:
        """Of its frames, in pixels."""
        return width_by_height(self.checkpoint.config.data.size)
