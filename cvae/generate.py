"""The main job: a first frame and poses in, a video out. What the command line and the page both call."""

import csv
import logging
import os
import reprlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from cvae.checkpoint import BUNDLED, Checkpoint
from cvae.errors import InputError
from cvae.export import write_video
from cvae.files import replacing
from cvae.gaussian import Sampling
from cvae.metrics import psnr
from cvae.models import Model
from cvae.progress import frame_bar
from cvae.request import Request, read_request
from cvae.rollout import rollout

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]


def generate(model: Model, request: Request, *, sample: Sampling = "mean", seed: int = 0) -> Iterator[Picture]:
    """Predict the video of a request.

    Args:
        model: In evaluation mode, on any device.
        request: From `read_request`, of the size that the model was trained at.
        sample: Take the latent's prior `mean` or draw from the `prior`.
        seed: Of the draws.

    Yields:
        Frames 1 to T-1, uint8 `(H, W, 3)`, each as soon as it is made.
    """
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    first_frame = to_tensor(request.first_frame[None]).to(device)
    poses = to_tensor(request.poses).to(device)
    for frame in rollout(model, first_frame, poses[None], sample=sample, generator=generator):
        yield to_picture(frame[0])


def frame_psnr(frames: Sequence[Picture], truth: Picture) -> list[float]:
    """PSNR in dB of 8-bit frames, each against the frame of `truth`, uint8 `(T, H, W, 3)`, in its place."""
    values: list[float] = psnr(to_tensor(np.stack(frames)), to_tensor(truth)).tolist()
    return values


def to_tensor(frames: Picture) -> Tensor:
    """uint8 `(T, H, W, 3)` to float `(T, 3, H, W)` in [0, 1]."""
    return rearrange(torch.from_numpy(np.array(frames)), "t h w c -> t c h w").float() / 255


def to_picture(frame: Tensor) -> Picture:
    """Float `(3, H, W)` in [0, 1] to uint8 `(H, W, 3)`."""
    levels = (frame * 255).round().clamp(0, 255).to(torch.uint8)
    picture: Picture = rearrange(levels, "c h w -> h w c").cpu().numpy()
    return picture


def write_psnr(path: Path, values: Sequence[float]) -> None:
    """A CSV with the columns `frame,psnr`, frames counted from 1; it appears whole or not at all."""
    with replacing(path) as partial, partial.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("frame", "psnr"))
        rows.writerows((frame, f"{value:.4f}") for frame, value in enumerate(values, start=1))


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """Predict the video of one first frame and a sequence of poses."""

    poses: Path
    """Pictures of skeletons, key points (OpenPose JSON, .npz) or a video of a person: a file, a folder or a zip. Pose 0
    belongs to the first frame."""
    out: Path
    """The video to write: .gif or .mp4."""
    first_frame: Path | None = None
    """A picture of the person. A video of a person can do without: then its own first frame is taken, and its frames
    are the truth."""
    truth: Path | None = None
    """The true frames, as many as poses, to compare with."""
    psnr: Path | None = None
    """A CSV to write with the PSNR of every frame, where there is a truth."""
    fps: float | None = None
    """Frames per second of the video to write; those of the poses by default."""
    retarget: Literal["auto", "always", "never"] = "auto"
    """Fit the poses to the person of the first frame, by one scale and one shift. `auto`: only poses that were found in
    a video of a person, when another first frame is given."""
    checkpoint: str | Path = BUNDLED
    """Checkpoint folder, or user/name[@revision] on the Hub; the bundled one by default."""
    seed: int = 0
    """Of the draws from the prior."""
    sample: Sampling | None = None
    """Draw latents from the `prior` or take its `mean`; the checkpoint's own choice by default."""
    device: str | None = None
    """`cpu` or `cuda`; the GPU where there is one, by default."""

    def __post_init__(self) -> None:
        if self.fps is not None and not 1 <= self.fps <= 60:
            raise InputError(f"--fps is {self.fps:g}; expected 1 to 60 frames per second.")
        if self.out.suffix.lower() not in (".gif", ".mp4"):
            raise InputError(f"--out is {self.out}; expected a name that ends in .gif or .mp4.")
        if not 0 <= self.seed < 2**32:
            raise InputError(f"--seed is {reprlib.repr(self.seed)}; expected a whole number from 0 to {2**32 - 1}.")
        for path in filter(None, (self.out, self.psnr)):
            if not path.parent.is_dir():
                raise InputError(f"{path} cannot be written: there is no folder {path.parent}.")
        given = {"--poses": self.poses, "--first-frame": self.first_frame, "--truth": self.truth, "--psnr": self.psnr}
        for option, came in given.items():
            for name, written in (("--out", self.out), ("--psnr", self.psnr)):
                if came and written and option != name and os.path.realpath(came) == os.path.realpath(written):
                    raise InputError(f"{option} and {name} are both {came}; expected another file to write.")


def generate_file(config: GenerateConfig, checkpoint: Checkpoint) -> None:
    """Write what is asked for with the network of this checkpoint, which may have come from anywhere."""
    size = checkpoint.config.data.size
    with frame_bar("reading") as watch:
        request = read_request(
            config.first_frame,
            config.poses,
            config.truth,
            size=size,
            fps=config.fps,
            retarget={"auto": None, "always": True, "never": False}[config.retarget],
            watch=watch,
        )
    if config.psnr and request.truth is None:
        raise InputError("--psnr compares with the true frames; expected --truth too, or a video of a person alone.")
    for note in request.notes:
        log.info("Note: %s", note)
    sample = config.sample or checkpoint.config.sampling.sample
    started = time.perf_counter()
    predicted = generate(checkpoint.model, request, sample=sample, seed=config.seed)
    frames = list(tqdm(predicted, "generating", len(request.poses) - 1, unit=" frames", leave=False))
    seconds = time.perf_counter() - started
    values = frame_psnr(frames, request.truth[1:]) if request.truth is not None else []
    write_video(config.out, np.stack([request.first_frame, *frames]), request.fps)
    if config.psnr:
        write_psnr(config.psnr, values)
    print(f"{len(frames)} frames in {seconds:.2f} s, {len(frames) / seconds:.1f} frames/s: {config.out}")
    if values:
        print(f"mean PSNR {np.mean(values):.2f} dB")
