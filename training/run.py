"""The state of a training: what a step changes, how it is saved, and how it is found again."""

import copy
import dataclasses
import json
import math
import os
import shutil
import subprocess
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from numpy.typing import NDArray
from torch import Tensor, nn

from cvae.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from cvae.config import Config, DataConfig, SamplingConfig
from cvae.errors import InputError
from cvae.files import filling, remove_leftovers
from cvae.models import Model, build_model
from cvae.runs import best_checkpoint, checkpoints_in, step_folder
from hub.pull import local_checkpoint
from training.config import TrainConfig
from training.objective import Objective
from training.optimizer import build_optimizer

STATE = "state"
_STATE_FILE = "state.pt"
LEFT_OPEN = (
    "data",
    "out",
    "resume",
    "init_from",
    "steps",
    "max_minutes",
    "validate_every",
    "log_every",
    "workers",
    "push_to_hub",
)
"""Options that may be others when a run is resumed: they do not decide what is learned from a clip."""


@dataclass
class Run:
    """What one training step needs and changes."""

    accelerator: Accelerator
    objective: nn.Module
    average: Model
    optimizer: torch.optim.Optimizer
    initial: dict[str, Tensor]
    """The weights at the beginning, on the CPU; empty where they are never pulled back to them."""
    checkpoint_config: Config
    description: dict[str, Any]
    step: int = 0
    epoch_progress: float = 0.0
    """Progress of the training when the epoch began."""
    minutes: float = 0.0
    """Trained before this process began."""

    @property
    def model(self) -> Model:
        """The network that is being trained, without what data-parallel training and compiling wrap around it."""
        return self.accelerator.unwrap_model(self.objective, keep_torch_compile=False).model


def start_run(
    accelerator: Accelerator, config: TrainConfig, size: tuple[int, int], numbers: NDArray[np.float32] | None = None
) -> Run:
    """Weights and optimizer at step 0.

    Args:
        accelerator: Where it runs.
        config: What was asked for.
        size: Height and width of the frames.
        numbers: Those that come with the frames of the training, `(N, D)`, where the network is told numbers.

    Raises:
        InputError: If the network cannot work on this size, or the checkpoint to start from cannot be used.
    """
    recipe = config.recipe
    checkpoint = open_initial(config.init_from, accelerator) if config.init_from is not None else None
    checkpoint_config, model = _start_model(config, size, numbers, checkpoint)
    model.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).to(accelerator.device).requires_grad_(False).eval()
    initial = {}
    if recipe.optimizer.interpolate_every:
        initial = {name: parameter.detach().cpu().clone() for name, parameter in model.named_parameters()}
    objective: nn.Module = Objective(model, recipe.objective, kl_per_value=recipe.kl.per_value)
    if config.compile:
        objective = torch.compile(objective)  # type: ignore[assignment]
    optimizer = build_optimizer(model, recipe.optimizer)
    prepared, optimizer = accelerator.prepare(objective, optimizer)
    description = _describe(config, accelerator, checkpoint)
    return Run(accelerator, prepared, average, optimizer, initial, checkpoint_config, description)


def open_initial(reference: str | Path, accelerator: Accelerator) -> Checkpoint:
    """The checkpoint to start from; every process takes the same commit, also while another is published.

    Raises:
        InputError: If it cannot be had.
    """
    fetched = local_checkpoint(reference) if accelerator.is_main_process else None
    exact = broadcast_object_list([fetched.exact if fetched else None])[0]
    return (fetched or local_checkpoint(exact)).load()


def _start_model(
    config: TrainConfig,
    size: tuple[int, int],
    numbers: NDArray[np.float32] | None,
    checkpoint: Checkpoint | None,
) -> tuple[Config, Model]:
    """A new network for frames of this size, or the one to start from."""
    torch.manual_seed(config.recipe.seed)
    data, network = DataConfig(height=size[0], width=size[1]), config.recipe.network
    if checkpoint is None:
        ranges = None if numbers is None else np.stack([numbers.min(0), numbers.max(0)])
        model_config = network.for_frames(data, ranges)
        checkpoint_config = Config(model=model_config, data=data, sampling=SamplingConfig(sample=network.sample))
        return checkpoint_config, build_model(model_config)
    if (driven_by := checkpoint.config.model.condition) != network.condition:
        raise InputError(
            f"{checkpoint.name} is a network driven by {driven_by}; this recipe trains one driven by "
            f"{network.condition}. Give the --preset, or --network.svg.condition, that it was trained with."
        )
    past = checkpoint.config.model.past_frames
    if config.recipe.clips.frames <= past:
        raise InputError(f"{checkpoint.name} is given {past} frames; expected --clips.frames of {past + 1} or more.")
    return dataclasses.replace(checkpoint.config, data=data), checkpoint.model.train().requires_grad_(True)


def _describe(config: TrainConfig, accelerator: Accelerator, start: Checkpoint | None) -> dict[str, Any]:
    """What `training.json` says from the start, for people and the model card: options, machine and code."""
    options = {k: v.name if isinstance(v, Path) else v for k, v in dataclasses.asdict(config).items()}
    options["init_from"] = start.name if start else None  # of the Hub with its commit; no path of this machine
    return {
        "options": options,
        "machine": {
            "device": accelerator.device.type,
            "processes": accelerator.num_processes,
            "mixed_precision": accelerator.mixed_precision,
            "torch": torch.__version__,
        },
        "code": code_version(),
    }


def code_version() -> str | None:
    """The commit of the code, with `-dirty` where it was changed since; None where there is no git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        said = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return said.stdout.strip() or None


def save_run(run: Run, out: Path, minutes: float, score: float) -> Path:
    """Write the checkpoint of this step with all that resuming needs, and remove what neither is best nor last.

    The folder appears whole or not at all; what was saved before stays until then.

    Args:
        run: At the step to save.
        out: Folder of the run.
        minutes: Trained so far.
        score: PSNR of the validation, dB.

    Raises:
        OSError: If it cannot be written, as on a full disk.
    """
    folder = step_folder(out, run.step)
    told = {"step": run.step, "minutes": round(minutes, 1), "validation_psnr": round(score, 3)}
    state = {
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "scaler": run.accelerator.scaler.state_dict() if run.accelerator.scaler else {},
        "initial": run.initial,
        "step": run.step,
        "epoch_progress": run.epoch_progress,
        "minutes": minutes,
        "decisive": decisive_options(run),
    }
    try:
        with filling(folder) as partial:
            save_checkpoint(partial, run.checkpoint_config, run.average, run.description | told)
            (partial / STATE).mkdir()
            torch.save(state, partial / STATE / _STATE_FILE)
            _sync(*partial.rglob("*"), partial)
        _sync(out)
    except InputError as error:
        raise OSError(str(error).removesuffix(".")) from error
    except RuntimeError as error:  # torch's word for a full disk
        raise OSError("the disk may be full") from error
    _prune(out)
    return folder


def _sync(*paths: Path) -> None:
    """Have these on the disk before what is older is removed: a power cut would else leave names without content."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            # Some network disks cannot do it with folders.
            with suppress(OSError) if path.is_dir() else nullcontext():
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _prune(out: Path) -> None:
    best = best_checkpoint(out)
    for folder in list(checkpoints_in(out).values())[:-1]:
        shutil.rmtree(folder / STATE if folder == best else folder, ignore_errors=True)


def decisive_options(run: Run) -> str:
    """The options that must be the same when the run is resumed, as JSON."""
    options = run.description["options"]
    return json.dumps({name: value for name, value in options.items() if name not in LEFT_OPEN})


def resume_run(run: Run, out: Path) -> bool:
    """Bring a new run to where the last checkpoint in `out` stopped; leftovers of a broken save are removed.

    Returns:
        False where there is no checkpoint.

    Raises:
        InputError: If the options are others, or the state cannot be read.
    """
    if run.accelerator.is_main_process:
        remove_leftovers(out)
    folders = checkpoints_in(out)
    if not folders:
        return False
    folder = list(folders.values())[-1]
    try:
        state = torch.load(folder / STATE / _STATE_FILE, map_location="cpu", weights_only=True)
        _check_same_options(json.loads(state["decisive"]), json.loads(decisive_options(run)))
        _restore(run, state, folder)
    except InputError:
        raise
    except Exception as error:  # torch raises many kinds on a damaged file, and so does what is foreign in it
        raise InputError(
            f"{folder} cannot be resumed from: its {STATE}/{_STATE_FILE} is missing or damaged; a new run may begin "
            f"with its weights, by --init-from {folder}."
        ) from error
    return True


def _restore(run: Run, state: dict[str, Any], folder: Path) -> None:
    saved = load_checkpoint(folder)
    if saved.config.model != run.checkpoint_config.model:
        raise InputError(f"{folder} holds another network than these options give; resume with the same --init-from.")
    run.model.load_state_dict(state["model"])
    run.average.load_state_dict(saved.model.state_dict())
    run.optimizer.load_state_dict(state["optimizer"])
    for weights, moments in run.optimizer.state.items():  # torch takes any shapes, and then writes beyond them
        tensors = [value for name, value in moments.items() if isinstance(value, Tensor) and name != "step"]
        if {moment.shape for moment in tensors} != {weights.shape}:
            raise ValueError("moments of other shapes than the weights")
    if run.accelerator.scaler:
        run.accelerator.scaler.load_state_dict(state["scaler"])
    if _shapes(state["initial"]) != _shapes(run.initial):
        raise ValueError("other initial weights")
    run.initial, run.step, run.minutes = state["initial"], state["step"], state["minutes"]
    run.epoch_progress = state["epoch_progress"]
    if type(run.step) is not int or step_folder(folder.parent, run.step) != folder:
        raise ValueError("another step than its folder's")
    if not math.isfinite(run.minutes + run.epoch_progress):
        raise ValueError("no numbers")


def _shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _check_same_options(before: dict[str, Any], now: dict[str, Any], prefix: str = "") -> None:
    for name in before.keys() | now.keys():
        old, new = before.get(name), now.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            _check_same_options(old, new, f"{prefix}{name}.".removeprefix("recipe."))
        elif old != new:
            option = f"{prefix}{name}".replace("_", "-")
            raise InputError(f"--{option} was {old} when the run began and is {new} now; resume with the same options.")
