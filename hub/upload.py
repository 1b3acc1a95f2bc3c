"""One folder becomes one commit on the Hub: all of it or nothing. Also a program, `python -m hub.upload`."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    ModelInfo,
)
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
            try:
                return _commit(api, options, head)
            except HfHubHTTPError as error:
                if error.response.status_code not in (409, 412) or attempt == _ATTEMPTS:
                    raise
    raise AssertionError


def _commit(api: HfApi, options: Upload, head: ModelInfo) -> str:
    """All files as the successor of `head`; if another commit is its successor by now, the Hub refuses (412).

    Without this, a file that is equal at both ends, and so left out of the commit, could be changed in between.
    """
    files = sorted(options.folder.iterdir())
    there = {sibling.rfilename for sibling in head.siblings or ()}
    gone = there & set(OPTIONAL) - {file.name for file in files}
    operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
        *(CommitOperationAdd(path_in_repo=file.name, path_or_fileobj=file) for file in files),
        *(CommitOperationDelete(path_in_repo=name) for name in sorted(gone)),
    ]
    try:
        commit = api.create_commit(
            options.repo,
            operations,
            commit_message=options.message,
            revision=options.branch,
            parent_commit=head.sha,
        )
    except ValueError as error:
        if not str(error).startswith("Invalid metadata"):
            raise
        reason = " ".join(str(error).partition("\n")[2].split())
        raise InputError(f"The Hub refuses the card of {options.repo}: {reason[:300]}.") from None
    except RuntimeError as error:  # the client's, around the reason why a file could not be sent
        raise error.__cause__ or error from None
    return str(commit.commit_url)


def main(options: Upload) -> None:
    """`python -m hub.upload`, for a training, which goes on in the meantime."""
    print(upload(options))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    run_options(main, "python -m hub.upload", sys.argv[1:])
