"""Who may see and change what."""

from starlette.requests import Request

from .errors import HubError, repo_not_found
from .state import User, state_of
from .store import Repo


def user_of(request: Request) -> User | None:
    """Whose token came with the request; None without one.

    Raises:
        HubError: 401 for a token that nobody has.
    """
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        return None
    user = state_of(request).users.get(token)
    if user is None:
        raise HubError(401, "Invalid credentials in Authorization header")
    return user


def signed_in(request: Request) -> User:
    user = user_of(request)
    if user is None:
        raise HubError(401, "Invalid username or password.")
    return user


def visible(request: Request) -> Repo:
    """The repository that the path names, if the one who asks may know of it."""
    user = user_of(request)
    kind = request.path_params.get("kind", "models")
    name = f"{request.path_params['owner']}/{request.path_params['name']}"
    repo = state_of(request).store.repo(kind, name)
    if repo is None or (repo.settings.private and not (user and user.name == repo.settings.owner)):
        raise repo_not_found(user is not None)
    return repo


def readable(request: Request) -> Repo:
    """That repository, if the one who asks may have its contents."""
    repo = visible(request)
    user = user_of(request)
    settings = repo.settings
    if settings.gated and not (user and user.name in (settings.owner, *settings.granted)):
        restricted = f"Access to {repo.kind.removesuffix('s')} {repo.name} is restricted"
        if user is None:
            raise HubError(401, f"{restricted}. You must be authenticated to access it. Please log in.", "GatedRepo")
        raise HubError(403, f"{restricted} and you are not in the authorized list. Ask for access.", "GatedRepo")
    return repo


def writable(request: Request) -> Repo:
    """That repository, if the one who asks may change it."""
    repo = visible(request)
    if repo.settings.owner != signed_in(request).name:
        raise HubError(403, f"You don't have the rights to write to {repo.name}")
    may_write(signed_in(request))
    return repo


def may_write(user: User) -> None:
    if user.role != "write":
        raise HubError(403, "You must use a token with write access")
