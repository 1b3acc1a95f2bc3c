"""What the server knows: repositories, users, where it listens, what it lies about."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from starlette.requests import Request

from .errors import HubError
from .faults import Faults
from .log import Log
from .store import Repo, Store, StoredFile

LISTED_PER_PAGE = 1000


@dataclass(frozen=True)
class User:
    """Somebody with a token whose role is `read` or `write`."""

    name: str
    token: str
    role: str


@dataclass(frozen=True)
class Lie:
    """What the server says of a file instead of the truth; None where it does not lie."""

    size: int | None = None
    sha256: str | None = None
    content: bytes | None = None


@dataclass
class State:
    """Everything behind one pair of addresses.

    Args:
        store: The repositories.
        hub: Base URL of the Hub.
        storage: Base URL of the storage of large files: another origin, where tokens must not go.
    """

    store: Store
    hub: str
    storage: str
    users: dict[str, User] = field(default_factory=dict)
    lies: dict[tuple[str, str, str], Lie] = field(default_factory=dict)
    page_size: int = LISTED_PER_PAGE
    redirect_small_files: bool = False
    xet: bool = False
    faults: Faults = field(default_factory=Faults)
    log: Log = field(default_factory=Log)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def signature(self, method: str, path: str) -> str:
        """What allows one request to the storage, in the place of a token."""
        return hmac.new(self.key, f"{method} {path}".encode(), hashlib.sha256).hexdigest()

    def storage_url(self, method: str, path: str) -> str:
        return f"{self.storage}{path}?signature={self.signature(method, path)}"

    def check_signature(self, request: Request) -> None:
        """Refuse what the storage of the real Hub refuses: no signature, and a token beside it."""
        if "authorization" in request.headers:
            raise HubError(400, "Only one auth mechanism allowed")
        method = "GET" if request.method == "HEAD" else request.method
        expected = self.signature(method, request.url.path)
        if not hmac.compare_digest(request.query_params.get("signature", ""), expected):
            raise HubError(403, "SignatureDoesNotMatch")

    def told(self, repo: Repo, path: str, file: StoredFile) -> StoredFile:
        """What is said of a file: the truth, unless a test wants a lie."""
        lie = self.lie(repo, path)
        size = file.size if lie.size is None else lie.size
        sha256 = lie.sha256 or file.sha256
        return StoredFile(oid=file.oid, size=size, sha256=sha256, lfs=file.lfs)

    def lie(self, repo: Repo, path: str) -> Lie:
        return self.lies.get((repo.kind, repo.name, path), Lie())


def state_of(request: Request) -> State:
    state: State = request.app.state.hub
    return state
