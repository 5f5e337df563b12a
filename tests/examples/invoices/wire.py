"""HTTP/1.1 as bytes: quick enough for a storm, and able to hang up in the middle of an answer."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx


DATE = re.compile(rb"(?mi)^date: [^\r]*\r\n")


def raw(request: httpx.Request) -> bytes:
    """All that a server sends back to a request, but for the date: its status line and the rest."""
    request.headers["Connection"] = "close"
    head = b"".join(b"%s: %s\r\n" % pair for pair in request.headers.raw)
    first = b"%s %s HTTP/1.1\r\n" % (request.method.encode(), request.url.raw_path)
    address = (request.url.host, request.url.port or 80)
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(first + head + b"\r\n" + request.read())
        parts = iter(lambda: connection.recv(65536), b"")
        said, times = DATE.subn(b"", b"".join(parts), count=1)
    assert times == 1
    return said


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes


class Line:
    """A connection to a server, opened anew after each time it was hung up."""

    def __init__(self, base: str) -> None:
        address = urlsplit(base)
        self._host, self._port = str(address.hostname), int(address.port or 80)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        """Send a request and read its answer."""
        try:
            await self._send(method, path, headers, body)
            assert self._reader is not None
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            status = int(head.split(" ", 2)[1])
            return Answer(status, await self._body(head, status))
        except BaseException:
            self.hang_up()
            raise

    async def drop(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, after_s: float
    ) -> None:
        """Send a request, and hang up before its answer was read."""
        await self._send(method, path, headers, body)
        await asyncio.sleep(after_s)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection at once."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        said = {"host": f"{self._host}:{self._port}", "content-length": str(len(body)), **headers}
        if body:
            said["content-type"] = "application/json"
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    async def _body(self, head: str, status: int) -> bytes:
        assert self._reader is not None
        if "transfer-encoding: chunked" in head:
            parts = []
            while length := int(await self._reader.readuntil(b"\r\n"), 16):
                parts.append(await self._reader.readexactly(length))
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
            return b"".join(parts)
        if status == 204:
            return b""
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        return await self._reader.readexactly(length)

    def __enter__(self) -> Self:
        """This line; the block hangs it up."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.hang_up()
