"""What the Hub answers when it refuses."""


class HubError(Exception):
    """A refusal, with the headers by which the client tells one kind from another.

    Args:
        status: HTTP status.
        message: Goes into `X-Error-Message` and the body.
        code: `X-Error-Code`: RepoNotFound, GatedRepo, RevisionNotFound, EntryNotFound, or none.
    """

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers: dict[str, str] = {"X-Error-Message": message}
        if code is not None:
            self.headers["X-Error-Code"] = code


def repo_not_found(signed_in: bool) -> HubError:
    """The Hub does not say whether a repository is private or missing: 401 to strangers, 404 to users."""
    return HubError(404 if signed_in else 401, "Repository not found", "RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    return HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str) -> HubError:
    return HubError(404, f"Entry not found: {path}", "EntryNotFound")
