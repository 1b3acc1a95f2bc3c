"""The requests that came, for tests to read."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """One request and how it ended.

    `place` is `hub` or `storage`; `body` is what came with it, up to a megabyte; `status` is None where the connection
    was cut before an answer; `sent` counts the bytes of the answer's body.
    """

    place: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    status: int | None
    sent: int

    @property
    def token(self) -> str | None:
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None


class Log:
    """Grows from the server's thread, is read from the test's: after a second at most, in which requests may end."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._unfinished = 0
        self._seen: list[Seen] = []

    def begin(self) -> None:
        with self._lock:
            self._unfinished += 1

    def add(self, seen: Seen) -> None:
        with self._lock:
            self._seen.append(seen)
            self._unfinished -= 1
            self._lock.notify_all()

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()

    def __iter__(self) -> Iterator[Seen]:
        with self._lock:
            self._lock.wait_for(lambda: self._unfinished == 0, timeout=1)
            return iter(list(self._seen))

    def __len__(self) -> int:
        with self._lock:
            return len(self._seen)

    def matching(self, pattern: str) -> list[Seen]:
        """Requests whose `METHOD /path` contains the pattern (a regular expression), in the order of their ends."""
        return [seen for seen in self if re.search(pattern, f"{seen.method} {seen.path}")]
