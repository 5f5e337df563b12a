"""An API of notes on a pool of few connections: sound, and with what real ones get wrong there.

The tenant is a setting of the session; which of the notes are a tenant's, the database asks it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import psycopg
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

CONNECTIONS = 3
AT_ONCE = 4
PATIENCE_S = 0.5
WORK_S = 0.03
"""So long a query takes: else nobody could hang up on one."""
TENANTS = {"Bearer a-secret-of-acme": "acme", "Bearer a-secret-of-globex": "globex"}
TABLE = """
CREATE TABLE note (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), tenant text NOT NULL,
                   body text NOT NULL)
"""
FAULTS = (
    "context_in_a_global", "left_when_cancelled", "left_when_failed", "lost_when_cancelled",
)  # fmt: skip

Token: TypeAlias = Annotated[str, Header(alias="authorization")]
Connection: TypeAlias = psycopg.AsyncConnection[Any]


class Note(BaseModel):
    """What is sent."""

    body: str


class Shelf:
    """Notes of whoever a connection was entered for."""

    def __init__(self, url: str, fault: str) -> None:
        self.url, self.fault = url, fault
        self.free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self.tenant = ""
        self.arrived: list[float] = []
        self.cancelled = False

    @asynccontextmanager
    async def opened(self, _: FastAPI) -> AsyncIterator[None]:
        every = [
            await psycopg.AsyncConnection.connect(self.url, autocommit=True)
            for _ in range(CONNECTIONS)
        ]
        for one in every:
            self.free.put_nowait(one)
        yield
        for one in every:
            await one.close()

    async def admit(self) -> None:
        """Refuse, as an application does that bounds what is asked of it."""
        if self.fault == "few_at_once":
            self.arrived.append(time.monotonic())
            await asyncio.sleep(WORK_S)
            if sum(time.monotonic() - one < 3 * WORK_S for one in self.arrived) > AT_ONCE:
                raise HTTPException(403)
        if self.fault == "closed_when_cancelled" and self.cancelled:
            raise HTTPException(403)

    @asynccontextmanager
    async def connection(self, token: str) -> AsyncIterator[Connection]:
        """A connection that is entered for whoever asks."""
        tenant = TENANTS.get(token)
        if tenant is None:
            raise HTTPException(401)
        self.tenant = tenant
        try:
            one = await asyncio.wait_for(self.free.get(), PATIENCE_S)
        except TimeoutError:
            raise HTTPException(503) from None
        if self.fault == "context_in_a_global":
            tenant = self.tenant
        if self.fault.startswith("left_when"):
            async with self.left(one, tenant):
                yield one
            return
        lost = False
        try:
            async with one.transaction():
                await one.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
                yield one
        except asyncio.CancelledError:
            lost = self.fault == "lost_when_cancelled"
            self.cancelled = True
            raise
        finally:
            if not lost:
                self.free.put_nowait(one)

    @asynccontextmanager
    async def left(self, one: Connection, tenant: str) -> AsyncIterator[None]:
        """Enter a connection that nobody seems to have entered; leave it where all went well."""
        ended = asyncio.CancelledError if self.fault == "left_when_cancelled" else Exception
        try:
            enter = "SELECT set_config('app.tenant', %s, false) WHERE coalesce(%s, '') = ''"
            there = await (
                await one.execute("SELECT current_setting('app.tenant', true)")
            ).fetchone()
            await one.execute(enter, [tenant, there and there[0]])
            yield
            await one.execute("RESET app.tenant")
        except ended:
            raise
        except BaseException:
            await one.execute("RESET app.tenant")
            raise
        finally:
            self.free.put_nowait(one)


class Cancelling:
    """Cancels a request whose client has gone, as several servers and frameworks do."""

    def __init__(self, app: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        messages: asyncio.Queue[Any] = asyncio.Queue()
        task = asyncio.create_task(self.app(scope, messages.get, send))

        async def listen() -> None:
            while (message := await receive())["type"] != "http.disconnect":
                messages.put_nowait(message)
            task.cancel()

        listening = asyncio.create_task(listen())
        with suppress(asyncio.CancelledError):
            await task
        listening.cancel()
        return None


def shop(url: str, fault: str = "") -> Cancelling:
    """The application before the database at *url*, sound but for *fault*."""
    shelf = Shelf(url, fault)
    app = FastAPI(lifespan=shelf.opened)
    own = "tenant = current_setting('app.tenant', true)"

    async def rows(connection: Connection, query: str, *values: str) -> list[dict[str, str]]:
        await connection.execute("SELECT pg_sleep(%s)", [WORK_S])
        found = await connection.execute(query.encode(), values)
        return [{"id": str(id_), "body": body} for id_, body in await found.fetchall()]

    @app.post("/notes", status_code=201)
    async def make(note: Note, token: Token) -> dict[str, str]:
        make = "INSERT INTO note (tenant, body) VALUES (current_setting('app.tenant'), %s)"
        async with shelf.connection(token) as connection:
            return (await rows(connection, f"{make} RETURNING id, body", note.body))[0]

    @app.get("/notes")
    async def every(token: Token) -> list[dict[str, str]]:
        await shelf.admit()
        async with shelf.connection(token) as connection:
            shown = "true" if fault == "list_of_all" else own
            return await rows(connection, f"SELECT id, body FROM note WHERE {shown} ORDER BY id")

    @app.get("/notes/{note_id}")
    async def show(note_id: str, token: Token) -> dict[str, str]:
        await shelf.admit()
        async with shelf.connection(token) as connection:
            query = f"SELECT id, body FROM note WHERE {own} AND id = %s"
            return found(await rows(connection, query, note_id))

    @app.delete("/notes/{note_id}")
    async def remove(note_id: str, token: Token) -> dict[str, str]:
        async with shelf.connection(token) as connection:
            query = f"DELETE FROM note WHERE {own} AND id = %s RETURNING id, body"
            return found(await rows(connection, query, note_id))

    return Cancelling(app)


def found(rows: list[dict[str, str]]) -> dict[str, str]:
    if not rows:
        raise HTTPException(404)
    return rows[0]
