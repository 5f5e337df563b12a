"""Harbour, a small application whose walls are sound, and the usual mistakes that open them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg

from partywall.survey.configuration import Configuration, TenantSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.servers import Postgres
    from partywall.survey.verdict import Verdict

DATABASE = "harbour"
ACME, GLOBEX = "a1111111-1111-4111-8111-111111111111", "b2222222-2222-4222-8222-222222222222"
OTHER_ROLES = "SELECT quote_ident(rolname) FROM pg_roles WHERE rolname !~ '^(pg_|postgres$)'"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One database to survey, and what the survey ought to find.

    Attributes:
        story: a few sentences for the reader, before the survey.
        scripts: files beside this one, run in their order.
        effects: what the breaches ought to achieve, at least.
    """

    name: str
    title: str
    story: str
    scripts: tuple[str, ...]
    tenants: Callable[[Postgres], tuple[TenantSettings, ...]]
    expected: Verdict
    effects: frozenset[str] = frozenset()


def by_setting(server: Postgres) -> tuple[TenantSettings, ...]:
    """Both organisations through one login; a setting says which."""
    return tuple(
        TenantSettings(
            name, key, server.url(DATABASE, "app"),
            (f"SELECT set_config('app.org_id', '{key}', true)",),
        )
        for name, key in (("acme", ACME), ("globex", GLOBEX))
    )  # fmt: skip


def by_login(server: Postgres) -> tuple[TenantSettings, ...]:
    """Each organisation with a login of its own."""
    return tuple(
        TenantSettings(name, name, server.url(DATABASE, f"{name}_app"))
        for name in ("acme", "globex")
    )


CHAPTERS = (
    Chapter(
        "row security, sound",
        "Row security, as it should be",
        "Harbour keeps projects and invoices of many organisations in one schema. Each row names "
        "its organisation, policies compare it with the setting app.org_id, and every key begins "
        "with it. acme and globex get a row in every table; then acme tries to reach globex.",
        ("rows.sql",),
        by_setting,
        "held",
    ),
    Chapter(
        "row security, eight mistakes",
        "The same, after eight ordinary changes",
        "A view made anew, a table whose owner is the application, a policy for the mail worker, "
        "one for the nightly report, a simple foreign key, a unique e-mail address, a fast "
        "function and one sequence. Nothing fails, and no test of the application turns red.",
        ("rows.sql", "rows_mistakes.sql"),
        by_setting,
        "breached",
        frozenset({"read", "write", "destroy", "detect"}),
    ),
    Chapter(
        "schemas, sound",
        "A schema for each organisation, as it should be",
        "Now each organisation has a schema and a login of its own. There is no tenant column and "
        "no policy: privileges are the wall.",
        ("schemas.sql",),
        by_login,
        "held",
    ),
    Chapter(
        "schemas, four mistakes",
        "The same, after four ordinary changes",
        "A grant that outlived its purpose, a view across schemas, one table for outgoing mail, "
        "one function for all.",
        ("schemas.sql", "schemas_mistakes.sql"),
        by_login,
        "breached",
        frozenset({"read", "detect"}),
    ),
)


def script(name: str) -> str:
    """The SQL of a file of the demo."""
    return (files(__package__) / name).read_text(encoding="utf-8")


@contextmanager
def built(chapter: Chapter, server: Postgres) -> Iterator[Configuration]:
    """Build the chapter's database for as long as the block lasts; yield how to survey it.

    *server* is the demo's own: its other roles are dropped.
    """
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE}".encode())
        try:
            with psycopg.connect(server.url(DATABASE), autocommit=True) as connection:
                for name in chapter.scripts:
                    connection.execute(script(name).encode())
            yield Configuration(server.url(DATABASE), tenants=chapter.tenants(server))
        finally:
            admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
            for (role,) in admin.execute(OTHER_ROLES).fetchall():
                admin.execute(f"DROP ROLE {role}".encode())
