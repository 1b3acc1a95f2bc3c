"""How many times faster our network generates than the lab's, and how near that is to what the machine can do."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.stopwatch import MAX_SECONDS, measure_in_turns, print_table
from cvae.config import DataConfig, Lab4Config
from cvae.device import has_bf16
from cvae.models import Model, build_model
from cvae.packing import pack_convolutions
from cvae.rollout import rollout, rollout_in_chunks
from training.checks import check_all
from training.presets import default

LAB = "the lab's way, 32x64"
SIZES = ((32, 64), (64, 128), (128, 256))


@dataclass(frozen=True, kw_only=True)
class GenerationSpeedConfig:
    """Measure generated frames per second, one video at a time unless the row says otherwise, in turns.

    The lab's way is its network in float32 with poses encoded one by one. The weights are random: they do not change
    the speed.
    """

    threads: int = 2
    """CPU threads."""
    frames: int = 64
    """Of a generated video."""
    rounds: int = 5
    """Turns of each."""
    seconds: float = 2.0
    """Length of a turn."""

    def __post_init__(self) -> None:
        check_all(self, "", ("threads", "frames", "rounds"), 1)
        check_all(self, "", ("seconds",), 0, MAX_SECONDS)


def compare_generation(config: GenerationSpeedConfig) -> None:
    """`python -m benchmarks generation`."""
    speeds = measure_generation(config)
    print_table(speeds)
    rates = {dtype: matrix_rate(dtype) for dtype in _dtypes()}
    print(
        "\nA product of matrices: " + ", ".join(f"{_short(dtype)} {r / 1e9:.0f} GFLOP/s" for dtype, r in rates.items())
    )
    print_work(speeds, rates)
    fastest = _dtypes()[-1]
    print(f"\nWhere the time goes at {_name(SIZES[0])} in {_short(fastest)}:")
    for operation, share in profile_operations(our_network(SIZES[0], fastest), config.frames):
        print(f"{100 * share:5.1f} %  {operation}")


def print_work(speeds: dict[str, list[float]], rates: dict[torch.dtype, float]) -> None:
    """Operations of a frame, and how near each row is to the rate of a product of matrices."""
    networks = {LAB: (build_model(Lab4Config()), SIZES[0])} | {_name(size): (_network(size), size) for size in SIZES}
    work = {name: operations(model.eval(), size) for name, (model, size) in networks.items()}
    width = max(map(len, speeds))
    print(f"{'':<{width}}  {'GFLOP a frame':>14}  {'GFLOP/s':>8}  {'of the rate':>11}")
    for row, values in speeds.items():
        flops = work[LAB if row == LAB else row.split(",")[0]]
        dtype = torch.bfloat16 if "bfloat16" in row else torch.float32
        reached = flops * statistics.median(values)
        print(f"{row:<{width}}  {flops / 1e9:14.2f}  {reached / 1e9:8.0f}  {reached / rates[dtype]:11.0%}")


def measure_generation(config: GenerationSpeedConfig) -> dict[str, list[float]]:
    """Frames per second of each turn."""
    torch.set_num_threads(config.threads)
    lab = prepared(build_model(Lab4Config()), torch.float32)
    first, poses = _inputs(SIZES[0], config.frames + 1)

    def lab_way() -> int:
        one_by_one = torch.split(poses[:, 1:], 1, dim=1)
        return sum(1 for _ in rollout_in_chunks(lab, first[:, None], poses[:, 0], one_by_one, sample="prior"))

    steps: dict[str, Callable[[], int]] = {LAB: lab_way}
    for dtype in _dtypes():
        precision = _short(dtype)
        for size in SIZES:
            steps[f"{_name(size)}, {precision}"] = _ours(size, dtype, config.frames, 1)
        steps[f"{_name(SIZES[0])}, {precision}, 16 videos"] = _ours(SIZES[0], dtype, config.frames, 16)
    return measure_in_turns(steps, config.rounds, config.seconds)


def _ours(size: tuple[int, int], dtype: torch.dtype, frames: int, videos: int) -> Callable[[], int]:
    model, (first, poses) = our_network(size, dtype), _inputs(size, frames + 1, videos)
    return lambda: videos * sum(1 for _ in rollout(model, first[:, None], poses))


def our_network(size: tuple[int, int], dtype: torch.dtype) -> Model:
    """The network of the preset `default` for frames of a size, as it is when used."""
    model = prepared(_network(size), dtype)
    pack_convolutions(model)
    return model


def _network(size: tuple[int, int]) -> Model:
    return build_model(default().network.for_frames(DataConfig(height=size[0], width=size[1])))


def prepared(model: Model, dtype: torch.dtype) -> Model:
    """A network without gradients, laid out as `load_checkpoint` does it."""
    return model.requires_grad_(False).eval().to(dtype).to(memory_format=torch.channels_last)


def operations(model: Model, size: tuple[int, int]) -> float:
    """Floating-point operations of a frame, a multiplication and an addition counting as two."""
    first, poses = _inputs(size, 9)
    with FlopCounterMode(display=False) as counter:
        frames = sum(1 for _ in rollout(model, first[:, None], poses))
    return counter.get_total_flops() / frames


def profile_operations(model: Model, frames: int, most: int = 8) -> list[tuple[str, float]]:
    """The operations of torch that take longest in a rollout at 32x64, and their shares of the time of all."""
    first, poses = _inputs(SIZES[0], frames + 1)
    for _ in range(2):
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            list(rollout(model, first[:, None], poses))
    times = sorted(((event.key, event.self_cpu_time_total) for event in seen.key_averages()), key=lambda pair: -pair[1])
    total = sum(time for _, time in times)
    return [(name, time / total) for name, time in times[:most]]


def matrix_rate(dtype: torch.dtype, side: int = 2048) -> float:
    """Floating-point operations a second of a product of matrices, the best of five."""
    a, b = (torch.rand(side, side).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(6):
        started = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best


def _dtypes() -> tuple[torch.dtype, ...]:
    return (torch.float32, torch.bfloat16) if has_bf16("cpu") else (torch.float32,)


def _inputs(size: tuple[int, int], frames: int, videos: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    poses = torch.rand(videos, frames, 3, *size, generator=generator)
    return poses[:, 0], poses


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _name(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
