"""The same work with partywall."""

from __future__ import annotations

from functools import cache
from typing import Any

from benchmarks.runtime.contenders.bare import SIZE
from benchmarks.runtime.contenders.mapped import Note, Partywall, Readable, Sealed
from benchmarks.runtime.tenants import tenant
from partywall import RowSecurity, SchemaPerTenant, Tenancy, TenantContext
from partywall.isolation import IsolationModel

OTHERS = frozenset({"rows_bare"})
"""What stands in the same database for the work without tenancy; else the login is refused."""

MODELS: dict[str, IsolationModel] = {
    "rows": RowSecurity(shared=OTHERS),
    "sealed": RowSecurity(schema="sealed", sealed=True, key=bytes(range(32)), shared=OTHERS),
    "schemas": SchemaPerTenant(),
}
QUERIES = {
    "rows": "SELECT body FROM rows_partywall WHERE tenant_id = %s AND id = %s",
    "sealed": "SELECT body FROM rows_sealed WHERE tenant_id = %s AND id = %s",
    "schemas": "SELECT body FROM notes WHERE id = %s",
}
MAPPED: dict[str, type[Readable]] = {
    "rows": Partywall,
    "sealed": Sealed,
    "schemas": Note,
}


@cache
def context(number: int) -> TenantContext:
    """The context of a tenant; an application makes it when it authenticates a request."""
    return TenantContext(tenant(number))


def first(row: tuple[Any, ...] | None) -> str:
    """The only value of a row that must be there."""
    assert row is not None  # noqa: S101 - the scene has it
    return str(row[0])


class Walled:
    """What the ways through partywall share."""

    def __init__(self, url: str, model: str, driver: str = "psycopg") -> None:
        self.url, self.model = url.replace("postgresql://", f"postgresql+{driver}://"), model

    def open(self) -> None:
        """Make a tenancy."""
        self.tenancy = Tenancy(self.url, MODELS[self.model], connections=SIZE)

    def values(self, number: int, key: int) -> tuple[str | int, ...]:
        """The primary key of a note."""
        return (key,) if self.model == "schemas" else (tenant(number), key)


class Sync(Walled):
    """`tenancy.session`."""

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        with self.tenancy.session(context(number)) as session:
            return session.get_one(MAPPED[self.model], self.values(number, key)).body

    def close(self) -> None:
        """Close the pool."""
        self.tenancy.close()


class Async(Walled):
    """`tenancy.async_session`."""

    async def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        async with self.tenancy.async_session(context(number)) as session:
            found = await session.get_one(MAPPED[self.model], self.values(number, key))
            return found.body

    async def close(self) -> None:
        """Close the pool."""
        await self.tenancy.async_close()


class Plain(Walled):
    """`tenancy.plain`: psycopg without SQLAlchemy."""

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        with self.tenancy.plain(context(number)) as connection:
            cursor = connection.execute(QUERIES[self.model], self.values(number, key))
            return first(cursor.fetchone())

    def close(self) -> None:
        """Close the pool."""
        self.tenancy.close()


class Batch(Walled):
    """`tenancy.batch`: the whole unit in one round trip."""

    def unit(self, number: int, key: int) -> str:
        """The unit of work."""
        with self.tenancy.batch(context(number)) as batch:
            cursor = batch.execute(QUERIES[self.model], self.values(number, key))
        return first(cursor.fetchone())

    def close(self) -> None:
        """Close the pool."""
        self.tenancy.close()
