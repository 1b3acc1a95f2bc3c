"""The tokens of whoever is here: what must be neither shown nor published."""

import os
import re

from huggingface_hub import get_token

_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SPACE_HF_TOKEN")
_LOOKS_SO = re.compile(r"\b(hf|api)_[A-Za-z0-9_]{4,}")


def known_tokens() -> set[str]:
    """Those that the Hub's client or a Space would be given."""
    found = [_token_of_the_client(), *map(os.environ.get, _VARIABLES)]
    return {token.strip() for token in found if token and token.strip()}


def without_tokens(text: str) -> str:
    """`text` without anything that is, or looks like, a token of the Hub."""
    for token in known_tokens():
        text = text.replace(token, "***")
    return _LOOKS_SO.sub("***", text)


def _token_of_the_client() -> str | None:
    try:
        return get_token()
    except Exception:  # it may have to be fetched, too
        return None
