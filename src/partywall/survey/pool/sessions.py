"""Sessions of a pool, held by whoever logs in: the one module that talks to it directly."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from partywall.errors import TargetError, Unreachable
from partywall.survey.addresses import without_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.survey.configuration import TenantSettings

CONNECT_S = 10
STATEMENT_MS = 15_000
ANSWER_S = 30
"""So long an answer is waited for: longer than the server works at a statement."""
FAILED = psycopg.pq.TransactionStatus.INERROR
NOTICE_S = 5.0
"""So long a notification is waited for that was sent to oneself."""


@dataclass
class Held:
    """A connection with a transaction open, and so with a session of the pool to itself.

    Attributes:
        session: the server's number of it (``pg_backend_pid``).
    """

    connection: psycopg.AsyncConnection[Any]
    session: int

    async def run(self, statement: str) -> str:
        """The first value of what it returns as text; the SQLSTATE where it fails."""
        try:
            cursor = await self._answered(statement)
            row = await cursor.fetchone() if cursor.description else None
        except psycopg.Error as error:
            if self.connection.broken:
                raise
            return error.sqlstate or "XX000"
        return "" if row is None or row[0] is None else str(row[0])

    async def asked(self, query: str) -> str:
        """As `run`; where it fails the transaction goes on."""
        await self.run("SAVEPOINT partywall")
        said = await self.run(query)
        await self.run("ROLLBACK TO SAVEPOINT partywall")
        return said

    async def texts(self, query: str) -> list[str]:
        """The first column of what it returns; [] where it fails."""
        try:
            return [str(row[0]) for row in await (await self._answered(query)).fetchall()]
        except psycopg.Error:
            if self.connection.broken:
                raise
            return []

    async def through(self, statements: Iterable[str]) -> str:
        """Run all; "" or what the server said to the first that it refused."""
        for one in statements:
            try:
                await self._answered(one)
            except psycopg.Error as error:
                if self.connection.broken:
                    raise
                return f"{error.sqlstate} {error.diag.message_primary or ''}".strip()
        return ""

    async def _answered(self, statement: str) -> psycopg.AsyncCursor[Any]:
        """Run it; a pool that doesn't answer is left, and so is one when the survey is stopped.

        psycopg itself would ask for the statement to be cancelled, and wait for an answer to that.

        Raises:
            TargetError: there was no answer in time.
        """
        asked = asyncio.ensure_future(self.connection.execute(statement.encode()))
        try:
            done, _ = await asyncio.wait({asked}, timeout=ANSWER_S)
        except asyncio.CancelledError:
            await self._left(asked)
            raise
        if not done:
            await self._left(asked)
            raise TargetError(f"the pool did not answer within {ANSWER_S} s")
        return asked.result()

    async def _left(self, asked: asyncio.Future[Any]) -> None:
        """Cut the connection, so that what was asked fails."""
        self._shut()
        await asyncio.wait({asked})
        asked.exception()

    async def commit(self) -> None:
        """End the transaction, and so give the session back where transactions are pooled."""
        await self._answered("COMMIT")

    async def told(self, channel: str) -> bool:
        """Whether a notification on *channel* has come."""
        async for one in self.connection.notifies(timeout=NOTICE_S, stop_after=1):
            return one.channel == channel
        return False

    async def close(self) -> None:
        """Go as one should: without a transaction, so that the pool keeps the session."""
        with suppress(psycopg.Error, TargetError):  # the others are still to be given back
            if not self.connection.broken:
                await self._answered("ROLLBACK")
        await self.connection.close()

    async def cut(self) -> None:
        """Go as a client does that crashes: the pool is told nothing but that nobody is there."""
        self._shut()
        await self.connection.close()

    def _shut(self) -> None:
        if self.connection.closed:
            return
        with socket.socket(fileno=self.connection.fileno()) as wire:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.detach()


class Pool:
    """A pool's sessions, for whoever may log in.

    Attributes:
        most: so many are held at once; what the pool has, as soon as that is known.
        version: of the server behind it, once it was asked.
    """

    def __init__(self, most: int, wait_s: float) -> None:
        self.most, self._wait_s = most, wait_s
        self.version = ""

    async def hold(self, who: TenantSettings, enter: Iterable[str] = ()) -> list[Held]:
        """As many sessions as there are, each within a transaction that *enter* has begun.

        Where a transaction can't be begun, or entered, the session is there all the same: what
        its statements fail with tells why.

        Raises:
            Unreachable: not one can be had.
        """
        held: list[Held] = []
        try:
            while len(held) < self.most:
                one = await self._held(who, tuple(enter), first=not held)
                if one is None:
                    self.most = len(held)  # all that there are
                    break
                held.append(one)
        except BaseException:
            await closed(held)
            raise
        return held

    async def _held(
        self, who: TenantSettings, enter: tuple[str, ...], *, first: bool
    ) -> Held | None:
        there = without_secret(who.url)
        connection = None
        try:
            async with asyncio.timeout(CONNECT_S if first else self._wait_s):
                connection = await psycopg.AsyncConnection.connect(
                    who.url,
                    autocommit=True,
                    prepare_threshold=None,
                    connect_timeout=CONNECT_S,
                    application_name="partywall",
                )
                one = Held(connection, 0)
                await one.run("BEGIN")
                await one.run(f"SET LOCAL statement_timeout = {STATEMENT_MS}")
                one.session = connection.info.backend_pid
                seen = await one.run("SELECT pg_backend_pid()")
                if seen.isdigit() and connection.info.transaction_status is not FAILED:
                    one.session = int(seen)
                await one.through(enter)
                self.version = self.version or str(connection.info.server_version)
                return one
        except (TimeoutError, psycopg.OperationalError) as error:
            if connection is not None:
                await connection.close()
            if not first:
                return None
            words = str(error).strip() or f"no session within {CONNECT_S} s"
            raise Unreachable(f"can't connect to {there}: {words}") from error


async def closed(held: Iterable[Held]) -> None:
    """Give all back."""
    for one in held:
        await one.close()
