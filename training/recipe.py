"""All that decides what a training learns."""

from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cvae.config import (
    MOST_COARSEST,
    NUMBERS,
    Condition,
    DataConfig,
    Lab4Config,
    ModelConfig,
    PoseCVAEConfig,
    SVGConfig,
    SVGOptions,
)
from cvae.errors import InputError
from cvae.gaussian import Sampling
from training.checks import check, check_all
from training.objective import ObjectiveConfig
from training.schedules import KLAnnealing, TeacherForcing

MAX_LR = 1e3  # beyond it numbers overflow


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Which network, and its sizes."""

    family: Literal["pose_cvae", "lab4", "svg"] = "pose_cvae"
    """`pose_cvae` is ours, `lab4` the lab's, whose sizes are fixed; both are driven by pose pictures. `svg` is
    recurrent and driven by numbers: a robot's actions, or key points."""
    patch_size: int | None = None
    """Pixel blocks that `pose_cvae` folds into channels: 2 up to 32 pixels of height, 4 above, by default."""
    widths: tuple[int, ...] = (64, 96, 128)
    """Channels of each level of `pose_cvae`."""
    attention_levels: tuple[int, ...] = (0, 1)
    """Levels of `pose_cvae` on which body parts are looked up in the reference frame."""
    svg: SVGOptions = field(default_factory=SVGOptions)
    """Of `svg` alone."""
    sample: Sampling = "mean"
    """What the network is used with unless the user says otherwise: the prior's mean, or draws from the prior."""

    def __post_init__(self) -> None:
        if self.family == "svg":
            own = {option.name: option.default for option in fields(NetworkConfig)}
            for name in ("patch_size", "widths", "attention_levels"):
                if getattr(self, name) != own[name]:
                    option = f"--network.{name.replace('_', '-')}"
                    raise InputError(f"{option} is of pose_cvae alone; svg has its own options, --network.svg.")
        elif self.svg != SVGOptions():
            raise InputError(f"--network.svg options are of svg alone; the network is {self.family}.")

    @property
    def condition(self) -> Condition:
        """What it is told of each frame."""
        return self.svg.condition if self.family == "svg" else "poses"

    @property
    def past_frames(self) -> int:
        """How many frames it is given."""
        return self.svg.past_frames if self.family == "svg" else 1

    def for_frames(self, data: DataConfig, ranges: NDArray[np.float32] | None = None) -> ModelConfig:
        """What travels with the weights.

        Args:
            data: Size of the frames.
            ranges: Where it is told numbers, the smallest and the largest value of each, `(2, D)`; 0 and 1 by default.

        Raises:
            InputError: If the network cannot work on this size.
        """
        if self.family == "lab4":
            return Lab4Config()
        if self.family == "svg":
            shrunk = self.svg.patch_size * 2 ** len(self.svg.widths)
            coarsest = (data.height // shrunk, data.width // shrunk)
            expected = f"more where frames have {data.height}x{data.width} pixels, or --network.svg.patch-size larger"
            check("--network.svg.widths", self.svg.widths, lambda _: max(coarsest) <= MOST_COARSEST, expected)
            numbers = NUMBERS[self.svg.condition]
            low, high = ([0.0] * numbers, [1.0] * numbers) if ranges is None or not numbers else ranges.tolist()
            return SVGConfig(options=self.svg, coarsest=coarsest, low=tuple(low), high=tuple(high))
        patch = self.patch_size or (2 if data.height <= 32 else 4)
        return PoseCVAEConfig(patch_size=patch, widths=self.widths, attention_levels=self.attention_levels)


@dataclass(frozen=True, kw_only=True)
class ClipsConfig:
    """Which clips are cut from the recordings."""

    batch_size: int = 8
    """Clips a step, of each process."""
    frames: int = 3
    """Of a clip: those that are given, one or those of --network.svg.past-frames, and those predicted from them."""
    person_weight: float = 0.5
    """How much more often clips with much of the person in the picture are drawn."""
    fast_share: float = 1.0
    """Fast train: share of the data, its beginning, that is used in the first epochs."""
    fast_epochs: int = 0
    """Fast train: in how many."""

    def __post_init__(self) -> None:
        check_all(self, "clips.", ("batch_size",), 1)
        check_all(self, "clips.", ("frames",), 2)
        check_all(self, "clips.", ("person_weight", "fast_epochs"), 0)
        check("--clips.fast-share", self.fast_share, lambda share: 0 < share <= 1, "a share above 0, at most 1")


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How clips are changed, frames, poses and reference alike."""

    zoom_share: float = 0.7
    """Share of clips shown from nearer, farther or aside, tilted and stretched."""
    zoom: tuple[float, float] = (0.6, 1.2)
    """Smallest and largest magnification of those."""
    shift: float = 0.15
    """Largest shift of those, in pictures."""
    turn: float = 8.0
    """Largest rotation of those to either side, in degrees."""
    stretch: float = 0.12
    """Largest stretch of those: by how much wider at the cost of height, or the other way round."""
    crop_share: float = 0.0
    """Share of clips of which a part is shown, enlarged to all of the picture."""
    smallest_crop: float = 0.5
    """Side of the smallest part, in sides of the picture."""
    mirror_share: float = 0.5
    """Share of clips shown as in a mirror, left and right exchanged."""
    recolour_share: float = 0.0
    """Share of clips whose colour channels are swapped; for data of many people."""

    def __post_init__(self) -> None:
        check_all(self, "augment.", ("zoom_share", "crop_share", "mirror_share", "recolour_share"), 0, 1)
        check_all(self, "augment.", ("shift", "turn", "stretch"), 0)
        check("--augment.smallest-crop", self.smallest_crop, lambda side: 0 < side <= 1, "above 0, at most 1")
        expected = "a smallest and a largest magnification above zero"
        check("--augment.zoom", self.zoom, lambda zoom: 0 < zoom[0] <= zoom[1], expected)


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How the weights are changed."""

    name: Literal["muon", "adamw"] = "muon"
    """`muon` for the matrices of convolutions and `adamw` for the rest, or `adamw` for all."""
    peak_lr: float = 1.5e-3
    """Learning rate after warm-up."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """`cosine` warms up and falls to zero at the end of the training."""
    weight_decay: float = 1e-2
    """Decoupled from the gradient; with 0 AdamW is Adam."""
    accumulate: int = 1
    """Batches whose gradients are added up for one step."""
    average: bool = True
    """Keep the average of the weights over the last part of the training, instead of the last weights."""
    interpolate_every: int = 0
    """Every so many epochs, pull the weights back towards their beginning by the cosine of the angle; 0 is never."""

    def __post_init__(self) -> None:
        check("--optimizer.peak-lr", self.peak_lr, lambda rate: 0 < rate <= MAX_LR, f"above zero, at most {MAX_LR:g}")
        check_all(self, "optimizer.", ("accumulate",), 1)
        check_all(self, "optimizer.", ("weight_decay", "interpolate_every"), 0)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides what is learned; a preset is a recipe."""

    network: NetworkConfig = field(default_factory=NetworkConfig)
    clips: ClipsConfig = field(default_factory=ClipsConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    kl: KLAnnealing = field(default_factory=KLAnnealing)
    forcing: TeacherForcing = field(default_factory=TeacherForcing)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    histogram_epochs: int = 0
    """Epochs, from the beginning, in which a frame that is fed back gets the histogram of the one before."""
    size: tuple[int, int] | None = None
    """Height and width of the frames; the data's own by default."""
    seed: int = 0
    """Of weights, clips and noise."""

    def __post_init__(self) -> None:
        check_all(self, "", ("histogram_epochs", "seed"), 0)
        check("--size", self.size, lambda size: size is None or min(size) > 0, "a height and a width in pixels")
        past = self.network.past_frames
        expected = f"more than the {past} that are given"
        check("--clips.frames", self.clips.frames, lambda frames: frames > past, expected)
        if self.network.family == "svg":
            horizon = past + self.network.svg.future_frames
            expected = f"{horizon}, --network.svg.past-frames and future-frames together"
            check("--clips.frames", self.clips.frames, lambda frames: frames == horizon, expected)
            expected = "2 or more, over which this network normalises"
            check("--clips.batch-size", self.clips.batch_size, lambda size: size >= 2, expected)
        if self.network.condition != "poses":
            expected = "0 where a frame comes with numbers, which do not move along with its picture"
            for name in ("zoom_share", "crop_share", "mirror_share"):
                option = f"--augment.{name.replace('_', '-')}"
                check(option, getattr(self.augment, name), lambda share: share == 0, expected)
            expected = "0 where there are no pictures of poses"
            check("--clips.person-weight", self.clips.person_weight, lambda weight: weight == 0, expected)
