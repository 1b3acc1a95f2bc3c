"""The training loop: `accelerate launch -m training train --data DIR --out RUN --max-minutes M`."""

import logging
import math
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, gather_object
from torch import Tensor, nn

from cvae.device import has_bf16
from cvae.errors import InputError
from cvae.robot_request import ROBOT_FPS
from cvae.runs import best_checkpoint, checkpoints_in
from hub.publisher import Publisher
from training.augment import change_view, crop, mirror, recolour
from training.claim import claimed
from training.config import TrainConfig
from training.data.clips import Batch, Recordings, Shards, numbers_of, open_source, to_batch
from training.data.loading import clips_per_step, count_epochs, step_batches
from training.data.splits import open_split
from training.dice import Dice
from training.evaluation.evaluate import choose_spans, validation_psnr
from training.logs import Log
from training.preview import preview
from training.progress import ProgressBar
from training.recipe import Recipe
from training.run import Run, resume_run, save_run, start_run
from training.schedules import Clock, average_decay, learning_rate
from training.stop import StopRequest
from training.strategies import interpolate_weights

logger = logging.getLogger(__name__)

PREVIEW_FPS = 15.0


def train(config: TrainConfig) -> Path:
    """Train, validate now and then, and save a checkpoint at each validation and at the end.

    Returns:
        The folder of the run.

    Raises:
        InputError: If the data or the options do not fit, the loss is no number, or the disk is full.
    """
    clock = Clock(config.steps, config.max_minutes)
    accelerator = start_accelerator(config)
    publisher = None
    if config.push_to_hub and accelerator.is_main_process:
        publisher = Publisher(config.push_to_hub, config.out)
    with accelerator.main_process_first():  # the others find the decoded frames in the cache
        condition = config.recipe.network.condition
        source = open_source(config.data, config.recipe.size, condition)
        validation = open_split(config.data, "val", source.size, condition)
    run = start_run(accelerator, config, source.size, numbers_of(source))
    with claimed(config.out, config.resume) if accelerator.is_main_process else nullcontext():
        if config.resume and resume_run(run, config.out):
            clock.minutes_before = run.minutes
            logger.info("Going on after step %d.", run.step)
        if len(set(gather_object([run.step]))) > 1:
            raise InputError(
                f"Not all processes find the same checkpoints in {config.out}; expected a disk that all share."
            )
        watcher = Watcher(run, config, clock, validation, publisher)
        try:
            with publisher or nullcontext(), StopRequest() as stop, watcher:
                fit(run, config, clock, source, watcher, stop)
        except OSError as error:
            raise watcher.failure(f"{error.filename or config.out}: {error.strerror or error}") from error
        accelerator.wait_for_everyone()
    accelerator.end_training()
    if stop.signal:
        logger.info("Stopped at step %d, which is saved; the same command with --resume goes on.", run.step)
        raise SystemExit(128 + stop.signal)
    return config.out


def start_accelerator(config: TrainConfig) -> Accelerator:
    """Processes, device and precision.

    Raises:
        InputError: If the precision needs a GPU and there is none.
    """
    has_gpu = torch.accelerator.is_available()
    device = "cuda" if has_gpu else "cpu"
    if config.mixed_precision == "fp16" and not has_gpu:
        raise InputError("--mixed-precision fp16 needs a GPU; on a CPU there are bf16 and no.")
    return Accelerator(
        mixed_precision=config.mixed_precision or ("bf16" if has_bf16(device) else "no"),
        gradient_accumulation_steps=config.recipe.optimizer.accumulate,
        cpu=not has_gpu,  # else processes on a CPU would not join
    )


def fit(
    run: Run, config: TrainConfig, clock: Clock, source: Recordings | Shards, watcher: "Watcher", stop: StopRequest
) -> None:
    """The loop: steps until the clock or somebody says that it is enough."""
    recipe, epochs = config.recipe, count_epochs(run, config.recipe, source)
    for batches in step_batches(run, config, source, epochs):
        progress, asked = agree(run.accelerator, clock.progress(run.step), stop)
        if progress >= 1 or asked:
            break
        epoch = epochs.at(run.step)
        if run.step == 0 or epoch != epochs.at(run.step - 1):
            begin_epoch(run, recipe, epoch, progress)
        plan = plan_step(run, recipe, epoch, progress)
        metrics = train_step(run, recipe, plan, batches)
        run.step += 1
        watcher.saw_step(progress, plan, metrics)
        if run.step % config.validate_every == 0:
            watcher.validate_and_save()
    watcher.end()


def agree(accelerator: Accelerator, progress: float, stop: StopRequest) -> tuple[float, int]:
    """The main process's progress and request to stop, so that all processes end at the same step."""
    if accelerator.num_processes == 1:
        return progress, stop.signal
    told = broadcast(torch.tensor([progress, stop.signal], device=accelerator.device)).tolist()
    stop.signal = int(told[1])
    return told[0], stop.signal


def begin_epoch(run: Run, recipe: Recipe, epoch: int, progress: float) -> None:
    """Note where it begins, and pull the weights back where the recipe says so."""
    run.epoch_progress = progress
    every = recipe.optimizer.interpolate_every
    if every and epoch and epoch % every == 0:
        with torch.no_grad():
            for name, weights in run.model.named_parameters():
                weights.copy_(interpolate_weights(weights, run.initial[name].to(weights.device)))


class Plan(NamedTuple):
    """What the schedules say of one step."""

    lr: float
    kl_weight: float
    share_of_truth: float
    teacher_forcing: float
    match_histograms: bool


def plan_step(run: Run, recipe: Recipe, epoch: int, progress: float) -> Plan:
    """Ask all schedules."""
    optimizer, kl = recipe.optimizer, recipe.kl
    return Plan(
        lr=learning_rate(optimizer.peak_lr, run.step, progress, optimizer.schedule),
        kl_weight=kl.weight(run.epoch_progress if kl.every == "epoch" else progress),
        share_of_truth=recipe.forcing.share_of_truth(epoch, run.step, recipe.seed),
        teacher_forcing=recipe.forcing.ratio(epoch),
        match_histograms=epoch < recipe.histogram_epochs,
    )


def train_step(run: Run, recipe: Recipe, plan: Plan, batches: Sequence[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """One step on the clips of one or more batches; gives what there is to see, means over this process's clips.

    Args:
        run: Changed by it.
        recipe: How.
        plan: Of this step.
        batches: Frames and conditions as `load_clips` gives them; their gradients are added up.
    """
    for group in run.optimizer.param_groups:
        group["lr"] = plan.lr
    seen: dict[str, list[Tensor]] = {"loss": [], "reconstruction": [], "KL": []}
    for index, (frames, poses) in enumerate(batches):
        dice = Dice(recipe.seed, clip_numbers(run, recipe, index))
        with run.accelerator.accumulate(run.objective):
            batch = to_batch(*(clip.to(run.accelerator.device, non_blocking=True) for clip in (frames, poses)))
            batch = augment(batch, recipe, dice)
            losses = run.objective(batch, dice, plan.share_of_truth, plan.match_histograms)
            loss = (losses.reconstruction + plan.kl_weight * losses.kl).mean()
            run.accelerator.backward(loss)
            if run.accelerator.sync_gradients:
                run.accelerator.clip_grad_norm_(run.objective.parameters(), 1.0)
            run.optimizer.step()
            run.optimizer.zero_grad()
        for name, values in (("loss", loss), ("reconstruction", losses.reconstruction), ("KL", losses.kl)):
            seen[name].append(values.detach().mean())
    update_average(run.average, run.model, average_decay(run.step) if recipe.optimizer.average else 0.0)
    return {name: torch.stack(values).mean() for name, values in seen.items()}


def clip_numbers(run: Run, recipe: Recipe, index: int) -> range:
    """The numbers of this process's clips in the batch `index` of this step, counted over the whole training."""
    accelerator, size = run.accelerator, recipe.clips.batch_size
    batch = (run.step * recipe.optimizer.accumulate + index) * accelerator.num_processes + accelerator.process_index
    return range(batch * size, (batch + 1) * size)


def augment(batch: Batch, recipe: Recipe, dice: Dice) -> Batch:
    """All changes of the recipe to the clips of a batch."""
    options = recipe.augment
    if options.zoom_share:
        how = (options.zoom_share, options.zoom, options.shift, options.turn, options.stretch)
        batch = change_view(batch, *how, dice)
    if options.crop_share:
        batch = crop(batch, options.crop_share, options.smallest_crop, dice)
    if options.mirror_share:
        batch = mirror(batch, options.mirror_share, dice)
    return recolour(batch, options.recolour_share, dice) if options.recolour_share else batch


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the model's by `1 - decay`, and take over its running statistics."""
    for kept, new in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
    for statistic, newest in zip(average.buffers(), model.buffers(), strict=True):
        statistic.copy_(newest)


class Watcher:
    """What is seen, validated and saved of a run; all but the reduction of metrics is the main process's work."""

    def __init__(
        self, run: Run, config: TrainConfig, clock: Clock, validation: Recordings, publisher: Publisher | None = None
    ) -> None:
        self.run, self.config, self.clock, self.validation = run, config, clock, validation
        self.publisher = publisher
        self.is_main = run.accelerator.is_main_process
        self.spans = choose_spans(validation, config.validation_frames, run.checkpoint_config.model)
        frames = clips_per_step(run, config.recipe) * (config.recipe.clips.frames - 1)
        self.bar = ProgressBar(frames_per_step=frames, first_step=run.step, shown=self.is_main)
        self.log = Log(config.out, run.step) if self.is_main else None

    def saw_step(self, progress: float, plan: Plan, metrics: dict[str, Tensor]) -> None:
        """Show and log a step; the loss must be a number.

        Raises:
            InputError: If it is none.
        """
        step = self.run.step
        if step % self.config.log_every == 0:
            metrics = self.run.accelerator.reduce(metrics, reduction="mean")
        values = {name: value.item() for name, value in metrics.items()}
        if not math.isfinite(values["loss"]):
            raise self.diverged(f"The loss is {values['loss']}")
        self.bar.show(step, progress, values)
        if self.log and step % self.config.log_every == 0:
            schedules = {"lr": plan.lr, "kl_weight": plan.kl_weight, "teacher_forcing": plan.teacher_forcing}
            self.log.write(step, **values, **schedules, frames_per_second=self.bar.speed(step))

    def validate_and_save(self) -> None:
        """Score free rollouts of the averaged weights, whose truth is only compared with, and save a checkpoint.

        Raises:
            InputError: If a weight is no number, which the loss shows one step later.
        """
        if not self.log:
            return
        if not all(weights.isfinite().all() for weights in self.run.model.parameters()):
            raise self.diverged("The weights are no numbers")
        run, sample = self.run, self.run.checkpoint_config.sampling.sample
        self.bar.score = validation_psnr(run.average, self.validation, self.spans, sample)
        self.log.write(run.step, validation_psnr=self.bar.score)
        shown = preview(run.average, self.validation, self.spans, sample)
        fps = PREVIEW_FPS if run.checkpoint_config.model.condition == "poses" else ROBOT_FPS
        self.log.show(run.step, shown, fps)
        self.log.draw()
        folder = save_run(run, self.config.out, self.clock.minutes, self.bar.score)
        if self.publisher and folder == best_checkpoint(self.config.out):
            self.publisher.offer(shown, fps)

    def diverged(self, what: str) -> InputError:
        """What to raise where numbers are none any more."""
        return self.failure(what, f" Try a --optimizer.peak-lr below {self.config.recipe.optimizer.peak_lr:g}.")

    def failure(self, what: str, advice: str = "") -> InputError:
        """What to raise: `what` it was, at which step and learning rate, and what is left."""
        rate, kept = self.run.optimizer.param_groups[0]["lr"], list(checkpoints_in(self.config.out).values())
        last = f"the last good checkpoint is {kept[-1]}" if kept else "no checkpoint was saved yet"
        return InputError(f"{what} at step {self.run.step}, with a learning rate of {rate:.3g}; {last}.{advice}")

    def end(self) -> None:
        """Save what was learned since the last validation, and publish the best of all."""
        if self.run.step not in checkpoints_in(self.config.out):
            self.validate_and_save()
        if self.publisher:
            self.publisher.offer()
        if self.is_main:
            self.bar.fill(self.run.step)
            score = "" if self.bar.score is None else f", validation PSNR {self.bar.score:.2f} dB"
            logger.info("%d steps%s: %s", self.run.step, score, self.config.out)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Draw the figures, end the files and the bar's line, however the training ended."""
        self.bar.close()
        if self.log:
            with suppress(OSError, InputError) if error else nullcontext():  # of two faults the first is told
                self.log.close()
