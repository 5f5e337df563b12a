"""Two tenants at once: nested sessions, threads, tasks."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from partywall.errors import PoolTimeout
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, Foundation, House, said

ALL = "SELECT id, body FROM note"
BOTH = (ACME, GLOBEX)


def test_nested_sessions(foundation: Foundation) -> None:
    house = House(foundation, "psycopg", connections=2)
    with house.tenancy.session(ACME) as outer:
        assert dict(said(outer, ALL)) == ROWS[ACME.tenant_id]
        with house.tenancy.session(GLOBEX) as inner:
            assert dict(said(inner, ALL)) == ROWS[GLOBEX.tenant_id]
            assert dict(said(outer, ALL)) == ROWS[ACME.tenant_id]
        assert dict(said(outer, ALL)) == ROWS[ACME.tenant_id]
    house.close()


def test_a_pool_of_one_does_not_lend_twice(foundation: Foundation) -> None:
    house = House(foundation, "psycopg")
    house.tenancy = type(house.tenancy)(
        foundation.url, foundation.model, connections=1, timeout_s=0.05
    )
    with house.tenancy.session(ACME) as outer:
        said(outer, ALL)
        with pytest.raises(PoolTimeout), house.tenancy.session(GLOBEX) as inner:
            said(inner, ALL)
    house.intact()
    house.close()


def test_threads(foundation: Foundation) -> None:
    house = House(foundation, "psycopg", connections=2)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda n: (n, house.rows(BOTH[n % 2])), range(60)))
    for number, rows in found:
        assert rows == ROWS[BOTH[number % 2].tenant_id]
    house.close()


@pytest.mark.parametrize("driver", ["psycopg-async", "asyncpg"])
def test_tasks(foundation: Foundation, driver: str) -> None:
    house = House(foundation, driver, connections=2)

    async def rows(number: int) -> None:
        async with house.tenancy.async_session(BOTH[number % 2]) as session:
            for _ in range(2):
                found = (await session.execute(text(ALL))).all()
                assert {row.id: row.body for row in found} == ROWS[BOTH[number % 2].tenant_id]
                await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(rows(number) for number in range(30)))

    house.run(main())
    house.close()
