"""What a training is told: where, how long, and by which recipe."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from cvae.config import Config, DataConfig
from cvae.errors import InputError
from hub.references import parse_repo
from training.checks import MAX_SEED, check, check_all
from training.presets import PRESETS, Preset
from training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Train a network on clips in the lab's folder layout; checkpoint folders come out.

    The length is --steps N or --max-minutes M; the schedules fit themselves to it. Ctrl-C or SIGTERM save and stop;
    the same command with --resume goes on.
    """

    data: Path
    """Folder with train/train_img, train/train_label and the same for val; for a robot with train/*/N/0.png, ...,
    actions.csv, endeffector_positions.csv and the same for validate."""
    out: Path
    """Folder of the run; each checkpoint is a folder OUT/step_N."""
    preset: Preset = "default"
    """Where all options below begin: `default` is what measured best for people, `lab4` the lab's own network and
    training; `svg-lp` and `svg-fp` are for a robot's trajectories, with a learned and a fixed prior."""
    recipe: Annotated[Recipe, tyro.conf.arg(name="")] = field(default_factory=Recipe)
    """What decides what is learned."""
    steps: int | None = None
    """Length of the training in steps."""
    max_minutes: float | None = None
    """Length of the training in minutes."""
    resume: bool = False
    """Go on where the run in OUT stopped; where there is none yet, begin."""
    init_from: str | Path | None = None
    """Checkpoint folder to start from, or user/name[@revision] on the Hub; its network is kept, and the options of
    sizes are not looked at."""
    validate_every: int = 500
    """Steps between two validations, each of which saves a checkpoint."""
    validation_frames: int = 630
    """Frames rolled out at a validation, shared among at most eight recordings, or as many trajectories as fit."""
    log_every: int = 10
    """Steps between two rows of metrics."""
    mixed_precision: Literal["no", "bf16", "fp16"] | None = None
    """`bf16` where the machine has instructions for it, else `no`, by default."""
    compile: bool = False
    """Compile the network with torch.compile: minutes at the start, faster steps after it on a GPU."""
    push_to_hub: str | None = None
    """`user/name` on the Hub where each new best checkpoint is published, beside the training. A new repository is
    public; create a private one beforehand to keep it so."""
    workers: int = 0
    """Processes that load clips beside the one that trains; 0 loads in the same, which is enough on a CPU."""

    def __post_init__(self) -> None:
        check_all(self, "", ("validate_every", "log_every"), 1)
        check_all(self, "", ("validation_frames",), 2)
        check_all(self, "", ("workers",), 0)
        check("--seed", self.recipe.seed, lambda seed: seed < MAX_SEED, f"below {MAX_SEED}")
        if self.recipe.size is not None:  # before all pictures are decoded in it
            data = DataConfig(height=self.recipe.size[0], width=self.recipe.size[1])
            if self.init_from is None:
                Config(model=self.recipe.network.for_frames(data), data=data)
        if self.push_to_hub is not None:
            parse_repo(self.push_to_hub)

    @classmethod
    def parse(cls, program: str, arguments: Sequence[str]) -> "TrainConfig":
        """Read a command line, whose options begin at those of the preset that is named in it."""
        name = _preset_in(arguments)
        if name not in PRESETS:
            raise InputError(f"--preset is one of {', '.join(PRESETS)}; got {name}.")
        start = cls(data=tyro.MISSING, out=tyro.MISSING, preset=name, recipe=PRESETS[name]())
        return tyro.cli(cls, prog=program, args=arguments, default=start)


def _preset_in(arguments: Sequence[str]) -> str:
    for index, argument in enumerate(arguments):
        if argument.startswith("--preset="):
            return argument.removeprefix("--preset=")
        if argument == "--preset" and index + 1 < len(arguments):
            return arguments[index + 1]
    return "default"
