"""Markdown out of values that may hold anything."""

from collections.abc import Sequence

from hub.words import one_line

_MOST_LETTERS = 80


def paragraphs(*parts: str) -> str:
    """Those that are not empty, an empty line between them."""
    return "\n\n".join(part for part in parts if part)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown cells; columns behind the first are numbers if there are more than two."""
    aligned = ["---", *["---:" if len(titles) > 2 else "---"] * (len(titles) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, aligned, *rows))


def code(value: object) -> str:
    """Any value as short text that Markdown leaves as it is, within a table too."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = one_line(text, _MOST_LETTERS).replace("`", "'").replace("|", "/")
    return f"`{text or ' '}`"
