"""Results, cursors, streams and COPY that are still open when their block has ended."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import InvalidRequestError, SQLAlchemyError

from partywall import TenantContext
from partywall.errors import TenantMismatch, WallError
from partywall.runtime.plain import LeasedAsyncServerCursor, LeasedCursor, LeasedServerCursor
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Cursors are left open here on purpose, and psycopg complains of that.
pytestmark = pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")


@pytest.fixture(autouse=True, scope="module")
def _cursors_are_gone() -> Iterator[None]:
    """Else the collector finds them in a test of another module, where the complaint counts."""
    yield
    gc.collect()


BODIES = "SELECT body FROM note ORDER BY id"
MANY = "SELECT body, n FROM note, generate_series(1, 100) AS n ORDER BY id, n"
"""More rows than a driver fetches ahead."""

SHARED_POOL = pytest.mark.parametrize("foundation", ["rows", "schemas", "roles"], indirect=True)
ACMES = [(body,) for body in ROWS[ACME.tenant_id].values()]


def named(connection: Any, name: str = "export") -> Any:  # noqa: ANN401 - a cursor of the server
    """A cursor of the server over the notes, one of them fetched."""
    cursor = connection.cursor(name)
    cursor.execute(BODIES)
    cursor.fetchone()
    return cursor


LATE: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "execute": (lambda c: c.cursor(), lambda cursor: cursor.execute(BODIES).fetchall()),
    "executemany": (
        lambda c: c.cursor(),
        lambda cursor: cursor.executemany("DELETE FROM line WHERE id = %s", [(1,)]),
    ),
    "stream": (lambda c: c.cursor().stream(BODIES), list),
    "cursor of a stream": (lambda c: c.cursor(), lambda cursor: list(cursor.stream(BODIES))),
    "copy": (lambda c: c.cursor().copy("COPY note TO STDOUT"), lambda copy: list(copy.__enter__())),
    "fetchone": (named, lambda cursor: cursor.fetchone()),
    "fetchmany": (named, lambda cursor: cursor.fetchmany(2)),
    "fetchall": (named, lambda cursor: cursor.fetchall()),
    "iteration": (named, list),
    "next": (named, next),
    "scroll": (named, lambda cursor: cursor.scroll(1)),
    "close": (named, lambda cursor: cursor.close()),
}


@SHARED_POOL
@pytest.mark.parametrize("way", LATE)
def test_a_cursor_of_one_tenant_does_nothing_for_the_next(sync_house: House, way: str) -> None:
    opened, use = LATE[way]
    tenancy = sync_house.tenancy
    with tenancy.plain(ACME) as connection:
        late = opened(connection)
    with tenancy.plain(GLOBEX) as connection:
        own = named(connection)
        with pytest.raises(TenantMismatch):
            use(late)
        assert own.fetchone() == ("globex 2",)
        own.close()
    sync_house.intact()


@SHARED_POOL
@pytest.mark.parametrize("way", LATE)
def test_the_same_works_within_the_block(sync_house: House, way: str) -> None:
    opened, use = LATE[way]
    with sync_house.tenancy.plain(ACME) as connection:
        use(opened(connection))
        with connection.transaction():
            assert connection.execute(BODIES).fetchall() == ACMES


@SHARED_POOL
@pytest.mark.parametrize("house", ["psycopg-async"], indirect=True)
@pytest.mark.parametrize(
    "way",
    ["execute", "executemany", "stream", "copy", "fetchone", "fetchmany", "fetchall", "iteration",
     "next", "scroll", "close"],
)  # fmt: skip
def test_an_async_cursor_does_nothing_for_the_next(  # noqa: C901 - one branch for each way
    house: House, way: str
) -> None:
    async def opened(connection: Any) -> Any:  # noqa: ANN401 - what psycopg gives
        if way in {"execute", "executemany"}:
            return connection.cursor()
        if way == "stream":
            return connection.cursor().stream(BODIES)
        if way == "copy":
            return connection.cursor().copy("COPY note TO STDOUT")
        cursor = connection.cursor("export")
        await cursor.execute(BODIES)
        return cursor

    async def use(late: Any) -> None:  # noqa: ANN401 - as above
        if way in {"stream", "iteration"}:
            assert len([row async for row in late]) == 3
        elif way == "copy":
            async with late as copy:
                assert len([row async for row in copy]) == 3
        elif way == "execute":
            await late.execute(BODIES)
        elif way == "executemany":
            await late.executemany("DELETE FROM line WHERE id = %s", [(1,)])
        elif way == "next":
            assert await anext(late)
        elif way == "fetchmany":
            assert await late.fetchmany(1)
        elif way == "scroll":
            await late.scroll(1)
        else:
            await getattr(late, way)()

    async def main() -> None:
        async with house.tenancy.async_plain(ACME) as connection:
            await use(await opened(connection))
        async with house.tenancy.async_plain(ACME) as connection:
            late = await opened(connection)
        async with house.tenancy.async_plain(GLOBEX) as connection:
            own = connection.cursor("export")
            await own.execute(BODIES)
            with pytest.raises(TenantMismatch):
                await use(late)
            assert await own.fetchone() == ("globex 1",)
            await own.close()

    house.run(main())
    assert house.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]


LOCAL = {"adapters", "arraysize", "closed", "connection", "description", "format", "itersize"}
LOCAL |= {"name", "nextset", "pgresult", "results", "row_factory", "rowcount", "rownumber"}
LOCAL |= {"scrollable", "set_result", "setinputsizes", "setoutputsize", "statusmessage", "withhold"}
REFUSED = {"copy", "stream"}  # what psycopg itself refuses of a server's cursor


@pytest.mark.parametrize("kind", [LeasedServerCursor, LeasedAsyncServerCursor])
def test_every_way_of_psycopgs_to_speak_to_the_server_is_held(kind: type[Any]) -> None:
    """A method that psycopg may gain is noticed here."""
    public = {name for name in dir(kind) if not name.startswith("_")} - LOCAL - REFUSED
    assert public - vars(kind).keys() - {"executemany"} == set()
    assert {"execute", "executemany", "copy", "stream"} <= vars(LeasedCursor).keys()


@pytest.mark.parametrize("way", ["execute", "cursor", "transaction", "pipeline"])
def test_a_plain_connection_ends_with_its_block(sync_house: House, way: str) -> None:
    with sync_house.tenancy.plain(ACME) as connection:
        assert connection.context == ACME
        assert connection.execute(BODIES).fetchall() == ACMES
    with sync_house.tenancy.plain(GLOBEX), pytest.raises(WallError):
        getattr(connection, way)(*([BODIES] if way == "execute" else []))


def test_a_session_ends_with_its_block(house: House) -> None:
    """Background work that kept the session of a request that was answered."""
    kept = house.work(ACME, lambda session: session)
    house.rows(GLOBEX)
    with pytest.raises(InvalidRequestError):
        kept.execute(text("SELECT 1"))
    with pytest.raises(InvalidRequestError):
        kept.get(house.note, 1)
    house.intact()


@SHARED_POOL
def test_a_streamed_result_ends_with_its_block(sync_house: House) -> None:
    with sync_house.tenancy.session(ACME) as session:
        streamed = session.execute(text(MANY), execution_options={"yield_per": 1})
        assert next(streamed) == ("acme 1", 1)
    with sync_house.tenancy.session(GLOBEX) as session:
        own = session.execute(text(MANY), execution_options={"yield_per": 1})
        assert next(own) == ("globex 1", 1)
        with pytest.raises((SQLAlchemyError, TenantMismatch)):
            streamed.all()
        assert next(own) == ("globex 1", 2)


@SHARED_POOL
@pytest.mark.parametrize("house", ["psycopg-async", "asyncpg"], indirect=True)
def test_an_async_stream_ends_with_its_block(house: House) -> None:
    async def main() -> None:
        async with house.tenancy.async_session(ACME) as session:
            streamed = await session.stream(text(MANY), execution_options={"yield_per": 1})
            assert await streamed.fetchone() == ("acme 1", 1)
        async with house.tenancy.async_session(GLOBEX) as session:
            own = await session.stream(text(MANY), execution_options={"yield_per": 1})
            assert await own.fetchone() == ("globex 1", 1)
            with pytest.raises((SQLAlchemyError, TenantMismatch, asyncpg.PostgresError)):
                await streamed.fetchall()
            assert await own.fetchone() == ("globex 1", 2)

    house.run(main())


@SHARED_POOL
def test_a_stream_that_is_still_read_at_the_blocks_end_does_not_hang(sync_house: House) -> None:
    reading: list[Any] = []

    def leave_open(context: TenantContext) -> None:
        with sync_house.tenancy.plain(context) as connection:
            reading.append(connection.cursor().stream("SELECT generate_series(1, 1000)"))
            next(reading[-1])

    with pytest.raises((WallError, psycopg.Error)):
        leave_open(ACME)
    sync_house.intact()
    with pytest.raises((TenantMismatch, psycopg.Error, StopIteration)):
        next(reading[0])


@SHARED_POOL
def test_copy_stays_with_the_tenant(sync_house: House) -> None:
    with sync_house.tenancy.plain(ACME) as connection:
        with connection.cursor().copy("COPY (SELECT body FROM note ORDER BY id) TO STDOUT") as out:
            assert [row[0] for row in out.rows()] == [body for (body,) in ACMES]
        if not sync_house.shared:
            with connection.cursor().copy("COPY note (id, body) FROM STDIN") as into:
                into.write_row((50, "new"))
    assert sync_house.foundation.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]
    if not sync_house.shared:
        assert sync_house.rows(ACME)[50] == "new"
