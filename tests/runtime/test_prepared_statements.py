"""What psycopg has prepared is forgotten with each change of the tenant, on both sides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from partywall import Tenancy
from tests.runtime.houses import BOTH, row_security

if TYPE_CHECKING:
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
READ = text("SELECT body FROM notes WHERE id = :id")
VISITS = (1, 1, 8, 2, 8, 8)
"""Executions in each visit: psycopg prepares the sixth, and then has something to forget."""


def test_a_statement_prepared_for_one_is_not_looked_for_by_the_next(database: Database) -> None:
    with Tenancy(database.url("app"), row_security(database), connections=1) as tenancy:
        for visit, times in enumerate(VISITS):
            context = BOTH[visit % 2]
            with tenancy.session(context) as session:
                for _ in range(times):
                    assert session.scalar(READ, {"id": 1}) == context.tenant_id


def test_the_same_for_async_code(database: Database) -> None:
    async def main() -> None:
        url = database.url("app")
        async with Tenancy(url, row_security(database), connections=1) as tenancy:
            for visit, times in enumerate(VISITS):
                context = BOTH[visit % 2]
                async with tenancy.async_session(context) as session:
                    for _ in range(times):
                        assert await session.scalar(READ, {"id": 1}) == context.tenant_id

    asyncio.run(main())
