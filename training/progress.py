"""The progress bar of a training."""

import time

from tqdm import tqdm


class ProgressBar:
    """Shows how far the training is, in steps or in minutes, and how it does.

    Args:
        frames_per_step: Predicted in one step of all processes.
        first_step: From which on this process trains.
        shown: False keeps all but one of many processes silent.
    """

    score: float | None = None
    """Validation PSNR in dB, once there is one."""

    def __init__(self, frames_per_step: int, first_step: int, shown: bool) -> None:
        self.frames_per_step, self.first_step = frames_per_step, first_step
        self.started = time.monotonic()
        self.bar = tqdm(
            total=100.0, disable=not shown, bar_format="{percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
        )

    def show(self, step: int, done: float, metrics: dict[str, float]) -> None:
        """Move to `done`, 0 to 1, and show the newest numbers."""
        said = [
            f"step {step}",
            *(f"{name} {value:.3g}" for name, value in metrics.items()),
            f"{self.speed(step):.0f} frames/s",
        ]
        if self.score is not None:
            said.append(f"validation {self.score:.2f} dB")
        self.bar.set_postfix_str(", ".join(said), refresh=False)
        self.bar.update(100 * done - self.bar.n)

    def speed(self, step: int) -> float:
        """Frames predicted per second since the training began or was resumed."""
        return (step - self.first_step) * self.frames_per_step / (time.monotonic() - self.started)

    def fill(self, step: int) -> None:
        """To the end."""
        self.bar.update(100 - self.bar.n)
        score = "" if self.score is None else f", validation {self.score:.2f} dB"
        self.bar.set_postfix_str(f"step {step}{score}")

    def close(self) -> None:
        """Leave it standing, so that what is said next begins a line."""
        self.bar.close()
