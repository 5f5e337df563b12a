"""Whole units of work in one message: what fails, is swallowed, or is used too late."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from partywall import TenantContext
from partywall.errors import TenantMismatch, UnknownTenant, WallError
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House
from tests.runtime.breakin.test_pool_reuse import Stop, same_backend

if TYPE_CHECKING:
    from collections.abc import Callable

ASYNC = pytest.mark.parametrize("house", ["psycopg-async"], indirect=True)
SCHEMAS = pytest.mark.parametrize("foundation", ["schemas", "roles"], indirect=True)
BODIES = "SELECT body FROM note ORDER BY id"
INSERT = "INSERT INTO note (id, body) VALUES (3, 'acme 3')"
NOBODY = TenantContext("nobody")


def bodies(context: TenantContext) -> list[tuple[str]]:
    return [(body,) for body in ROWS[context.tenant_id].values()]


def test_each_tenant_reads_its_own(sync_house: House) -> None:
    for context in (ACME, GLOBEX, ACME):
        with sync_house.tenancy.batch(context) as batch:
            cursor = batch.execute(BODIES)
        assert cursor.fetchall() == bodies(context)
    sync_house.intact()


def swallowing(connection: Any) -> None:  # noqa: ANN401 - a batch
    with suppress(psycopg.Error):
        connection.execute("SELECT 1 / 0").fetchone()


def raising(connection: Any) -> None:  # noqa: ANN401 - a batch
    del connection
    raise LookupError


def stopping(connection: Any) -> None:  # noqa: ANN401 - a batch
    del connection
    raise Stop


ENDS: dict[str, tuple[Callable[[Any], object], tuple[type[BaseException], ...]]] = {
    "an error": (lambda batch: batch.execute("SELECT 1 / 0"), (psycopg.Error,)),
    "an error swallowed": (swallowing, (WallError, psycopg.Error)),
    "an error of the application": (raising, (LookupError,)),
    "a stop": (stopping, (Stop,)),
    "a commit of its own, and an error": (
        lambda batch: (batch.execute("ROLLBACK"), batch.execute("SELECT 1 / 0")),
        (psycopg.Error,),
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_committed_after(sync_house: House, end: str) -> None:
    doing, errors = ENDS[end]
    before = sync_house.backend(ACME)

    def work() -> None:
        with sync_house.tenancy.batch(ACME) as batch:
            batch.execute(INSERT)
            doing(batch)

    with pytest.raises(errors):
        work()
    assert same_backend(sync_house, before) is (end != "a stop")
    sync_house.intact()


@SCHEMAS
def test_an_unknown_tenant(sync_house: House) -> None:
    sync_house.rows(ACME)
    with pytest.raises(UnknownTenant), sync_house.tenancy.batch(NOBODY) as batch:
        batch.execute("SELECT 1")
    with pytest.raises(UnknownTenant), sync_house.tenancy.batch(NOBODY):
        pass
    sync_house.intact()


@SCHEMAS
@ASYNC
def test_an_unknown_tenant_in_async_code(house: House) -> None:
    async def main() -> None:
        async with house.tenancy.async_batch(NOBODY) as batch:
            await batch.execute("SELECT 1")

    house.rows(ACME)
    with pytest.raises(UnknownTenant):
        house.run(main())
    house.intact()


def test_neither_batch_nor_cursor_is_used_again(sync_house: House) -> None:
    with sync_house.tenancy.batch(ACME) as batch:
        cursor = batch.execute(BODIES)
    with pytest.raises(WallError, match="has been sent"):
        batch.execute(BODIES)
    with sync_house.tenancy.plain(GLOBEX) as connection:
        assert connection.execute(BODIES).fetchall() == bodies(GLOBEX)
        with pytest.raises(TenantMismatch):
            cursor.execute(BODIES)
    with pytest.raises(TenantMismatch), sync_house.tenancy.batch(GLOBEX):
        cursor.execute(BODIES)
    assert cursor.fetchall() == bodies(ACME)
    sync_house.intact()


@ASYNC
def test_the_same_in_async_code(house: House) -> None:
    async def main() -> None:
        async with house.tenancy.async_batch(ACME) as batch:
            cursor = await batch.execute(BODIES)
        with pytest.raises(WallError, match="has been sent"):
            await batch.execute(BODIES)
        async with house.tenancy.async_batch(GLOBEX) as other:
            own = await other.execute(BODIES)
            with pytest.raises(TenantMismatch):
                await cursor.execute(BODIES)
        assert await own.fetchall() == bodies(GLOBEX)
        assert await cursor.fetchall() == bodies(ACME)

    house.run(main())
    house.intact()


@pytest.mark.parametrize("foundation", ["rows", "sealed", "schemas", "roles"], indirect=True)
def test_what_a_batch_leaves_is_taken_back(sync_house: House) -> None:
    with sync_house.tenancy.batch(ACME) as batch:
        batch.execute("SET work_mem = '7MB'")
        batch.execute("PREPARE leak AS SELECT 'acme 1'")
    assert sync_house.say(GLOBEX, "SHOW work_mem") != [("7MB",)]
    with pytest.raises(DBAPIError, match="does not exist"):
        sync_house.say(GLOBEX, "EXECUTE leak")
    sync_house.intact()
