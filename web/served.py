"""A model that the page serves."""

from dataclasses import dataclass
from typing import Literal

from cvae.actions import ACTION_NUMBERS, POSITION_NUMBERS
from cvae.checkpoint import Checkpoint
from cvae.config import SVGConfig
from cvae.errors import InputError
from cvae.inputs import width_by_height

Kind = Literal["person", "robot"]
_NUMBERS = {"actions": ACTION_NUMBERS + POSITION_NUMBERS, "keypoints": 69, "none": 0}
"""That come with a frame, as the page reads them."""


@dataclass(frozen=True)
class Served:
    """The model, with what is said of it.

    Raises:
        InputError: If it is told other numbers than the page can read.
    """

    checkpoint: Checkpoint
    note: str | None = None
    """What visitors must know of it."""

    def __post_init__(self) -> None:
        model = self.checkpoint.config.model
        if isinstance(model, SVGConfig) and len(model.low) != _NUMBERS[model.condition]:
            raise InputError(
                f"{self.name} is told {len(model.low)} numbers with every frame; the page reads "
                f"{_NUMBERS[model.condition]} of {model.condition}."
            )

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
