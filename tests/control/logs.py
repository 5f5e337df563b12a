"""Audit logs on PostgreSQL and on SQLite, written, read and tampered with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from partywall.control.audit import Entry, Head, Verification, entries, record
from partywall.control.audit import verify as verified
from partywall.control.database import Database
from partywall.control.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACME, GLOBEX = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
BOTH = ("postgresql", "sqlite")

only_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


def opened(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A control plane's database, migrated, of the kind that the fixture is asked for."""
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'house.db'}"
    else:
        url = request.getfixturevalue("database").url()
    database = Database(url)
    migrate(database)
    yield database
    database.close()


def told(house: Database, count: int, tenant: str = ACME) -> None:
    """Some entries, each in a transaction of its own."""
    for number in range(1, count + 1):
        with house.begin() as connection:
            record(
                connection,
                tenant,
                "member.added",
                actor="ada",
                subject=f"user-{number}",
                source="203.0.113.7",
                detail={"role": "admin", "rank": number, "first": number == 1, "teams": ["a", "é"]},
            )


def verify(house: Database, tenant: str = ACME, head: Head | None = None) -> Verification:
    with house.reading() as connection:
        return verified(connection, tenant, head=head)


def log(house: Database, tenant: str = ACME) -> list[Entry]:
    with house.reading() as connection:
        return entries(connection, tenant)


def tamper(house: Database, *statements: str, **values: Any) -> None:  # noqa: ANN401 - columns'
    """Change the log as somebody can who owns its table: with the triggers taken off."""
    names = ("update", "delete", "replace")
    off = (
        [f"DROP TRIGGER IF EXISTS audit_log_{name}" for name in names]
        if house.sqlite
        else ["ALTER TABLE partywall.audit_log DISABLE TRIGGER only_added_to"]
    )
    with house.begin() as connection:
        for statement in off:
            connection.execute(text(statement))
        for statement in statements:
            connection.execute(text(statement.format(log=table(house))), values)


def table(house: Database) -> str:
    return "audit_log" if house.sqlite else "partywall.audit_log"
