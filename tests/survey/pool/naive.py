"""A pool that looks at nothing: it hands each session of the server on exactly as it was left."""

from __future__ import annotations

import asyncio
import struct
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 20
SSL, TERMINATE, READY = 80877103, b"X", b"Z"


class Session:
    """One session of the server, with all that it said when it was begun."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.greeting = reader, writer, b""
        self.client: asyncio.StreamWriter | None = None
        self.telling: asyncio.Task[None] | None = None

    async def tell(self) -> None:
        """Pass on whole messages, to whoever has it."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                message = await one(self.reader)
                if self.client is not None:
                    self.client.write(message)


class Naive:
    """Sessions by login; who comes is given one that nobody has, as it is."""

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self.free: dict[bytes, list[Session]] = {}
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        startup = await first(reader, writer)
        if startup is None:
            return
        waiting = self.free.setdefault(startup, [])
        session = waiting.pop() if waiting else await self.begun(startup)
        writer.write(session.greeting)
        session.client = writer
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (message := await one(reader))[:1] != TERMINATE:
                session.writer.write(message)
                await session.writer.drain()
        session.client = None
        waiting.append(session)
        writer.close()

    async def begun(self, startup: bytes) -> Session:
        session = Session(*await asyncio.open_connection("127.0.0.1", self.server_port))
        self.writers.append(session.writer)
        session.writer.write(startup)
        message = b""
        while message[:1] != READY:
            message = await one(session.reader)
            session.greeting += message
        session.telling = asyncio.create_task(session.tell())
        return session


async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
    """The message that begins a session; requests for encryption are declined."""
    while True:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readexactly(8)
            length, kind = struct.unpack("!II", head)
            if kind == SSL:
                writer.write(b"N")
                continue
            return head + await reader.readexactly(length - 8)
        writer.close()
        return None


async def one(reader: asyncio.StreamReader) -> bytes:
    """One message: its kind, its length, its content."""
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!I", head[1:])[0] - 4)


async def answering(pool: Naive, port: Future[int], stop: asyncio.Event) -> None:
    """Serve until *stop*; then end all sessions."""
    listening = await asyncio.start_server(pool.serve, "127.0.0.1", 0)
    port.set_result(listening.sockets[0].getsockname()[1])
    await stop.wait()
    listening.close()
    for writer in pool.writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@contextmanager
def naive_pool(server_port: int) -> Iterator[int]:
    """The port at which it answers."""
    port: Future[int] = Future()
    stop, loops = asyncio.Event(), Future[asyncio.AbstractEventLoop]()

    async def run() -> None:
        loops.set_result(asyncio.get_running_loop())
        await answering(Naive(server_port), port, stop)

    thread = threading.Thread(target=asyncio.run, args=[run()], daemon=True)
    thread.start()
    try:
        yield port.result(PATIENCE_S)
    finally:
        loops.result().call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
