"""A broker on PostgreSQL: LISTEN and NOTIFY, for who has no other server.

https://www.postgresql.org/docs/current/sql-notify.html

PostgreSQL asks nobody who listens: each login of the database may LISTEN to each channel whose name
it knows. So names are digests under a key, and no statement holds one: `pg_stat_activity` shows
statements to each session of the same login.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg
from psycopg import sql

from partywall.adapters.channels.brokers.line import Line
from partywall.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from typing import LiteralString, TypeAlias

    from partywall.adapters.channels.naming import Topic

    Connection: TypeAlias = psycopg.AsyncConnection[Any]

SHORTEST_KEY = 16
LONGEST_NAME = 63
LARGEST = 7900
"""Bytes of a message: NOTIFY takes less than 8000, and some are ours."""

AT_ONCE = 200
"""Messages that one statement sends."""

LISTENING = "partywall.channel"
NAMED = sql.SQL("SELECT set_config({}, %s, true)").format(sql.Literal(LISTENING))
STEP = sql.SQL("DO $$ BEGIN EXECUTE pg_catalog.format({}, current_setting({})); END $$")
LISTEN = STEP.format(sql.Literal("LISTEN %I"), sql.Literal(LISTENING))
UNLISTEN = STEP.format(sql.Literal("UNLISTEN %I"), sql.Literal(LISTENING))
NOTIFY = (
    "SELECT pg_catalog.pg_notify(address, message) "
    "FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) "
    "AS sent (address, message)"
)
ALIVE = "SELECT 1"


class PostgresBroker(Line["Connection"]):
    """Carries messages over PostgreSQL, on one connection for all sockets of the process.

    Messages have 7,900 bytes at most: send what has changed by its id, and let who hears of it
    read it in a tenant's session.

    Args:
        url: `postgresql://…`; past any pooler in transaction mode.
        key: at least 16 bytes, the same in each process; who knows it can compute names of
            channels.
        heartbeat_s: how often the server is asked for a sign of life; it has as long to answer.

    Raises:
        ConfigurationError: when the key is shorter.
    """

    largest_bytes = LARGEST
    errors: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)

    def __init__(self, url: str, *, key: bytes | str, heartbeat_s: float = 5.0) -> None:
        super().__init__(heartbeat_s=heartbeat_s)
        self._key = key.encode() if isinstance(key, str) else key
        if len(self._key) < SHORTEST_KEY:
            raise ConfigurationError(
                "PostgresBroker(key=…): give at least 16 bytes that nobody can guess, such as "
                "secrets.token_hex()"
            )
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._turn = asyncio.Lock()
        self._outgoing: dict[asyncio.Future[None], tuple[str, str]] = {}
        self._proof: tuple[str, asyncio.Event] = ("", asyncio.Event())

    def address(self, topic: Topic) -> str:
        """A digest of tenant and name, which only who has the key can make."""
        return self._digest(topic.path)

    async def subscribe(self, address: str) -> None:
        """As `Broker.subscribe`."""
        await self._step(await self.connected(), LISTEN, address)

    async def unsubscribe(self, address: str) -> None:
        """As `Broker.unsubscribe`."""
        if self.connection is not None:
            await self._step(self.connection, UNLISTEN, address)

    async def publish(self, address: str, text: str) -> None:
        """As `Broker.publish`. What is published while a statement is under way goes with the next.

        A message that equals another one of the same transaction is sent once, so each has a
        number before it.
        """
        connection = await self.connected()
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outgoing[sent] = address, text
        try:
            async with self._turn:
                if sent in self._outgoing:
                    await self._send(connection)
            await sent
        finally:
            self._outgoing.pop(sent, None)

    async def connect(self) -> Connection:
        """As `Line.connect`; also sees that something is heard.

        Raises:
            ConfigurationError: when nothing is.
        """
        connection = await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, application_name="partywall channels"
        )
        try:
            connection.add_notify_handler(self._notified)
            self._proof = self._digest(secrets.token_hex()), asyncio.Event()
            await self._step(connection, LISTEN, self._proof[0])
            async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as other:
                await other.execute(NOTIFY, [[self._proof[0]], ["0\n"]])
            await self._proven()
            await self._step(connection, UNLISTEN, self._proof[0])
        except BaseException:
            await self.disconnect(connection)
            raise
        return connection

    async def listen(self, connection: Connection) -> None:
        """As `Line.listen`: what comes is read as it comes; here it is asked for signs of life."""
        while not connection.closed:
            await asyncio.sleep(self.heartbeat_s)
            async with self._turn, asyncio.timeout(2 * self.heartbeat_s):
                await self._done(connection, (ALIVE, None))

    async def disconnect(self, connection: Connection) -> None:
        """As `Line.disconnect`."""
        if not connection.closed:
            asyncio.get_running_loop().remove_reader(connection.fileno())
        await connection.close()

    async def _proven(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._proof[1].wait(), 2 * self.heartbeat_s)
        if not self._proof[1].is_set():
            raise ConfigurationError(
                "PostgresBroker hears nothing of what it sends: give it a url that leads past a "
                "pooler in transaction mode"
            )

    def _digest(self, path: str) -> str:
        digest = hmac.digest(self._key, path.encode(), hashlib.sha256).hex()
        return f"pw_{digest}"[:LONGEST_NAME]

    def _read_from(self, connection: Connection) -> None:
        """Take notifications while no statement is under way."""
        file = connection.fileno()
        asyncio.get_running_loop().add_reader(file, self._readable, connection, file)

    def _readable(self, connection: Connection, file: int) -> None:
        try:
            connection.pgconn.consume_input()
            while (notice := connection.pgconn.notifies()) is not None:
                self._told(notice.relname.decode(), notice.extra.decode())
        except psycopg.Error:
            asyncio.get_running_loop().remove_reader(file)
            self.broken(connection)

    def _notified(self, notice: psycopg.Notify) -> None:
        self._told(notice.channel, notice.payload)

    def _told(self, address: str, message: str) -> None:
        if address == self._proof[0]:
            self._proof[1].set()
        else:
            self.heard(address, message.partition("\n")[2])

    async def _step(self, connection: Connection, statement: sql.Composed, address: str) -> None:
        try:
            async with self._turn, asyncio.timeout(3 * self.heartbeat_s):
                await self._done(connection, (NAMED, [address]), (statement, None))
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise self.unsure(connection, error) from error

    async def _done(
        self, connection: Connection, *statements: tuple[sql.Composed | LiteralString, Any]
    ) -> None:
        """Run statements in one transaction and one round trip.

        Notifications that come with the answer are passed on by psycopg.
        """
        loop, file = asyncio.get_running_loop(), connection.fileno()
        loop.remove_reader(file)
        try:
            async with connection.pipeline():
                for statement, values in statements:
                    await connection.execute(statement, values)
        finally:
            if not connection.closed:
                self._read_from(connection)
                self._readable(connection, file)

    async def _send(self, connection: Connection) -> None:
        """Send what waits: the first of them, as many as go with one statement."""
        batch = {sent: self._outgoing.pop(sent) for sent in [*self._outgoing][:AT_ONCE]}
        addresses = [address for address, _ in batch.values()]
        messages = [f"{number}\n{text}" for number, (_, text) in enumerate(batch.values())]
        failure: Exception | None = Unavailable("a message was given up while it was sent")
        try:
            async with asyncio.timeout(3 * self.heartbeat_s):
                await self._done(connection, (NOTIFY, [addresses, messages]))
            failure = None
        except (psycopg.Error, OSError, TimeoutError) as error:
            lost = connection.closed or isinstance(error, TimeoutError)
            failure = self.unsure(connection if lost else None, error)
        finally:
            for sent in batch:
                if sent.done():
                    continue
                if failure is None:
                    sent.set_result(None)
                else:
                    sent.set_exception(failure)
                    sent.exception()  # whoever waits for it raises it
