"""Survey a generated schema on a real server, and say whether the verdict is the right one."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration, TenantSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.schemas.growing import Schema
    from benchmarks.schemas.mutations import Broken
    from partywall.servers import Postgres
    from partywall.survey.verdict import Report

DATABASE = "grown"
SETTLING_S = 5.0
THERE = """
SELECT 'database ' || datname FROM pg_database UNION ALL SELECT 'role ' || rolname FROM pg_roles
UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts
UNION ALL SELECT 'session ' || application_name FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of one survey; `faults` is empty when all is as it must be."""

    faults: tuple[str, ...]
    seconds: float
    attempts: int
    tables: int


def judge(server: Postgres, schema: Schema, broken: Broken | None = None) -> Judged:
    """Load *schema*, with one wall *broken* or none, survey it, and judge the report."""
    with loaded(server, schema, broken.statements if broken else ()):
        before = there(server)
        report = survey(server, schema, broken.attacker if broken else schema.attacker)
        left = left_over(server, before)
    faults = missed(report, broken) if broken else accused(report)
    faults += [f"left behind: {one}" for one in left]
    return Judged(tuple(faults), report.duration_s, report.attempts, len(schema.tables))


def survey(server: Postgres, schema: Schema, attacker: str) -> Report:
    """Survey the loaded schema as its application would be declared."""
    tenants = tuple(
        TenantSettings(name, tenant, server.url(DATABASE, login), enter)
        for name, tenant, login, enter in zip(
            ("first", "second"), schema.ids, schema.logins, schema.enter, strict=True
        )
    )
    level = attacker if attacker in ("query", "sql") else "query"
    return audit(Configuration(server.url(DATABASE), level, tenants))  # type: ignore[arg-type] # both are levels


def accused(report: Report) -> list[str]:
    """What the report says against a sound schema; what it leaves open counts as well."""
    found = [f"accused: {f.name} {f.effect} at {f.at}: {f.because}" for f in report.findings]
    return found + [
        f"undecided: {u.name} {u.effect} at {u.at}: {u.because}" for u in report.undecided
    ]


def missed(report: Report, broken: Broken) -> list[str]:
    """Why the report does not name the broken wall; [] when it does."""
    near = [f for f in report.findings if f.at.startswith(broken.at)]
    if any(f.effect in broken.effects for f in near):
        return []
    said = sorted({f"{f.name} {f.effect} at {f.at}" for f in near or report.findings})[:4]
    return [f"missed: {broken.name} at {' or '.join(broken.at)}; the report says {said or 'held'}"]


@contextmanager
def loaded(server: Postgres, schema: Schema, more: Sequence[str]) -> Iterator[None]:
    """The schema in a database of its own, for as long as the block lasts; its roles with it."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE}".encode())
        try:
            for statement in schema.roles:
                admin.execute(statement.encode())
            with psycopg.connect(server.url(DATABASE)) as connection:
                for statement in (*schema.statements, *more):
                    connection.execute(statement.encode())
            yield
        finally:
            clear(admin)


def clear(admin: psycopg.Connection) -> None:
    """Take the database and its roles away again."""
    admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)".encode())
    query = "SELECT rolname FROM pg_roles WHERE rolname <> current_user AND rolname !~ '^pg_'"
    for (role,) in admin.execute(query.encode()).fetchall():
        admin.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def left_over(server: Postgres, before: Sequence[str]) -> list[str]:
    """What stands on the server that was not there *before*; a session takes a moment to end."""
    deadline = time.monotonic() + SETTLING_S
    while (left := [o for o in there(server) if o not in before]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def there(server: Postgres) -> list[str]:
    """What stands on the server: databases, roles, slots, prepared transactions, sessions."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        return [row[0] for row in admin.execute(THERE.encode())]
