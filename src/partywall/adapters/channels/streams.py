"""Server-sent events of a tenant.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from partywall.adapters.channels import endings
from partywall.adapters.channels.naming import named
from partywall.errors import SocketClosed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from partywall.adapters.channels.channels import Channels
    from partywall.adapters.channels.subscriber import Subscriber
    from partywall.context import TenantContext

PING = b":\n\n"


class EventStream(Response):
    """A response that tells what is published on channels, for as long as its client may hear it.

    Each event is `data: {"channel": "invoices/7", "data": …}`. When the server ends the stream, the
    last one is of the type `end` and has the code of a socket's end.

    Events have no ids: what was published while nobody listened is not kept, so that there is
    nothing to go on from. A browser that connects again sends no `Last-Event-ID`, and is told by
    *first* how things are.

    Args:
        channels: where it joins.
        request: by which it is looked at again.
        context: who it is.
        names: of the channels.
        first: is called when the channels are joined, and gives values to send before all events:
            nothing is missed between. It runs after the handler's session has ended: open one of
            its own.
        ping_s: after so long without an event a comment is sent, for proxies.

    Raises:
        InvalidChannel: for what is no name.
    """

    media_type: str | None = "text/event-stream"

    def __init__(
        self,
        channels: Channels,
        request: Request,
        context: TenantContext,
        names: Sequence[str],
        *,
        first: Callable[[], Awaitable[Iterable[Any]]] | None = None,
        ping_s: float = 15.0,
    ) -> None:
        kept = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(headers=kept)
        del self.headers["content-length"]
        self._channels, self._request, self._context = channels, request, context
        self._names = [named(name) for name in names]
        self._first, self._ping_s = first, ping_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client goes, or may hear no more.

        Raises:
            PartywallError: what refuses it, before the first byte.
        """
        del scope
        async with self._channels.admitted(self._request, self._context) as subscriber:
            for name in self._names:
                await self._channels.join(subscriber, name)
            values = [] if self._first is None else await self._first()
            texts = [self._channels.written(value) for value in values]
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            both = [
                asyncio.create_task(self._tell(subscriber, texts, send)),
                asyncio.create_task(left(receive)),
            ]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in both:
                    each.cancel()
                await asyncio.gather(*both, return_exceptions=True)

    async def _tell(self, subscriber: Subscriber, texts: list[str], send: Send) -> None:
        stall_s = self._channels.limits.stall_s

        async def sent(body: bytes, *, more: bool = True) -> None:
            async with asyncio.timeout(stall_s):
                await send({"type": "http.response.body", "body": body, "more_body": more})

        await sent(PING)
        try:
            for text in texts:
                await subscriber.settled()
                await sent(f"data: {text}\n\n".encode())
            while True:
                event = PING
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._ping_s):
                        event = f"data: {await subscriber.next()}\n\n".encode()
                await sent(event)
        except SocketClosed as closed:
            await sent(f"event: end\ndata: {closed.code}\n\n".encode(), more=False)
        except TimeoutError:
            subscriber.end(endings.SLOW)


async def left(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
