"""A checkpoint folder: `config.json` and `model.safetensors`, with `training.json` for people."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from cvae.config import Config, config_from_json, config_to_json
from cvae.device import has_bf16
from cvae.errors import InputError
from cvae.files import replacing
from cvae.models import Lab4CVAE, Model, build_model
from cvae.packing import pack_convolutions
from cvae.runs import TRAINING, best_checkpoint

CONFIG, WEIGHTS = "config.json", "model.safetensors"
MAX_CONFIG_BYTES = 100_000
BUNDLED = Path(__file__).parents[1] / "weights" / "puppets-64x128"
BUNDLED_ROBOT = BUNDLED.with_name("robot-64x64")


@dataclass(frozen=True)
class Checkpoint:
    """A network ready for use, with what its folder says about it."""

    name: str
    config: Config
    model: Model

    def at_full_speed(self, device: str) -> "Checkpoint":
        """Itself, its network moved to a device, `cpu` or `cuda`, and into bfloat16 where that has instructions for it.

        The lab's network stays in float32, so that its frames are the original's. Pictures are blended in float32 in
        any case (see `decode_step` of the others). Weights are converted before they are moved: a ZeroGPU Space has no
        GPU yet when it loads them. On a CPU it is for nothing but use from then on: it cannot be saved.
        """
        if not isinstance(self.model, Lab4CVAE) and has_bf16(device):
            self.model.to(torch.bfloat16)
        self.model.to(device)
        if device == "cpu":
            pack_convolutions(self.model)
        return self


def save_checkpoint(folder: Path, config: Config, model: Model, training: dict[str, Any]) -> None:
    """Write the three files into `folder`, which is made if need be; each appears whole, in place of an older one.

    Args:
        folder: Where to.
        config: What is needed to use the weights.
        model: Whose weights.
        training: What people want to know of the training, as JSON.

    Raises:
        InputError: If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}.") from None
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with replacing(folder / WEIGHTS) as partial:
        partial.write_bytes(save(tensors))
    for name, text in ((TRAINING, json.dumps(training, indent=2) + "\n"), (CONFIG, config_to_json(config))):
        with replacing(folder / name) as partial:
            partial.write_text(text)


def load_checkpoint(folder: str | Path, device: str | torch.device = "cpu", name: str | None = None) -> Checkpoint:
    """Build the network of a checkpoint folder, in evaluation mode.

    Args:
        folder: The checkpoint, or a training's run, whose best checkpoint is taken.
        device: Where to.
        name: What to call it, instead of by its folder.

    Raises:
        InputError: If a file is missing or foreign, or the weights do not fit the config.
    """
    source, folder = Path(folder), checkpoint_folder(Path(folder))
    own_name = source.resolve().name if folder == source else f"{source.resolve().name}/{folder.name}"
    called = name or str(folder)
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise InputError(f"{called} is no checkpoint: it has no {file} (expected {CONFIG} and {WEIGHTS}).")
    config = read_config(folder / CONFIG, called)
    model = _empty_model(config)
    model.load_state_dict(_read_weights(folder / WEIGHTS, model, called), assign=True)
    model.requires_grad_(False).eval().to(device).to(memory_format=torch.channels_last)
    return Checkpoint(name or own_name, config, model)


def checkpoint_folder(source: Path) -> Path:
    """The checkpoint that is meant by a folder: itself, or the best one where it is a training's run."""
    return source if (source / CONFIG).is_file() else best_checkpoint(source) or source


def read_config(path: Path, called: str) -> Config:
    """Read `config.json` of the checkpoint that is called so.

    Raises:
        InputError: If it is too large, no text, or not one of ours.
    """
    if (size := path.stat().st_size) > MAX_CONFIG_BYTES:
        raise InputError(f"{called}/{CONFIG} has {size} bytes; expected at most {MAX_CONFIG_BYTES}.")
    try:
        return config_from_json(path.read_text())
    except UnicodeDecodeError:
        raise InputError(f"{called}/{CONFIG} is not text.") from None
    except InputError as error:
        raise InputError(f"{called}: {error}") from None


def weight_bytes(config: Config) -> int:
    """How many bytes the weights of this network take, without their names; none is allocated."""
    return sum(tensor.numel() * tensor.element_size() for tensor in _empty_model(config).state_dict().values())


def _empty_model(config: Config) -> Model:
    with torch.device("meta"):
        return build_model(config.model)


def _read_weights(path: Path, model: Model, called: str) -> dict[str, torch.Tensor]:
    """The tensors of `path`, checked against the network before any is read."""
    types = {name: tensor.dtype for name, tensor in model.state_dict().items()}
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
            if fault := shape_fault(found, model):
                raise InputError(f"{called}/{WEIGHTS} does not fit its {CONFIG}: {fault}.")
            return {name: file.get_tensor(name).to(types[name]) for name in found}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{called}/{WEIGHTS} is not a safetensors file: {error}.") from None


def shape_fault(found: dict[str, tuple[int, ...]], model: Model) -> str | None:
    """The first tensor that the network lacks, needs or has in another shape, in words; None if all fit."""
    expected = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    for name in expected:
        if name not in found:
            return f"{name} is missing"
        if found[name] != expected[name]:
            return f"{name} has shape {found[name]}, expected {expected[name]}"
    extra = found.keys() - expected.keys()
    return f"{min(extra)} is not part of the network" if extra else None
