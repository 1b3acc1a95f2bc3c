"""Trouble on demand: wrong answers, cut connections, waits."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Fault:
    """What happens to requests whose `METHOD /path` contains `pattern`, a regular expression, `times` times at most."""

    pattern: str
    times: float = float("inf")
    delay: float = 0.0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_request_after: int | None = None
    cut_answer_after: int | None = None
    stall_answer_after: int | None = None
    reset: bool = False
    change: Callable[[Any], Any] | None = None
    before: Callable[[], object] | None = None


class Faults:
    """The faults a test asked for. The first that fits is taken, and used up by one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def answer(
        self,
        pattern: str,
        status: int,
        *,
        code: str | None = None,
        message: str = "",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: float = float("inf"),
    ) -> None:
        """Answer with this status instead: 503, 429 (headers: Retry-After), 507...

        Args:
            code: `X-Error-Code`.
            message: `X-Error-Message`, and `{"error": message}` where no body is given.
            body: Bytes as they are, anything else as JSON.
        """
        content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {"error": message})
        said = {"X-Error-Code": code, "X-Error-Message": message or None, "Content-Type": "application/json"}
        all_headers = {name: value for name, value in said.items() if value} | dict(headers or {})
        payload = content if isinstance(content, bytes) else content.encode()
        self.add(Fault(pattern, times, status=status, headers=all_headers, body=payload))

    def cut_answer(self, pattern: str, *, after: int = 0, reset: bool = False, times: float = float("inf")) -> None:
        """Close the connection after this many bytes of the answer's body, politely or by a reset."""
        self.add(Fault(pattern, times, cut_answer_after=after, reset=reset))

    def stall_answer(self, pattern: str, seconds: float, *, after: int = 0, times: float = float("inf")) -> None:
        """Send this many bytes of the answer's body, then nothing for a while, then the rest."""
        self.add(Fault(pattern, times, stall_answer_after=after, delay=seconds))

    def cut_request(self, pattern: str, *, after: int = 0, times: float = float("inf")) -> None:
        """Close the connection after this many bytes of the request's body, without an answer."""
        self.add(Fault(pattern, times, cut_request_after=after))

    def delay(self, pattern: str, seconds: float, *, times: float = float("inf")) -> None:
        """Do nothing for a while, then answer as always."""
        self.add(Fault(pattern, times, delay=seconds))

    def change(self, pattern: str, change: Callable[[Any], Any], *, times: float = float("inf")) -> None:
        """Send another JSON than the true one: `change` gets that and returns what is sent."""
        self.add(Fault(pattern, times, change=change))

    def before(self, pattern: str, action: Callable[[], object], *, times: float = 1) -> None:
        """Do something just before a request is seen to: a push by somebody else, say. Runs in the server's thread."""
        self.add(Fault(pattern, times, before=action))

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, request: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.times >= 1 and re.search(fault.pattern, request):
                    fault.times -= 1
                    return fault
        return None


class Cut(BaseException):
    """The connection is closed, here and now. No Exception, or Starlette would answer with an error page."""

    def __init__(self, reset: bool) -> None:
        self.reset = reset


async def answer_wrongly(fault: Fault, send: Send) -> None:
    headers = {"Content-Length": str(len(fault.body)), **fault.headers}
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": fault.status, "headers": raw})
    await send({"type": "http.response.body", "body": fault.body})


def cutting_receive(receive: Receive, limit: int) -> Receive:
    """Hand on what comes until there was too much of it, or no more."""
    came = 0

    async def wrapped() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came >= limit or not message.get("more_body", False):
            raise Cut(reset=True)
        return message

    return wrapped


def interrupted_send(send: Send, fault: Fault) -> Send:
    """Hand on `cut_answer_after` or `stall_answer_after` bytes of the body, then cut or wait."""
    limit = fault.cut_answer_after if fault.cut_answer_after is not None else fault.stall_answer_after
    assert limit is not None
    sent = 0
    done = False

    async def wrapped(message: Message) -> None:
        nonlocal sent, done
        body = message.get("body", b"")
        if message["type"] != "http.response.body" or done or sent + len(body) < limit:
            sent += len(body)
            await send(message)
            return
        await send({"type": "http.response.body", "body": body[: limit - sent], "more_body": True})
        if fault.cut_answer_after is not None:
            raise Cut(fault.reset)
        await asyncio.sleep(fault.delay)
        done = True
        await send({**message, "body": body[limit - sent :]})

    return wrapped


async def answer_changed(
    change: Callable[[Any], Any], app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> None:
    """Hold a JSON answer back, change it, send it."""
    start: Message = {}
    body = b""

    async def hold(message: Message) -> None:
        nonlocal start, body
        start = start or message
        body += message.get("body", b"")

    await app(scope, receive, hold)
    body = json.dumps(change(json.loads(body))).encode()
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


async def suffer(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let one request have its fault."""
    if fault.before is not None:
        fault.before()
    if fault.delay and fault.stall_answer_after is None:
        await asyncio.sleep(fault.delay)
    if fault.status is not None:
        await answer_wrongly(fault, send)
        return
    if fault.change is not None:
        await answer_changed(fault.change, app, scope, receive, send)
        return
    if fault.cut_request_after is not None:
        receive = cutting_receive(receive, fault.cut_request_after)
    if fault.cut_answer_after is not None or fault.stall_answer_after is not None:
        send = interrupted_send(send, fault)
    await app(scope, receive, send)
