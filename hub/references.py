"""References to a model on the Hub: `user/name` or `user/name@revision`."""

import re
from dataclasses import dataclass
from pathlib import Path

from cvae.errors import InputError
from cvae.inputs import quoted

_NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_]([\w.-]{0,94}[A-Za-z0-9_])?(?<!\.git)", re.ASCII)
_REVISION = re.compile(r"(?!.*(\.\.|//|/\.|@\{))[A-Za-z0-9_][\w./+#=-]{0,199}(?<![./])(?<!\.lock)", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_BEGINNING = re.compile(r"[0-9a-f]{7,39}")
_EXPECTED = "expected user/name or user/name@revision, where revision is a branch, a tag or a commit"


class NoSuchModel(InputError):
    """The text names no model on the Hub: it cannot, or the Hub knows of none, or does not tell this user of it."""


@dataclass(frozen=True)
class Reference:
    """A model on the Hub, and which version of it."""

    repo: str
    """`user/name`."""
    revision: str | None = None
    """A branch, a tag or a commit; None is the branch `main`."""

    def at(self, commit: str) -> str:
        """What the model is called at a commit: `user/name@abcdef123456`."""
        return f"{self.repo}@{commit[:12]}"

    def __str__(self) -> str:
        return f"{self.repo}@{self.revision}" if self.revision else self.repo


def parse_reference(text: str) -> Reference:
    """Read `user/name` or `user/name@revision`; both by the Hub's own rules for names.

    Raises:
        NoSuchModel: If the Hub would not take the name.
        InputError: If git would not take the revision.
    """
    repo, at, revision = text.partition("@")
    parse_repo(repo)
    if at and not _REVISION.fullmatch(revision):
        raise InputError(f"{quoted(revision)} cannot be the revision of a model on the Hub; {_EXPECTED}.")
    return Reference(repo, revision or None)


def parse_repo(text: str) -> str:
    """Check the name of a repository, `user/name`.

    Raises:
        NoSuchModel: If the Hub would not take it.
    """
    user, slash, name = text.partition("/")
    if not slash or not _NAME.fullmatch(user) or not _NAME.fullmatch(name):
        raise NoSuchModel(f"{quoted(text)} cannot be the name of a model on the Hub; {_EXPECTED}.")
    return text


def is_commit(revision: str | None) -> bool:
    """Whether it is a full commit hash, which never means anything else later."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def is_beginning_of_commit(revision: str | None) -> bool:
    """Whether it may be a shortened commit hash, as `Reference.at` writes it."""
    return revision is not None and _BEGINNING.fullmatch(revision) is not None


def as_folder(text: str | Path) -> Path | None:
    """The path that is meant, if it is one: what is there already, or what is written as a path.

    Returns:
        None where it can only be a reference.
    """
    if isinstance(text, Path) or text.startswith(("/", ".", "~")) or "\\" in text or _exists(text):
        return Path(text)
    return None


def _exists(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # too long for a path, or with a null byte
        return False
