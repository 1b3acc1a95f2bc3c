"""`python -m cvae generate` whose checkpoint may also lie on the Hub."""

from cvae import generate
from cvae.generate import GenerateConfig
from hub.pull import open_checkpoint


def main(config: GenerateConfig) -> None:
    """`python -m cvae generate`."""
    generate.main(config, open_checkpoint)
