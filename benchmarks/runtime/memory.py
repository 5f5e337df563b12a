"""What a backend keeps of the schemas it has seen, and what recycling makes of that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

from benchmarks.runtime.tenants import LOGIN, schema, tenant
from partywall import SchemaPerTenant, Tenancy, TenantContext
from partywall.servers import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Binaries

TABLES = 20
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Twenty thousand tables are made first; memory doesn't depend on how."""


class Connection(Protocol):
    """What psycopg's and partywall's have in common."""

    def execute(self, query: Any, params: Any = ..., /) -> psycopg.Cursor[Any]:  # noqa: ANN401 - psycopg's union
        """Execute a statement."""


@dataclass(frozen=True)
class Kept:
    """The memory of one way to visit all tenants.

    Attributes:
        first_mb: of the backend after its first tenant.
        largest_mb: of the largest backend, after any tenant.
        backends: how many served, one at a time.
    """

    title: str
    tenants: int
    first_mb: float
    largest_mb: float
    backends: int


def memory(binaries: Binaries, tenants: int) -> list[Kept]:
    """Visit every table of every tenant on one connection, with and without partywall."""
    with postgres(binaries, QUICK) as server:
        with psycopg.connect(server.url(), autocommit=True) as admin:
            admin.execute(f"CREATE ROLE {LOGIN} LOGIN".encode())
            for number in range(tenants):
                admin.execute(tables(number).encode())
        url = server.url("postgres", LOGIN)
        ways = (
            ("without tenancy", bare(url, tenants)),
            ("partywall", walled(url, tenants, SchemaPerTenant())),
            (
                "partywall, never recycled",
                walled(url, tenants, SchemaPerTenant(tenants_per_connection=None)),
            ),
        )
        return [kept(title, tenants, list(visits)) for title, visits in ways]


def tables(number: int) -> str:
    """The statements that make a tenant's schema and its tables."""
    made = SchemaPerTenant().provision(tenant(number), LOGIN)
    columns = "id integer PRIMARY KEY, title text NOT NULL, body text, made timestamptz"
    return ";".join(
        [*made, *(f"CREATE TABLE {schema(number)}.t{each} ({columns})" for each in range(TABLES))]
    )


def visit(connection: Connection) -> tuple[int, float]:
    """Read every table; the backend, and the megabytes that are its own."""
    for each in range(TABLES):
        connection.execute(f"SELECT title FROM t{each} WHERE id = %s", (1,)).fetchone()
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchall()[0]
    status = Path("/proc", str(pid), "status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    return pid, int(found[1]) / 1024 if found else float("nan")


def bare(url: str, tenants: int) -> Iterator[tuple[int, float]]:
    """One connection that goes from schema to schema."""
    with psycopg.connect(url) as connection:
        for number in range(tenants):
            connection.execute(f"SET LOCAL search_path = {schema(number)}".encode())
            yield visit(connection)
            connection.commit()


def walled(url: str, tenants: int, model: SchemaPerTenant) -> Iterator[tuple[int, float]]:
    """The same in a pool of one."""
    with Tenancy(url, model, connections=1) as tenancy:
        for number in range(tenants):
            with tenancy.plain(TenantContext(tenant(number))) as connection:
                yield visit(connection)


def kept(title: str, tenants: int, visits: list[tuple[int, float]]) -> Kept:
    """What the visits saw."""
    return Kept(
        title, tenants, visits[0][1], max(mb for _, mb in visits), len({pid for pid, _ in visits})
    )
