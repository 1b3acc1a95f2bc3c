"""What every request passes: the log, the faults, the refusals."""

import asyncio
import socket
import struct
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .faults import Cut, suffer
from .log import Seen
from .state import State

KEPT_OF_A_BODY = 1_000_000


class CuttableProtocol(H11Protocol):
    """Hands its connection to the application, which may have to cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Gate:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # undecoded, so that `feature%2Fx` stays one part of a path; whoever takes a part decodes it
        path = scope["path"] = scope["raw_path"].decode()
        place = "storage" if self.state.storage.endswith(f":{scope['server'][1]}") else "hub"
        body = bytearray()
        status: int | None = None
        sent = 0

        async def noting_receive() -> Message:
            message = await receive()
            body.extend(message.get("body", b"")[: KEPT_OF_A_BODY - len(body)])
            return message

        async def noting_send(message: Message) -> None:
            nonlocal status, sent
            status = message.get("status", status)
            sent += len(message.get("body", b""))
            await send(message)

        self.state.log.begin()
        try:
            fault = self.state.faults.take(f"{scope['method']} {path}")
            if fault is None:
                await self.app(scope, noting_receive, noting_send)
            else:
                await suffer(fault, self.app, scope, noting_receive, noting_send)
        except Cut as how:
            await cut(scope["state"]["transport"], how.reset)
        finally:
            headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
            query = scope["query_string"].decode()
            self.state.log.add(Seen(place, scope["method"], path, query, headers, bytes(body), status, sent))


async def cut(transport: Any, reset: bool) -> None:
    """Close a connection without a word, after what was written has left; with `reset` as when a machine dies."""
    while transport.get_write_buffer_size():
        await asyncio.sleep(0.01)
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.close()
    await asyncio.sleep(0)  # the protocol hears of it, and sends no error page
