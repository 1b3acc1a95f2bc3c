"""What must never be published: tokens, and where files lay on the machine that trained."""

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from cvae.errors import InputError
from hub.tokens import known_tokens

_TOKEN = re.compile(rb"hf_[A-Za-z0-9]{30,}")
_ABSOLUTE = re.compile(r"(/|~|[A-Za-z]:[\\/]|\\\\)")
_TEXTS = (".json", ".md")
_LEAST_BYTES = 8
"""Shorter paths, such as `/root`, are looked for in texts alone: in weights they come about by chance. What is
shorter and set as a token is none."""


def without_folders(value: Any) -> Any:
    """JSON in which every absolute path became the name of its file."""
    if isinstance(value, dict):
        return {key: without_folders(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_folders(item) for item in value]
    if isinstance(value, str) and _ABSOLUTE.match(value):
        return PureWindowsPath(value).name if "\\" in value else PurePosixPath(value).name
    return value


def check_harmless(folder: Path, machine: tuple[Path, ...] = ()) -> None:
    """Search every byte that is about to be published.

    Args:
        folder: Its files.
        machine: Folders of this machine whose names are nobody's business, besides the home and the working folder.

    Raises:
        InputError: If a token or such a folder is in one of them.
    """
    tokens = [token.encode() for token in known_tokens() if len(token) >= _LEAST_BYTES]
    private = [Path.home(), Path.cwd(), *machine]
    places = {os.fsencode(path(place)) for place in private for path in (os.path.abspath, os.path.realpath)} - {b"/"}
    in_texts, anywhere = _pattern(places), _pattern({place for place in places if len(place) >= _LEAST_BYTES})
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        if _TOKEN.search(content) or any(token in content for token in tokens):
            raise InputError(f"{path.name} holds a token of the Hub, so nothing was published; remove it from there.")
        if (in_texts if path.suffix in _TEXTS else anywhere).search(content):
            raise InputError(
                f"{path.name} tells a folder of this machine, so nothing was published; remove the path from it."
            )


def _pattern(places: set[bytes]) -> re.Pattern[bytes]:
    """Finds whole paths: `/data` is neither in `my/data` nor in `/database`."""
    named = b"|".join(re.escape(place) for place in sorted(places)) or b"(?!)"
    return re.compile(rb"(?<![\w.-])(" + named + rb")(?![\w-])")
