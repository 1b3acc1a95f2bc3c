"""Which commit a reference means now, also where it gives only the beginning of one."""

from huggingface_hub import HfApi, ModelInfo, constants
from huggingface_hub.errors import RevisionNotFoundError

from cvae.errors import InputError
from hub.references import Reference, is_beginning_of_commit


def model_at(reference: Reference) -> ModelInfo:
    """What the Hub tells of a model at the commit that the reference means.

    The page and the command line show a commit by its first twelve digits, which the Hub itself takes for no revision.

    Raises:
        InputError: If several commits begin so.
        HfHubHTTPError: If the Hub refuses or knows of none; what else its client raises, `hub.faults` tells.
    """
    try:
        return _ask(reference.repo, reference.revision)
    except RevisionNotFoundError:
        if not is_beginning_of_commit(reference.revision):
            raise
        commits = _commits_beginning_with(reference.revision or "", reference.repo)
        if not commits:
            raise
    if len(commits) > 1:
        raise InputError(f"{reference} may be any of {len(commits)} commits; expected more digits.")
    return _ask(reference.repo, commits.pop())


def _ask(repo: str, revision: str | None) -> ModelInfo:
    return HfApi().model_info(repo, revision=revision, timeout=constants.HF_HUB_ETAG_TIMEOUT)


def _commits_beginning_with(digits: str, repo: str) -> set[str]:
    """In the history of main; where none is there, in those of all branches."""
    if found := _commits_of("main", digits, repo):
        return found
    refs = HfApi().list_repo_refs(repo)
    return set().union(*(_commits_of(ref.name, digits, repo) for ref in refs.branches if ref.name != "main"))


def _commits_of(branch: str, digits: str, repo: str) -> set[str]:
    commits = HfApi().list_repo_commits(repo, revision=branch)
    return {commit.commit_id for commit in commits if commit.commit_id.startswith(digits)}
