"""Tables of numbers in text files (CSV), read strictly: every fault is named with its line."""

import re
from collections.abc import Collection

import numpy as np

from cvae.errors import InputError
from cvae.inputs import LIMITS, Limits, quoted

LARGEST = 1e6
"""Of any number in a table, above or below zero."""
_ROW_BYTES = 1000
"""Of a row at most, on average over a table."""


def check_table_bytes(name: str, size: int, limits: Limits = LIMITS) -> None:
    """Refuse a file that is too large for a table, before it is read.

    Args:
        name: Of the file, for the message.
        size: Bytes.
        limits: How many rows it may have.

    Raises:
        InputError: If it is too large.
    """
    if size > limits.max_frames * _ROW_BYTES:
        raise InputError(
            f"{quoted(name)} has {size:,} bytes; expected a table of at most {limits.max_frames} rows of numbers, "
            f"{limits.max_frames * _ROW_BYTES:,} bytes."
        )


def parse_table(content: str | bytes, name: str, columns: Collection[int], limits: Limits = LIMITS) -> np.ndarray:
    """The numbers of a table, one row a line, separated by commas, semicolons, tabs or spaces.

    A first line without any number is taken for names of columns; empty lines at the end do not count.

    Args:
        content: The text; bytes are UTF-8.
        name: Of the file, for messages.
        columns: How many numbers a row may have.
        limits: How many rows there may be.

    Returns:
        float32 `(T, K)`, K one of `columns`, none beyond a million.

    Raises:
        InputError: If it is no such table; it names the line.
    """
    check_table_bytes(name, len(content), limits)
    numbered = _lines(_decoded(content, name))
    if not numbered:
        raise InputError(f"{quoted(name)} is empty; expected rows of {listed(columns)} numbers.")
    separator = next((mark for mark in ";," if any(mark in text for _, text in numbered)), None)
    cells = [(line, [cell.strip() for cell in text.split(separator)]) for line, text in numbered]
    if any(cells[0][1]) and not any(_number(cell) is not None for cell in cells[0][1]):
        cells = cells[1:]
    if not cells:
        raise InputError(f"{quoted(name)} has no numbers in it; expected rows of {listed(columns)} numbers.")
    limits.check_frames(name, len(cells))
    rows = [_numbers(row, f"Line {line} of {quoted(name)}") for line, row in cells]
    _check_widths([(line, len(row)) for line, row in cells], name, columns)
    return np.array(rows, np.float32)


def listed(columns: Collection[int]) -> str:
    """Numbers as a message lists them: 3, 4 or 7."""
    *others, last = map(str, sorted(columns))
    return f"{', '.join(others)} or {last}" if others else last


def _decoded(content: str | bytes, name: str) -> str:
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if re.search(r"[\0-\x08\x0e-\x1f]", text):
        raise InputError(f"{quoted(name)} is no text (UTF-8); expected a table of numbers, such as a CSV.")
    return text.removeprefix("\ufeff")


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines with their numbers, counted from 1, without empty ones at the end."""
    return list(enumerate(re.split(r"\r\n|\r|\n", text.rstrip()), start=1)) if text.strip() else []


def _number(cell: str) -> float | None:
    """None where it is none; Python's own reading takes 1_000, and digits of every script, for numbers."""
    try:
        return float(cell) if cell.isascii() and "_" not in cell else None
    except ValueError:
        return None


def _numbers(cells: list[str], where: str) -> list[float]:
    if not any(cells):
        raise InputError(f"{where} is empty; expected numbers.")
    numbers = []
    for cell in cells:
        number = _number(cell)
        if number is None:
            raise InputError(
                f"{where} has {quoted(cell) if cell else 'an empty cell'}; expected numbers such as -0.25."
            )
        if not abs(number) <= LARGEST:  # written so that NaN fails too
            most = f"{LARGEST:,.0f}"
            raise InputError(f"{where} has {quoted(cell)}; expected numbers from -{most} to {most}.")
        numbers.append(number)
    return numbers


def _check_widths(widths: list[tuple[int, int]], name: str, columns: Collection[int]) -> None:
    first_line, first = widths[0]
    for line, width in widths:
        if width != first:
            raise InputError(
                f"Line {line} of {quoted(name)} has {_count(width)}; expected {first}, as in line {first_line}."
            )
    if first not in columns:
        raise InputError(f"The lines of {quoted(name)} have {_count(first)}; expected {listed(columns)}.")


def _count(numbers: int) -> str:
    return f"{numbers} number" + "s" * (numbers != 1)
