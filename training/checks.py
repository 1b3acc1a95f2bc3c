"""Checking what a user typed."""

from collections.abc import Callable, Mapping
from typing import Any

from cvae.errors import InputError

MAX_SEED = 2**63
"""One above the largest that torch takes."""
CLIP_RANGES = {
    "clips": (0, 1_000_000),
    "val_clips": (0, 100_000),
    "test_clips": (0, 100_000),
    "workers": (0, 1024),
    "seed": (0, 2**63),
}
"""Of the options that every generator of clips has."""


def check(option: str, value: Any, holds: Callable[[Any], bool], expected: str) -> None:
    """Make sure that the value of an option is one that can be used.

    Raises:
        InputError: If it is not; the sentence names the option, what was expected and what came.
    """
    if not holds(value):
        raise InputError(f"{option} is {expected}; got {value}.")


def check_all(group: object, prefix: str, names: tuple[str, ...], least: float, most: float | None = None) -> None:
    """`check` that several fields of a group of options lie in a range; `prefix` stands in front of their names.

    Raises:
        InputError: As `check`.
    """
    expected = f"{least:g} or more" if most is None else f"from {least:g} to {most:g}"
    for name in names:
        option = f"--{prefix}{name.replace('_', '-')}"
        check(option, getattr(group, name), lambda v: v >= least and (most is None or v <= most), expected)


def check_ranges(group: object, ranges: Mapping[str, tuple[int, int]]) -> None:
    """Make sure that whole numbers among the fields of a group lie between a least and a largest one.

    Raises:
        InputError: If one does not.
    """
    for name, (least, most) in ranges.items():
        if not least <= getattr(group, name) <= most:
            raise InputError(f"{name} is {getattr(group, name)}, expected {least} to {most}")


def check_sides(size: tuple[int, int], most: int) -> None:
    """Make sure that height and width are from 8 to `most` pixels.

    Raises:
        InputError: If they are not.
    """
    if not all(8 <= side <= most for side in size):
        raise InputError(f"size is {size[0]}x{size[1]}, expected sides of 8 to {most} pixels")
