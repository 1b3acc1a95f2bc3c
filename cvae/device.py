"""Where the network runs."""

import torch

from cvae.errors import InputError


def pick_device(asked: str | None) -> str:
    """`cuda` where there is a GPU, unless the user asked for something.

    Raises:
        InputError: If the device asked for is not there.
    """
    available = ["cpu"] + ["cuda"] * torch.cuda.is_available()
    if asked and asked not in available:
        raise InputError(f"The device {asked!r} is not there; this machine has {' and '.join(available)}.")
    return asked or available[-1]
