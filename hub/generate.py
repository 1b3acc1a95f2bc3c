"""`python -m cvae generate` with a checkpoint that may lie on the Hub."""

from cvae.device import pick_device
from cvae.generate import GenerateConfig, generate_file
from hub.pull import open_checkpoint


def main(config: GenerateConfig) -> None:
    """`python -m cvae generate`."""
    device = pick_device(config.device)
    generate_file(config, open_checkpoint(config.source).at_full_speed(device))
