"""Core connections: commits in mid-block, errors, and two tenants at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from partywall.errors import ConfigurationError
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, Foundation, House

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row

ASYNC = pytest.mark.parametrize("house", ["psycopg-async", "asyncpg"], indirect=True)
INSERT = text("INSERT INTO note (id, body) VALUES (3, 'acme 3')")
UPDATE = text("UPDATE note SET body = 'lost'")
READ = text("SELECT id, body FROM note")
NEW = {**ROWS[ACME.tenant_id], 3: "acme 3"}


def paired(rows: Iterable[Row[int, str]]) -> dict[int, str]:
    """Notes by their key."""
    return {row[0]: row[1] for row in rows}


def test_a_commit_in_mid_block_enters_again(sync_house: House) -> None:
    with sync_house.tenancy.connection(ACME) as connection:
        connection.execute(INSERT)
        connection.commit()
        connection.execute(UPDATE)
        connection.rollback()
        assert paired(connection.execute(READ)) == NEW
    assert sync_house.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]
    assert sync_house.foundation.rows(ACME) == NEW


@ASYNC
def test_a_commit_in_mid_block_of_async_code_enters_again(house: House) -> None:
    async def main() -> None:
        async with house.tenancy.async_connection(ACME) as connection:
            await connection.execute(INSERT)
            await connection.commit()
            await connection.execute(UPDATE)
            await connection.rollback()
            assert paired(await connection.execute(READ)) == NEW

    house.run(main())
    assert house.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]
    assert house.foundation.rows(ACME) == NEW


def test_what_is_written_after_a_commit_in_mid_block_is_committed_too(sync_house: House) -> None:
    with sync_house.tenancy.connection(ACME) as connection:
        connection.execute(text("SELECT 1"))
        connection.commit()
        connection.execute(INSERT)
    assert sync_house.foundation.rows(ACME) == NEW


@pytest.mark.parametrize("after", ["rollback", "commit"])
def test_an_error_after_the_end_of_the_first_transaction(sync_house: House, after: str) -> None:
    def work() -> None:
        with sync_house.tenancy.connection(ACME) as connection:
            connection.execute(text("SELECT 1"))
            getattr(connection, after)()
            connection.execute(UPDATE)
            raise LookupError

    with pytest.raises(LookupError):
        work()
    sync_house.intact()


def test_a_block_can_leave_neither_its_tenant_nor_its_transactions(sync_house: House) -> None:
    with sync_house.tenancy.connection(ACME) as connection:
        with pytest.raises(ConfigurationError):
            connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.rollback()
        with pytest.raises(ConfigurationError, match="two-phase"):
            connection.begin_twophase()
    sync_house.intact()


def test_two_tenants_nested(foundation: Foundation) -> None:
    house = House(foundation, "psycopg", connections=2)
    with house.tenancy.connection(ACME) as outer:
        outer.execute(INSERT)
        with house.tenancy.connection(GLOBEX) as inner:
            assert paired(inner.execute(READ)) == ROWS[GLOBEX.tenant_id]
            outer.commit()
            assert paired(inner.execute(READ)) == ROWS[GLOBEX.tenant_id]
        assert paired(outer.execute(READ)) == NEW
    house.close()


@pytest.mark.parametrize("driver", ["psycopg-async", "asyncpg"])
def test_two_tenants_in_tasks(foundation: Foundation, driver: str) -> None:
    house = House(foundation, driver, connections=2)

    async def main() -> None:
        async with (
            house.tenancy.async_connection(ACME) as one,
            house.tenancy.async_connection(GLOBEX) as other,
        ):
            found = await asyncio.gather(one.execute(READ), other.execute(READ))
            assert [paired(each) for each in found] == [*ROWS.values()]

    house.run(main())
    house.close()
