"""The main job: a first frame and poses in, a video out. What the command line and the page both call."""

import csv
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from cvae.checkpoint import BUNDLED, load_checkpoint
from cvae.device import pick_device
from cvae.errors import InputError
from cvae.export import write_video
from cvae.files import replacing
from cvae.gaussian import Sampling
from cvae.inputs import width_by_height
from cvae.metrics import psnr
from cvae.models import PoseCVAE
from cvae.pictures import read_picture, resize
from cvae.rollout import rollout
from cvae.video import Clip, read_clip

log = logging.getLogger(__name__)

DEFAULT_FPS = 20.0
WHITE = 200  # of 255; the ground of a pose picture is above it
Picture = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a user gave, made ready for the network."""

    first_frame: Picture
    """uint8 `(H, W, 3)`."""
    poses: Picture
    """uint8 `(T, H, W, 3)`, T at least 2; pose 0 belongs to the first frame."""
    truth: Picture | None
    """uint8 `(T, H, W, 3)`; frame 0 is not compared."""
    fps: float
    """Frames per second of the poses, else of the truth, else 20."""
    notes: tuple[str, ...]
    """Sentences that the user should see."""


def read_request(
    first_frame: Path,
    poses: Path | Sequence[Path],
    truth: Path | Sequence[Path] | None = None,
    *,
    size: tuple[int, int],
    fps: float | None = None,
) -> Request:
    """Read and check the files of a user.

    Args:
        first_frame: A picture.
        poses: Skeleton pictures, in anything that `read_clip` takes.
        truth: The true frames, as many as poses.
        size: Height and width that the network works at; everything is resized to it.
        fps: Frames per second of the video to make; that of the files by default.

    Raises:
        InputError: If a file cannot be read, there is nothing to predict, or the lengths differ.
    """
    picture = read_picture(first_frame)
    notes: list[str] = []
    if picture.shape[:2] != size:
        came, needed = width_by_height(picture.shape[:2]), width_by_height(size)
        notes.append(f"The first frame is resized from {came} to {needed} (width x height).")
    pose_clip = read_clip(poses, size=size)
    if np.median(pose_clip.frames) < WHITE:
        notes.append("The poses are not on white; the network knows skeletons drawn on white (EDN-23).")
    if len(pose_clip.frames) < 2:
        raise InputError("There is one pose; expected at least two: pose 0 belongs to the first frame.")
    truth_clip = read_clip(truth, size=size) if truth else Clip(frames=pose_clip.frames[:0], fps=None)
    if truth and len(truth_clip.frames) != len(pose_clip.frames):
        raise InputError(
            f"The ground truth has {len(truth_clip.frames)} frames and there are {len(pose_clip.frames)} poses; "
            "expected as many frames as poses, frame 0 being the first frame."
        )
    return Request(
        first_frame=resize(picture[None], size)[0],
        poses=pose_clip.frames,
        truth=truth_clip.frames if truth else None,
        fps=fps or pose_clip.fps or truth_clip.fps or DEFAULT_FPS,
        notes=(*notes, *pose_clip.notes, *truth_clip.notes),
    )


def generate(model: PoseCVAE, request: Request, *, sample: Sampling = "mean", seed: int = 0) -> Iterator[Picture]:
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

    first_frame: Path
    """A picture of the person."""
    poses: Path
    """Skeleton pictures: a folder, a zip, a GIF, a video or an .npz. Pose 0 belongs to the first frame."""
    out: Path
    """The video to write: .gif or .mp4."""
    truth: Path | None = None
    """The true frames, as many as poses, to compare with."""
    psnr: Path | None = None
    """A CSV to write with the PSNR of every frame; needs --truth."""
    checkpoint: Path = BUNDLED
    """Checkpoint folder; the bundled one by default."""
    seed: int = 0
    """Of the draws from the prior."""
    sample: Sampling | None = None
    """Draw latents from the `prior` or take its `mean`; the checkpoint's own choice by default."""
    device: str | None = None
    """`cpu` or `cuda`; the GPU where there is one, by default."""

    def __post_init__(self) -> None:
        if self.psnr and not self.truth:
            raise InputError("--psnr compares with the true frames; expected --truth too.")
        if self.out.suffix.lower() not in (".gif", ".mp4"):
            raise InputError(f"--out is {self.out.name}; expected a name that ends in .gif or .mp4.")
        for path in filter(None, (self.out, self.psnr)):
            if not path.parent.is_dir():
                raise InputError(f"{path} cannot be written: there is no folder {path.parent}.")


def main(config: GenerateConfig) -> None:
    """`python -m cvae generate`."""
    checkpoint = load_checkpoint(config.checkpoint, pick_device(config.device))
    size = checkpoint.config.data.size
    request = read_request(config.first_frame, config.poses, config.truth, size=size)
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
