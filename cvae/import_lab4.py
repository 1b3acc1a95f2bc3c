"""A checkpoint of the lab turned into one of our folders: `python -m cvae import-lab4`."""

import math
import pickletools
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tyro.conf import Positional

from cvae.checkpoint import save_checkpoint, shape_fault
from cvae.config import Config, Lab4Config, SamplingConfig
from cvae.errors import InputError
from cvae.files import filling
from cvae.inputs import quoted
from cvae.models import Lab4CVAE

MAX_FILE_BYTES = 512 * 2**20
MAX_PICKLE_BYTES = 8 * 2**20

_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int")
_NEEDED = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", *(f"torch.{s}Storage" for s in _STORAGES)}
"""All that a file of weights and numbers asks Python for."""

_SIZES = {
    "frame_channels": ("frame_transformation.6.weight", 0),
    "label_channels": ("label_transformation.4.conv1.weight", 0),
    "latent_channels": ("Gaussian_Predictor.6.weight", 1),
    "decoder_channels": ("Decoder_Fusion.5.weight", 0),
}
"""The tensor and its dimension that tell each size."""


@dataclass(frozen=True, kw_only=True)
class ImportLab4Config:
    """Turn a checkpoint of the lab ("DLP Lab 4") into a checkpoint folder of ours.

    Whether a sigmoid stands behind the generator, and which statistics its BatchNorm uses, stands in the code that
    trained it and not in the file.
    """

    file: Positional[Path]
    """The lab's file, FILE.ckpt."""
    out: Path
    """Folder to write; it must not exist or be empty."""
    sigmoid: bool = False
    """The generator ends in a sigmoid."""
    running_stats: bool = False
    """Normalise by the statistics kept from training. By default by each picture's own, as the lab's code does."""


def main(config: ImportLab4Config) -> None:
    """`python -m cvae import-lab4`."""
    content = read_lab4(config.file)
    model = _build(config, content["state_dict"])
    training = {"source": config.file.name} | {key: _number(content, key) for key in ("lr", "tfr", "last_epoch")}
    checkpoint_config = Config(model=model.config, sampling=SamplingConfig(sample="prior"))
    with filling(config.out) as folder:
        save_checkpoint(folder, checkpoint_config, model, training)
    print(f"{sum(p.numel() for p in model.parameters()):,} weights of {config.file.name}: {config.out}")


def read_lab4(path: Path) -> dict[str, Any]:
    """What a checkpoint of the lab holds; nothing in it is run.

    Returns:
        Its entries; `state_dict` holds tensors by name. The tensors are parts of the file itself, mapped into memory.

    Raises:
        InputError: If it is too large, damaged, asks for more than weights need, or holds something else.
    """
    _check_archive(path)
    try:
        # Mapped: what is not needed, such as the second copy of the weights, costs no memory.
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # a damaged pickle makes the machine that reads it raise anything
        raise InputError(f"{path} is damaged, or no checkpoint of the lab.") from error
    weights = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(name, str) for name in weights):
        raise InputError(f"{path} is no checkpoint of the lab: it has no state_dict with the weights by name.")
    for name, tensor in weights.items():
        if not isinstance(tensor, Tensor):
            raise InputError(f"{path} holds something that is no tensor as {quoted(name)} of its state_dict.")
    return content


def _check_archive(path: Path) -> None:
    """Look at the pickle without running it."""
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        raise InputError(f"{path} has {size:,} bytes; expected at most {MAX_FILE_BYTES:,}.")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            (pickle,) = [info for info in entries if info.filename.endswith("/data.pkl")]
            if pickle.file_size > MAX_PICKLE_BYTES:
                raise InputError(f"{path} lists {pickle.file_size:,} bytes of names; expected weights of one network.")
            packed = any(info.compress_type != zipfile.ZIP_STORED for info in entries)
            if packed or sum(info.file_size for info in entries) > MAX_FILE_BYTES or archive.testzip():
                raise zipfile.BadZipFile  # torch maps the tensors as they lie, without a look at their checksums
            operations = list(pickletools.genops(archive.read(pickle)))
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and pickletools raise many kinds on a damaged file
        raise InputError(f"{path} is damaged, or no checkpoint as torch.save writes it.") from error
    asked = {str(argument).replace(" ", ".") for operation, argument, _ in operations if operation.name == "GLOBAL"}
    if foreign := asked - _NEEDED:
        raise InputError(f"{path} asks for {quoted(min(foreign))}, which weights do not need; nothing in it was run.")


def _build(config: ImportLab4Config, weights: dict[str, Tensor]) -> Lab4CVAE:
    """The network of the sizes that the tensors have, with their values."""
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    sizes: dict[str, Any] = {
        size: _size(config.file, shapes, name, dimension) for size, (name, dimension) in _SIZES.items()
    }
    try:
        options = Lab4Config(**sizes, sigmoid=config.sigmoid, running_statistics=config.running_stats)
    except InputError as error:
        raise InputError(f"{config.file}: {error}") from None
    model = Lab4CVAE(options).eval()
    if fault := shape_fault(shapes, model):
        listed = "/".join(str(size) for size in sizes.values())
        raise InputError(f"{config.file} is not the lab's network of {listed} channels: {fault}.")
    model.load_state_dict(weights)
    for name, tensor in model.state_dict().items():  # as they are kept: a double may be too large for a float
        if not tensor.isfinite().all():
            raise InputError(f"{config.file} holds values in {name} that are no numbers: its training had failed.")
    return model


def _size(path: Path, shapes: dict[str, tuple[int, ...]], name: str, dimension: int) -> int:
    if name not in shapes:
        raise InputError(f"{path} is not the lab's network: {name} is missing.")
    if len(shapes[name]) != 4:
        raise InputError(f"{path} is not the lab's network: {name} has shape {shapes[name]}, expected four dimensions.")
    return shapes[name][dimension]


def _number(content: dict[str, Any], key: str) -> float | None:
    """A number that people may want to know; None where the file does not tell."""
    value = content.get(key)
    try:
        return value if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:  # more digits than a float holds
        return None
