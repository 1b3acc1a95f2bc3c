"""The training loop: `accelerate launch -m training train --data DIR --out RUN --max-minutes M`."""

import copy
import dataclasses
import logging
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cvae.checkpoint import load_checkpoint, save_checkpoint
from cvae.config import Config, DataConfig, PoseCVAEConfig
from cvae.device import has_bf16
from cvae.errors import InputError
from cvae.files import new_folder
from cvae.models import PoseCVAE, build_model
from training.augment import recolour, zoom_and_shift
from training.data import Clips, ClipSampler, Recordings, collate, open_split, to_batch
from training.evaluate import choose_spans, validation_psnr
from training.objective import Objective
from training.progress import ProgressBar
from training.schedules import Clock, average_decay, kl_weight, learning_rate

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Train a network on clips in the lab's folder layout; a checkpoint folder comes out."""

    data: Path
    """Folder with train/train_img, train/train_label and the same for val."""
    out: Path
    """Folder of the run; the checkpoint is written to OUT/checkpoint."""
    init_from: Path | None = None
    """Checkpoint folder to start from; its network is kept, and the options of sizes are not looked at."""
    steps: int | None = None
    """Length of the training in steps. Give this or --max-minutes."""
    max_minutes: float | None = None
    """Length of the training in minutes; the schedules fit themselves to it."""
    size: tuple[int, int] | None = None
    """Height and width of the frames; the data's own by default."""
    patch_size: int | None = None
    """Pixel blocks folded into channels: 1 up to 32 pixels of height, 2 above, by default."""
    widths: tuple[int, ...] = (32, 64, 96, 128)
    """Channels of each level of the network."""
    attention_levels: tuple[int, ...] = (1, 2)
    """Levels on which body parts are looked up in the reference frame."""
    batch_size: int = 4
    """Clips a step, of each process."""
    clip_frames: int = 3
    """Frames of a clip: one that is given and those predicted from it, each fed back."""
    peak_lr: float = 1e-3
    """Learning rate after warm-up; falls to zero along half a cosine."""
    peak_kl_weight: float = 0.01
    """Weight of the KL divergence in nats per pixel value, reached after a tenth of the training."""
    prior_share: float = 0.5
    """Share of latents drawn as at use, from the prior's mean, instead of the posterior."""
    withhold: float = 0.5
    """Share of clips whose first prediction must do without the previous frame."""
    previous_noise: float = 0.1
    """Largest standard deviation of the noise on the previous frame."""
    zoom_share: float = 0.5
    """Share of clips shown from nearer, farther or aside."""
    zoom: tuple[float, float] = (0.6, 1.2)
    """Smallest and largest magnification of those."""
    shift: float = 0.15
    """Largest shift of those, in pictures."""
    recolour_share: float = 0.0
    """Share of clips whose colour channels are swapped; for data of many people."""
    person_weight: float = 0.5
    """How much more often clips with much of the person in the picture are drawn."""
    validate_every: int = 500
    """Steps between two validations."""
    validation_frames: int = 630
    """Frames rolled out at a validation, shared among at most eight recordings."""
    mixed_precision: Literal["no", "bf16", "fp16"] | None = None
    """`bf16` where the machine has instructions for it, else `no`, by default."""
    workers: int = 0
    """Processes that load clips beside the one that trains; 0 loads in the same, which is enough on a CPU."""
    seed: int = 0
    """Of weights, clips and noise."""

    def __post_init__(self) -> None:
        if (self.steps is None) == (self.max_minutes is None):
            raise InputError("Give the length of the training as either --steps N or --max-minutes M.")
        for name in ("steps", "max_minutes", "batch_size", "validate_every", "validation_frames", "peak_lr"):
            self._check(name, lambda value: value is None or value > 0, "above zero")
        for name in ("peak_kl_weight", "previous_noise", "shift", "person_weight", "workers", "seed"):
            self._check(name, lambda value: value >= 0, "zero or more")
        for name in ("prior_share", "withhold", "zoom_share", "recolour_share"):
            self._check(name, lambda value: 0 <= value <= 1, "a share from 0 to 1")
        self._check("zoom", lambda value: 0 < value[0] <= value[1], "a smallest and a largest magnification above zero")
        self._check("size", lambda value: value is None or min(value) > 0, "a height and a width in pixels")
        if self.clip_frames < 2:
            raise InputError(f"--clip-frames is at least 2, one given and one predicted; got {self.clip_frames}.")

    def _check(self, name: str, holds: Callable[[Any], bool], expected: str) -> None:
        if not holds(value := getattr(self, name)):
            raise InputError(f"--{name.replace('_', '-')} is {expected}; got {value}.")


@dataclass
class Run:
    """What one training step needs and changes."""

    accelerator: Accelerator
    objective: nn.Module
    average: PoseCVAE
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    checkpoint_config: Config
    description: dict[str, Any]
    started: float
    step: int = 0

    @property
    def model(self) -> PoseCVAE:
        """The network that is being trained, without what data-parallel training wraps around it."""
        return self.accelerator.unwrap_model(self.objective).model


def train(config: TrainConfig) -> Path:
    """Train, validate now and then, and write the checkpoint with the averaged weights.

    Returns:
        The checkpoint folder.

    Raises:
        InputError: If the data or the options do not fit.
    """
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision or ("bf16" if has_bf16() else "no"),
        cpu=not torch.accelerator.is_available(),  # else processes on a CPU would not join
    )
    with accelerator.main_process_first():  # the others find the decoded frames in the cache
        recordings = open_split(config.data, "train", config.size)
        validation = open_split(config.data, "val", recordings.size)
    spans = choose_spans(validation, config.validation_frames)
    run = start_run(accelerator, config, recordings.size)
    loader = accelerator.prepare(load_clips(config, recordings))
    if accelerator.is_main_process:
        new_folder(config.out)
    clock = Clock(config.steps, config.max_minutes)
    bar = ProgressBar(frames_per_step=config.batch_size * (config.clip_frames - 1), shown=accelerator.is_main_process)
    interrupted = None
    try:
        for frames, poses in loader:
            progress = agree(accelerator, clock.progress(run.step))
            if progress >= 1:
                break
            metrics = train_step(run, config, frames, poses, progress)
            run.step += 1
            bar.show(run.step, progress, metrics)
            if accelerator.is_main_process and run.step % config.validate_every == 0:
                bar.score = validate_and_save(run, config, validation, spans)
    except KeyboardInterrupt as error:
        interrupted = error  # what was learned is kept
    if accelerator.is_main_process and run.step > 0:
        bar.score = validate_and_save(run, config, validation, spans)
        bar.close(run.step)
        log.info("%d steps, validation PSNR %.2f dB: %s", run.step, bar.score, config.out / "checkpoint")
    if interrupted:
        raise interrupted
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return config.out / "checkpoint"


def load_clips(config: TrainConfig, recordings: Recordings) -> DataLoader[Any]:
    """Endless batches of clips, uint8 `(B, 1 + T, H, W, 3)`, of frames and of poses."""
    return DataLoader(
        Clips(recordings, config.clip_frames),
        config.batch_size,
        sampler=ClipSampler(recordings, config.clip_frames, config.person_weight, config.seed),
        collate_fn=collate,
        num_workers=config.workers,
        drop_last=True,
    )


def agree(accelerator: Accelerator, progress: float) -> float:
    """The main process's progress, so that all processes stop at the same step."""
    if accelerator.num_processes == 1:
        return progress
    return float(broadcast(torch.tensor(progress, device=accelerator.device)))


def make_checkpoint_config(config: TrainConfig, size: tuple[int, int]) -> Config:
    """What travels with the weights of a new network."""
    patch = config.patch_size or (1 if size[0] <= 32 else 2)
    model = PoseCVAEConfig(patch_size=patch, widths=config.widths, attention_levels=config.attention_levels)
    return Config(model=model, data=DataConfig(height=size[0], width=size[1]))


def start_model(config: TrainConfig, size: tuple[int, int]) -> tuple[Config, PoseCVAE]:
    """A new network for frames of this size, or the one to start from."""
    torch.manual_seed(config.seed)
    if config.init_from is None:
        checkpoint_config = make_checkpoint_config(config, size)
        return checkpoint_config, build_model(checkpoint_config.model)
    checkpoint = load_checkpoint(config.init_from)
    data = DataConfig(height=size[0], width=size[1])
    return dataclasses.replace(checkpoint.config, data=data), checkpoint.model.train().requires_grad_(True)


def start_run(accelerator: Accelerator, config: TrainConfig, size: tuple[int, int]) -> Run:
    """Weights, optimizer and random numbers at step 0, for frames of this height and width."""
    checkpoint_config, model = start_model(config, size)
    model.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).to(accelerator.device).requires_grad_(False).eval()
    objective = Objective(
        model,
        withhold=config.withhold,
        previous_noise=config.previous_noise,
        prior_share=config.prior_share,
    )
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=1e-2, fused=True)
    prepared, optimizer = accelerator.prepare(objective, optimizer)
    generator = torch.Generator().manual_seed(config.seed + 1 + accelerator.process_index)
    return Run(
        accelerator,
        prepared,
        average,
        optimizer,
        generator,
        checkpoint_config,
        describe(config, accelerator),
        started=time.monotonic(),
    )


def train_step(run: Run, config: TrainConfig, frames: Tensor, poses: Tensor, progress: float) -> dict[str, float]:
    """One step on one batch of clips, uint8 `(B, 1 + T, H, W, 3)`; gives what there is to see."""
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(config.peak_lr, run.step, progress)
    batch = to_batch(frames, poses)
    batch = zoom_and_shift(batch, config.zoom_share, config.zoom, config.shift, run.generator)
    batch = recolour(batch, config.recolour_share, run.generator)
    losses = run.objective(batch, run.generator)
    loss = (losses.reconstruction + kl_weight(config.peak_kl_weight, progress) * losses.kl).mean()
    if not loss.isfinite():
        raise InputError(
            f"The loss is {loss.item()} at step {run.step}; try a --peak-lr below {config.peak_lr}. "
            f"The checkpoint of the last validation is kept in {config.out}."
        )
    run.accelerator.backward(loss)
    run.accelerator.clip_grad_norm_(run.objective.parameters(), 1.0)
    run.optimizer.step()
    run.optimizer.zero_grad()
    update_average(run.average, run.model, average_decay(run.step))
    return {"loss": loss.item(), "KL": losses.kl.mean().item() * batch.frames[0, 0].numel()}


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the model's by `1 - decay`."""
    for kept, new in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)


def validate_and_save(run: Run, config: TrainConfig, validation: Recordings, spans: list[tuple[int, int]]) -> float:
    """Score free rollouts of the averaged weights, whose truth is only compared with, and write the checkpoint."""
    score = validation_psnr(run.average, validation, spans, run.accelerator.device)
    minutes = round((time.monotonic() - run.started) / 60, 1)
    progress = {"step": run.step, "minutes": minutes, "validation_psnr": round(score, 3)}
    save_checkpoint(config.out / "checkpoint", run.checkpoint_config, run.average, run.description | progress)
    return score


def describe(config: TrainConfig, accelerator: Accelerator) -> dict[str, Any]:
    """What `training.json` says from the start, for people and the model card: options, machine and code."""
    options = {k: v.name if isinstance(v, Path) else v for k, v in dataclasses.asdict(config).items()}
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
