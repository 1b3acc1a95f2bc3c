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


def has_bf16(device: str) -> bool:
    """Whether a device, `cpu` or `cuda`, has instructions for bfloat16, with which networks run twice as fast."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # torch 2.11 has no such function
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
