"""All that must travel with the weights so that they can be used: `config.json` of a checkpoint folder."""

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from cvae.errors import InputError
from cvae.gaussian import Sampling

STRICT = ConfigDict(extra="forbid", strict=True)


def _check(condition: bool, expected: str, came: object) -> None:
    if not condition:
        raise InputError(f"{expected}; got {came}.")


@dataclass(frozen=True, kw_only=True)
class PoseCVAEConfig:
    """Sizes of the network that predicts a frame from the previous frame, a pose and the reference frame."""

    __pydantic_config__ = STRICT

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


ModelConfig = PoseCVAEConfig | Lab4Config
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
