"""A WebSocket of a tenant: what it says, what it hears, and when it ends."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, Self

from starlette.websockets import WebSocketDisconnect

from partywall.adapters.channels import endings
from partywall.adapters.channels.rechecking import BEARER
from partywall.errors import SocketClosed

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from partywall.adapters.channels.channels import Channels
    from partywall.adapters.channels.endings import Ending
    from partywall.adapters.channels.subscriber import Subscriber
    from partywall.context import TenantContext

CLOSE_S = 5.0
"""So long what waits may take to be sent when the handler has come to its end."""

GONE = (WebSocketDisconnect, RuntimeError, OSError)
"""What Starlette raises for a socket that is closed."""


class TenantSocket:
    """A WebSocket that was let in; `Channels.socket` makes it.

    What is published on a channel that it has joined is sent by itself, as
    `{"channel": "invoices/7", "data": …}`. Iterating gives what the client says, as values of JSON,
    until the socket ends, for whatever reason.
    """

    def __init__(self, channels: Channels, websocket: WebSocket, subscriber: Subscriber) -> None:
        self._channels, self._websocket, self._subscriber = channels, websocket, subscriber
        self._sending: asyncio.Task[None] | None = None

    @property
    def context(self) -> TenantContext:
        """Who it is, by the last look: roles and permissions may have changed meanwhile."""
        return self._subscriber.context

    @property
    def ending(self) -> Ending | None:
        """Why it has ended; None as long as it has not."""
        return self._subscriber.ending

    async def subscribe(self, name: str) -> None:
        """Hear what is published on a channel of its tenant from the return on.

        Whether the user may hear of what the name names is for the caller to decide; no name leads
        to another tenant.

        Args:
            name: parts of ASCII letters, digits and any of _ . : @ - between them, divided by
                slashes; 200 characters at most. Nothing in it stands for anything else.

        Raises:
            InvalidChannel: for what is no name.
            QuotaExceeded: when it hears as many channels as it may.
            SocketClosed: when it has ended.
            Unavailable: when the broker can't be reached.
        """
        await self._channels.join(self._subscriber, name)

    async def unsubscribe(self, name: str) -> None:
        """Hear no more of a channel, from the call on.

        Raises:
            InvalidChannel: for what is no name.
        """
        self._channels.leave(self._subscriber, name)

    async def send(self, payload: Any) -> None:
        """Send a value to this client alone, after what waits already.

        Raises:
            MessageTooLarge: for more than a message may have.
            SocketClosed: when it has ended.
            TypeError, ValueError: for what JSON has not.
        """
        text = self._channels.written(payload)
        await self._subscriber.settled()
        self._subscriber.push(text)

    def __aiter__(self) -> Self:
        """What the client says."""
        return self

    async def __anext__(self) -> Any:
        """The next message of the client."""
        subscriber = self._subscriber
        while subscriber.ending is None:
            try:
                event = await self._websocket.receive()
                subscriber.active_s = monotonic()
                if event["type"] == "websocket.disconnect":
                    subscriber.end(endings.DONE)
                    break
                await subscriber.settled()
                return self._read(event.get("text"))
            except (ValueError, RecursionError):  # the latter: lists in lists, without an end
                subscriber.end(endings.UNREADABLE)
            except SocketClosed:
                break
        raise StopAsyncIteration

    def _read(self, text: str | None) -> Any:
        """A message's value.

        Raises:
            SocketClosed: for what is none; the socket ends.
            ValueError: for what is no JSON.
        """
        if text is not None and len(text.encode()) <= self._channels.message_bytes:
            return json.loads(text, parse_constant=refused)
        ending = endings.BINARY if text is None else endings.LARGE
        self._subscriber.end(ending)
        raise ending.error

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._sending = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Send what waits, and close; say nothing of a handler that went on after the end."""
        sending = self._sending
        assert sending is not None  # noqa: S101 - it was entered
        orderly = kind is None or issubclass(kind, (SocketClosed, WebSocketDisconnect))
        if orderly:
            self._subscriber.end(endings.DONE)
            await asyncio.wait([sending], timeout=CLOSE_S)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return orderly and kind is not None

    async def _send(self) -> None:
        """Send what comes, until the end, and say why it is."""
        subscriber, websocket = self._subscriber, self._websocket
        stall_s = self._channels.limits.stall_s
        try:
            while True:
                text = await subscriber.next()
                async with asyncio.timeout(stall_s):
                    await websocket.send_text(text)
        except SocketClosed:
            pass
        except TimeoutError:
            subscriber.end(endings.SLOW)
        except GONE:
            subscriber.end(endings.DONE)
            return
        ending = subscriber.ending or endings.DONE
        with suppress(*GONE, TimeoutError):
            async with asyncio.timeout(stall_s):
                await websocket.close(ending.code, ending.reason)


def refused(constant: str) -> NoReturn:
    """Take nothing that only Python calls JSON: NaN, Infinity.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is no JSON")


def chosen(websocket: WebSocket) -> str | None:
    """The subprotocol to answer with: the first that is no credential.

    A browser can send no header with a handshake, so that pages show their token as a subprotocol.
    """
    return next((p for p in websocket.scope["subprotocols"] if not p.startswith(BEARER)), None)
