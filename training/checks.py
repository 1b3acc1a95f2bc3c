"""Checking what a user typed."""

from collections.abc import Callable
from typing import Any

from cvae.errors import InputError

MAX_SEED = 2**63
"""One above the largest that torch takes."""


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
