"""The main job: given frames and conditions in, a video out. What the command line and the page both call."""

import csv
import logging
import os
import reprlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from cvae.checkpoint import BUNDLED, BUNDLED_ROBOT, Checkpoint
from cvae.errors import InputError
from cvae.export import write_video
from cvae.files import replacing
from cvae.gaussian import Sampling
from cvae.metrics import psnr
from cvae.models import Model
from cvae.progress import Watch, frame_bar
from cvae.request import Request, read_request
from cvae.robot_request import read_robot_request
from cvae.rollout import rollout

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]


def generate(model: Model, request: Request, *, sample: Sampling = "mean", seed: int = 0) -> Iterator[Picture]:
    """Predict the video of a request.

    Args:
        model: In evaluation mode, on any device.
        request: From `read_request` or `read_robot_request`, of the size that the model was trained at.
        sample: Take the latent's prior `mean` or draw from the `prior`.
        seed: Of the draws.

    Yields:
        The frames after the given ones, uint8 `(H, W, 3)`, each as soon as it is made.
    """
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    given, conditions = to_tensor(request.given).to(device), to_conditions(request.conditions).to(device)
    for frame in rollout(model, given[None], conditions[None], sample=sample, generator=generator):
        yield to_picture(frame[0])


def frame_psnr(frames: Sequence[Picture], truth: Picture) -> list[float]:
    """PSNR in dB of 8-bit frames, each against the frame of `truth`, uint8 `(T, H, W, 3)`, in its place."""
    values: list[float] = psnr(to_tensor(np.stack(frames)), to_tensor(truth)).tolist()
    return values


def to_tensor(frames: Picture) -> Tensor:
    """uint8 `(T, H, W, 3)` to float `(T, 3, H, W)` in [0, 1]."""
    return rearrange(torch.from_numpy(np.array(frames)), "t h w c -> t c h w").float() / 255


def to_conditions(conditions: NDArray[Any]) -> Tensor:
    """What comes with T frames, as a network takes it: pictures to `(T, 3, H, W)` in [0, 1], numbers as they are."""
    return to_tensor(conditions) if conditions.dtype == np.uint8 else torch.from_numpy(np.array(conditions))


def to_picture(frame: Tensor) -> Picture:
    """Float `(3, H, W)` in [0, 1] to uint8 `(H, W, 3)`."""
    levels = (frame * 255).round().clamp(0, 255).to(torch.uint8)
    picture: Picture = rearrange(levels, "c h w -> h w c").cpu().numpy()
    return picture


def write_psnr(path: Path, values: Sequence[float], given: int = 1) -> None:
    """A CSV with the columns `frame,psnr`; it appears whole or not at all.

    Args:
        path: The file.
        values: dB of the frames after the given ones.
        given: How many these are; frames are counted from 0.
    """
    with replacing(path) as partial, partial.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("frame", "psnr"))
        rows.writerows((frame, f"{value:.4f}") for frame, value in enumerate(values, start=given))


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """Predict the video of a person from a first frame and poses, or of a robot from its first frames and actions."""

    out: Path
    """The video to write: .gif or .mp4."""
    poses: Path | None = None
    """Pictures of skeletons, key points (OpenPose JSON, .npz) or a video of a person: a file, a folder or a zip. Pose 0
    belongs to the first frame."""
    first_frame: Path | None = None
    """A picture of the person. A video of a person can do without: then its own first frame is taken, and its frames
    are the truth."""
    actions: Path | None = None
    """Of a robot: a CSV of 7 numbers for every frame, 4 of the action and 3 of the hand's position, or a folder or zip
    with actions.csv and endeffector_positions.csv."""
    frames: Path | None = None
    """Of a robot: two or more frames that are given, as a folder, a zip, a GIF or a video. Those that lie beside the
    actions by default; are they all, they are also the truth."""
    truth: Path | None = None
    """The true frames, as many as poses or actions, to compare with."""
    psnr: Path | None = None
    """A CSV to write with the PSNR of every frame, where there is a truth."""
    fps: float | None = None
    """Frames per second of the video to write; those of the poses by default, 5 of a robot."""
    retarget: Literal["auto", "always", "never"] = "auto"
    """Fit the poses to the person of the first frame, by one scale and one shift. `auto`: only poses that were found in
    a video of a person, when another first frame is given."""
    checkpoint: str | Path | None = None
    """Checkpoint folder, or user/name[@revision] on the Hub; the bundled one for persons or robots by default."""
    seed: int = 0
    """Of the draws from the prior."""
    sample: Sampling | None = None
    """Draw latents from the `prior` or take its `mean`; the checkpoint's own choice by default."""
    device: str | None = None
    """`cpu` or `cuda`; the GPU where there is one, by default."""

    def __post_init__(self) -> None:
        if (self.poses is None) == (self.actions is None):
            raise InputError("Give either --poses, of a person, or --actions, of a robot.")
        if self.poses and self.frames:
            raise InputError("--frames are those of a robot; expected --first-frame beside --poses.")
        if self.actions and self.first_frame:
            raise InputError("--first-frame is that of a person; expected --frames beside --actions.")
        if self.fps is not None and not 1 <= self.fps <= 60:
            raise InputError(f"--fps is {self.fps:g}; expected 1 to 60 frames per second.")
        if self.out.suffix.lower() not in (".gif", ".mp4"):
            raise InputError(f"--out is {self.out}; expected a name that ends in .gif or .mp4.")
        if not 0 <= self.seed < 2**32:
            raise InputError(f"--seed is {reprlib.repr(self.seed)}; expected a whole number from 0 to {2**32 - 1}.")
        for path in filter(None, (self.out, self.psnr)):
            if not path.parent.is_dir():
                raise InputError(f"{path} cannot be written: there is no folder {path.parent}.")
        given = {
            "--poses": self.poses,
            "--first-frame": self.first_frame,
            "--actions": self.actions,
            "--frames": self.frames,
            "--truth": self.truth,
            "--psnr": self.psnr,
        }
        for option, came in given.items():
            for name, written in (("--out", self.out), ("--psnr", self.psnr)):
                if came and written and option != name and os.path.realpath(came) == os.path.realpath(written):
                    raise InputError(f"{option} and {name} are both {came}; expected another file to write.")

    @property
    def source(self) -> str | Path:
        """The checkpoint, the bundled one where none is named."""
        return self.checkpoint or (BUNDLED if self.poses else BUNDLED_ROBOT)


def generate_file(config: GenerateConfig, checkpoint: Checkpoint) -> None:
    """Write what is asked for with the network of this checkpoint, which may have come from anywhere."""
    with frame_bar("reading") as watch:
        request = _read(config, checkpoint, watch)
    if config.psnr and request.truth is None:
        raise InputError("--psnr compares with the true frames; expected --truth too, or a video of a person alone.")
    for note in request.notes:
        log.info("Note: %s", note)
    sample = config.sample or checkpoint.config.sampling.sample
    started = time.perf_counter()
    predicted = generate(checkpoint.model, request, sample=sample, seed=config.seed)
    frames = list(tqdm(predicted, "generating", request.future, unit=" frames", leave=False))
    seconds, given = time.perf_counter() - started, len(request.given)
    values = frame_psnr(frames, request.truth[given:]) if request.truth is not None else []
    write_video(config.out, np.stack([*request.given, *frames]), request.fps)
    if config.psnr:
        write_psnr(config.psnr, values, given)
    print(f"{len(frames)} frames in {seconds:.2f} s, {len(frames) / seconds:.1f} frames/s: {config.out}")
    if values:
        print(f"mean PSNR {np.mean(values):.2f} dB")


def _read(config: GenerateConfig, checkpoint: Checkpoint, watch: Watch) -> Request:
    network, size = checkpoint.config.model, checkpoint.config.data.size
    if config.poses is not None:
        if network.condition not in ("poses", "keypoints"):
            raise InputError(f"{checkpoint.name} predicts a robot; expected --actions instead of --poses.")
        return read_request(
            config.first_frame,
            config.poses,
            config.truth,
            size=size,
            as_numbers=network.condition == "keypoints",
            past_frames=network.past_frames,
            fps=config.fps,
            retarget={"auto": None, "always": True, "never": False}[config.retarget],
            watch=watch,
        )
    assert config.actions is not None
    if network.condition not in ("actions", "none"):
        raise InputError(f"{checkpoint.name} predicts a person; expected --poses instead of --actions.")
    return read_robot_request(
        config.frames,
        config.actions,
        config.truth,
        size=size,
        past_frames=network.past_frames,
        fps=config.fps,
        watch=watch,
    )
