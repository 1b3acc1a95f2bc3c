"""Words of strangers, fit to stand in our sentences."""


def one_line(text: str, most: int) -> str:
    """At most so many letters, on one line, without control characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= most else line[:most] + "…"
