"""One folder becomes one commit on the Hub: all of it or nothing. Also a program, `python -m hub.upload`."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from tyro.conf import Positional

from cvae.cli import run_options
from cvae.errors import InputError
from hub.faults import faults
from hub.files import OPTIONAL

_ATTEMPTS = 5
"""Of a commit that others come before."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Publish a folder as it is."""

    folder: Positional[Path]
    """Its files."""
    repo: Positional[str]
    """`user/name`; created where it is missing."""
    message: str
    """Of the commit."""
    private: bool = False
    """Only for those whom its owner lets in."""
    branch: str | None = None
    """Where to; `main` by default, created where it is missing."""


def upload(options: Upload) -> str:
    """Publish the files of a folder in one commit, in place of those that an earlier one published.

    Returns:
        The commit's address.

    Raises:
        InputError: If the Hub refuses or cannot be asked, or what is to be private is public.
    """
    api = HfApi()
    with faults(options.repo):
        api.create_repo(options.repo, private=options.private or None, exist_ok=True)
        if options.branch:
            api.create_branch(options.repo, branch=options.branch, exist_ok=True)
        for attempt in range(1, _ATTEMPTS + 1):
            head = api.model_info(options.repo, revision=options.branch)
            if options.private and not head.private:
                raise InputError(
                    f"{options.repo} is there already and public, so nothing was published; make it private in its "
                    "settings, or choose another name."
                )
            there = {file.rfilename for file in head.siblings or ()}
            try:
                return commit_folder(
                    options.folder,
                    options.repo,
                    message=options.message,
                    parent=head.sha,
                    obsolete=there & set(OPTIONAL),
                    branch=options.branch,
                )
            except HfHubHTTPError as error:
                if error.response.status_code not in (409, 412) or attempt == _ATTEMPTS:
                    raise
    raise AssertionError


def commit_folder(
    folder: Path,
    repo: str,
    *,
    message: str,
    parent: str | None,
    obsolete: set[str],
    kind: Literal["model", "space"] = "model",
    branch: str | None = None,
) -> str:
    """Put all files of a folder into a repository in one commit, or in none where they are there already.

    If a commit other than `parent` is the newest by now, the Hub refuses (412). Without this, a file that is equal at
    both ends, and so left out of the commit, could be changed in between.

    Args:
        folder: Its files.
        repo: `user/name`.
        message: Of the commit.
        parent: The commit that the repository is known at.
        obsolete: Files of the repository that are deleted where the folder has none of their name.
        kind: Of the repository.
        branch: `main` by default.

    Returns:
        The commit's address.

    Raises:
        InputError: If the Hub refuses the metadata in README.md; what else its client raises, `hub.faults` tells.
    """
    files = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
    operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
        *(CommitOperationAdd(name, file) for name, file in files.items()),
        *(CommitOperationDelete(name) for name in sorted(obsolete - files.keys())),
    ]
    try:
        commit = HfApi().create_commit(
            repo, operations, commit_message=message, repo_type=kind, revision=branch, parent_commit=parent
        )
    except ValueError as error:
        if not str(error).startswith("Invalid metadata"):
            raise
        reason = " ".join(str(error).partition("\n")[2].split())
        raise InputError(f"The Hub refuses the card of {repo}: {reason[:300]}.") from None
    except RuntimeError as error:  # the client's, around the reason why a file could not be sent
        raise error.__cause__ or error from None
    return str(commit.commit_url)


def main(options: Upload) -> None:
    """`python -m hub.upload`, for a training, which goes on in the meantime."""
    print(upload(options))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    run_options(main, "python -m hub.upload", sys.argv[1:])
