"""All that must travel with the weights so that they can be used: `config.json` of a checkpoint folder."""

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from cvae.errors import InputError
from cvae.gaussian import Sampling

STRICT = ConfigDict(extra="forbid", strict=True)
MOST_COARSEST = 8
"""Side of the feature map that becomes a vector."""

Condition = Literal["poses", "actions", "keypoints", "none"]
"""What a network is told of each frame: a picture of the pose, or numbers."""
NUMBERS = {"actions": 7, "keypoints": 69, "none": 0}
"""How many: 4 of an action and 3 of a position; x, y and whether it is seen of 23 joints."""


def _check(condition: bool, expected: str, came: object) -> None:
    if not condition:
        raise InputError(f"{expected}; got {came}.")


@dataclass(frozen=True, kw_only=True)
class PoseCVAEConfig:
    """Sizes of the network that predicts a frame from the previous frame, a pose and the reference frame."""

    __pydantic_config__ = STRICT

    condition: ClassVar[Condition] = "poses"
    past_frames: ClassVar[int] = 1
    horizon: ClassVar[int | None] = None  # it is measured to the end of a sequence

    family: Literal["pose_cvae"] = "pose_cvae"
    """Which network the weights belong to."""
    patch_size: int = 1
    """Side of the pixel blocks folded into channels at the input; 2 makes a picture of twice the size cost the same."""
    widths: tuple[int, ...] = (32, 64, 96, 128)
    """Channels of each level; every level halves the resolution of the one before."""
    attention_levels: tuple[int, ...] = (1, 2)
    """Levels on which the target pose looks up body parts in the reference frame; the finest also moves its pixels."""
    latent_channels: int = 8
    """Channels Z of the latent, whose resolution is that of the last level."""

    def __post_init__(self) -> None:
        _check(self.patch_size in (1, 2, 4), "patch_size is 1, 2 or 4", self.patch_size)
        _check(2 <= len(self.widths) <= 6, "widths has 2 to 6 levels", self.widths)
        _check(
            all(16 <= w <= 512 and w % 16 == 0 for w in self.widths),
            "widths are multiples of 16 from 16 to 512",
            self.widths,
        )
        _check(
            0 < len(set(self.attention_levels)) == len(self.attention_levels)
            and all(0 <= level < len(self.widths) for level in self.attention_levels),
            f"attention_levels are one or more different ones between 0 and {len(self.widths) - 1}",
            self.attention_levels,
        )
        _check(1 <= self.latent_channels <= 64, "latent_channels is 1 to 64", self.latent_channels)

    @property
    def stride(self) -> int:
        """Height and width of the frames must be multiples of this many pixels."""
        return int(self.patch_size * 2 ** (len(self.widths) - 1))


@dataclass(frozen=True, kw_only=True)
class Lab4Config:
    """Sizes of the lab's network, which predicts a frame from the previous frame and a pose."""

    __pydantic_config__ = STRICT

    condition: ClassVar[Condition] = "poses"
    past_frames: ClassVar[int] = 1
    horizon: ClassVar[int | None] = None

    family: Literal["lab4"] = "lab4"
    """Which network the weights belong to."""
    frame_channels: int = 128
    """Features of a frame (the lab's F_dim)."""
    label_channels: int = 32
    """Features of a pose (L_dim)."""
    latent_channels: int = 12
    """Channels Z of the latent, which has the resolution of the frame (N_dim)."""
    decoder_channels: int = 192
    """Features that the generator starts from (D_out_dim)."""
    sigmoid: bool = False
    """Whether a sigmoid stands behind the generator."""
    running_statistics: bool = False
    """Normalise pose features in use by the statistics kept from training, instead of each picture's own."""

    def __post_init__(self) -> None:
        for name, least in (("frame", 8), ("label", 2), ("latent", 4), ("decoder", 8)):
            channels = getattr(self, f"{name}_channels")
            _check(least <= channels <= 512, f"{name}_channels is {least} to 512", channels)

    @property
    def stride(self) -> int:
        """Height and width of the frames may be any number of pixels."""
        return 1


@dataclass(frozen=True, kw_only=True)
class SVGOptions:
    """What can be chosen of the network SVG."""

    __pydantic_config__ = STRICT

    prior: Literal["fixed", "learned"] = "learned"
    """Of the latent: `fixed` is N(0, I), SVG-FP; `learned` is predicted from the frames before, SVG-LP."""
    condition: Literal["actions", "keypoints", "none"] = "actions"
    """The numbers that come with a frame: a robot's actions and positions, a person's key points, or nothing at all."""
    past_frames: int = 2
    """Frames that are given."""
    future_frames: int = 10
    """Frames that are predicted where it is measured; in use there may be any number."""
    last_frame_skip: bool = False
    """Take the decoder's skip connections from the previous frame, instead of from the last given one."""
    patch_size: int = 2
    """Side of the pixel blocks folded into channels at the input; 1 is the paper's, 2 costs a quarter at the finest
    level."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of each level of encoder and decoder; every level halves the resolution of the one before. The paper's
    are 64, 128, 256, 512."""
    feature_channels: int = 128
    """Length G of the vector that a frame becomes."""
    latent_channels: int = 64
    """Numbers Z in the latent of a frame."""
    hidden_channels: int = 256
    """Width of the LSTMs."""
    predictor_layers: int = 2
    """LSTMs of the frame predictor, one on the other."""
    gaussian_layers: int = 1
    """The same of the posterior and of a learned prior."""

    def __post_init__(self) -> None:
        _check(self.patch_size in (1, 2, 4), "patch_size is 1, 2 or 4", self.patch_size)
        _check(1 <= len(self.widths) <= 6, "widths has 1 to 6 levels", self.widths)
        fits = all(8 <= width <= 512 and width % 8 == 0 for width in self.widths)
        _check(fits, "widths are multiples of 8 from 8 to 512", self.widths)
        limits = {
            "past_frames": (1, 100),
            "future_frames": (1, 10_000),
            "feature_channels": (8, 512),
            "latent_channels": (1, 512),
            "hidden_channels": (8, 1024),
            "predictor_layers": (1, 4),
            "gaussian_layers": (1, 4),
        }
        for name, (least, most) in limits.items():
            _check(least <= getattr(self, name) <= most, f"{name} is {least} to {most}", getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class SVGConfig:
    """The recurrent network that predicts a frame from all frames before it, and from some numbers.

    Stochastic video generation: Denton & Fergus 2018 (arXiv:1802.07687).
    """

    __pydantic_config__ = STRICT

    family: Literal["svg"] = "svg"
    """Which network the weights belong to."""
    options: SVGOptions = field(default_factory=SVGOptions)
    """What was chosen."""
    coarsest: tuple[int, int] = (4, 4)
    """Height and width below the last level, which become one vector."""
    low: tuple[float, ...] = (-1.0,) * 7
    """Smallest value in the training data of each number that comes with a frame."""
    high: tuple[float, ...] = (1.0,) * 7
    """Largest value of each."""

    def __post_init__(self) -> None:
        fits = all(1 <= side <= MOST_COARSEST for side in self.coarsest)
        _check(fits, f"coarsest has sides of 1 to {MOST_COARSEST}", self.coarsest)
        condition, numbers = self.options.condition, NUMBERS[self.options.condition]
        _check(len(self.low) == numbers, f"low has the {numbers} numbers of the condition {condition}", len(self.low))
        fits = len(self.low) == len(self.high) and all(
            -1e6 <= low <= high <= 1e6 for low, high in zip(self.low, self.high, strict=True)
        )
        _check(fits, "low and high are as many, low not above high, none beyond a million", f"{self.low}, {self.high}")

    @property
    def stride(self) -> int:
        """Height and width of the frames are `coarsest` times this many pixels."""
        return int(self.options.patch_size * 2 ** len(self.options.widths))

    @property
    def condition(self) -> Condition:
        """What the numbers are."""
        return self.options.condition

    @property
    def past_frames(self) -> int:
        """How many frames are given."""
        return self.options.past_frames

    @property
    def horizon(self) -> int | None:
        """Frames, given and predicted, over which it is measured."""
        return self.options.past_frames + self.options.future_frames


ModelConfig = PoseCVAEConfig | Lab4Config | SVGConfig
FAMILIES = tuple(get_args(config.__annotations__["family"])[0] for config in get_args(ModelConfig))


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What the frames were that the weights were trained on."""

    __pydantic_config__ = STRICT

    height: int = 32
    """Height H of a frame in pixels."""
    width: int = 64
    """Width W of a frame in pixels."""

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            _check(8 <= getattr(self, name) <= 1024, f"{name} is 8 to 1024 pixels", getattr(self, name))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How frames are drawn unless the user says otherwise."""

    __pydantic_config__ = STRICT

    sample: Sampling = "mean"
    """`mean` decodes the mean of the prior (sharpest PSNR, always the same), `prior` draws from it."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything needed to build the network and run it."""

    __pydantic_config__ = STRICT

    format: Literal[1] = 1
    """Raised whenever the meaning of a field changes."""
    model: Annotated[ModelConfig, Field(discriminator="family")] = field(default_factory=PoseCVAEConfig)
    data: DataConfig = field(default_factory=DataConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        stride = self.model.stride
        _check(
            self.data.height % stride == 0 and self.data.width % stride == 0,
            f"Frames of this network are multiples of {stride} pixels in height and width",
            f"{self.data.height}x{self.data.width}",
        )
        if isinstance(self.model, SVGConfig):
            expected = tuple(side * stride for side in self.model.coarsest)
            _check(
                self.data.size == expected,
                f"Frames of this network have {expected[0]}x{expected[1]} pixels (height x width)",
                f"{self.data.height}x{self.data.width}",
            )


def config_to_json(config: Config) -> str:
    """The text of `config.json`."""
    return json.dumps(asdict(config), indent=2) + "\n"


def config_from_json(text: str) -> Config:
    """Read the text of `config.json`; nothing is guessed.

    Raises:
        InputError: If the text is no JSON, or a key is unknown, missing, of another type or out of its range.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"config.json is not JSON: {error}.") from None
    if isinstance(raw, dict) and raw.get("format", 1) != 1:
        raise InputError(f"config.json has format {raw['format']!r}; this version reads format 1.")
    try:
        config = TypeAdapter(Config).validate_json(text)
    except ValidationError as error:
        raise InputError(f"config.json is not one of ours: {_first_fault(error)}.") from None
    if missing := _missing_keys(config, raw):
        raise InputError(f"config.json lacks {', '.join(missing)}.")
    return config


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    parts = [str(part) for part in fault["loc"] if part not in FAMILIES]  # not a key: pydantic's name of the choice
    place = ".".join([*parts, "family"] if fault["type"].startswith("union_tag") else parts)
    return f"{place}: {fault['msg']}" if place else fault["msg"]


def _missing_keys(config: Any, raw: dict[str, Any], prefix: str = "") -> list[str]:
    missing = [prefix + f.name for f in fields(config) if f.name not in raw]
    for f in fields(config):
        if is_dataclass(value := getattr(config, f.name)) and f.name in raw:
            missing += _missing_keys(value, raw[f.name], f"{prefix}{f.name}.")
    return missing
