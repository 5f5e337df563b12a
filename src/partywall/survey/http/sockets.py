"""Listening at a WebSocket."""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from partywall.survey.http.ears import OPEN_S, SWITCHED, Ear
from partywall.survey.http.recorded_sockets import PROTOCOL
from partywall.survey.http.replaying import replayed
from partywall.survey.http.wire import loopback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.asyncio.client import ClientConnection

CLOSE_S = 0.2
LARGEST_B = 2**22
TEXTS = ("text", "message", "content", "data", "body")
GUESSES = (json.dumps({"type": "message", **dict.fromkeys(TEXTS, "{canary}")}), "{canary}")
"""What a chat may take for a message; the plain text last, since it may end the connection."""


class Connecting(connect):
    """Goes where it is told to and nowhere else: redirects are refusals."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Take a redirect for what it is, an answer that opens nothing."""
        return exc


@dataclass
class SocketEar(Ear):
    """Somebody at a WebSocket."""

    socket: ClientConnection | None = None

    async def listen(self) -> None:
        """Connect, send the messages, and hear."""
        await self.wire.paced()
        headers = self.wire.headers(self.actor, self.request)
        named = {name.lower(): name for name in headers}
        protocol = headers.pop(named[PROTOCOL]) if PROTOCOL in named else ""
        url = self.url
        self.wire.vet(url)
        parts = urlsplit(url)
        try:
            async with Connecting(
                url,
                origin=f"http{parts.scheme[2:]}://{parts.netloc}",  # type: ignore[arg-type]  # Origin is a str
                additional_headers=headers,
                subprotocols=[one.strip() for one in protocol.split(",")] if protocol else None,  # type: ignore[misc]  # Subprotocol is a str
                user_agent_header="partywall-probe",
                open_timeout=OPEN_S,
                close_timeout=CLOSE_S,
                ping_interval=None,
                max_size=LARGEST_B,
                proxy=None,
                ssl=self._ssl(parts.scheme),
                **_place(url),
            ) as socket:
                self.socket, self.status = socket, SWITCHED
                if await self.greet():
                    self.open()
                async for message in socket:
                    text = message if isinstance(message, str) else message.decode(errors="replace")
                    await self.got(text)
        except InvalidStatus as error:
            self.status = error.response.status_code
            self.refusal = f"the server answered {self.status}"
        except ConnectionClosed as error:
            self.refusal = str(error)
        except (OSError, TimeoutError, WebSocketException) as error:
            self.refusal = f"{type(error).__name__}: {error}".rstrip(": ")

    @property
    def url(self) -> str:
        """Its address."""
        return "ws" + self.wire.address(self.actor, self.request).removeprefix("http")

    async def greet(self) -> bool:
        """Send what opens the channel; say whether it was let in."""
        for message in self.messages:
            await self.say(message)
        return True

    async def got(self, message: str) -> None:
        """Take one message."""
        self.hears(message)

    async def say(self, text: str) -> None:
        """Send a message; where it is closed already, nothing."""
        if self.socket is not None:
            with suppress(ConnectionClosed):
                await self.socket.send(text)

    def command(self, said: Sequence[str] = ()) -> str:
        """A line of Python that connects, sends and prints what comes."""
        return replayed(self.actor, self.request, self.url, (*self.messages, *said))

    def _ssl(self, scheme: str) -> ssl.SSLContext | None:
        if scheme != "wss" or self.wire.verify:
            return None
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def _place(url: str) -> dict[str, Any]:
    """Where to connect, if not where the address says; the `Host` stays."""
    there, host = loopback(url)
    return {"host": urlsplit(there).hostname} if host else {}
