"""Sealed walls round a table, and what SQL of one tenant tries in order to become another."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from partywall import RowSecurity, Tenancy, TenantContext
from partywall.errors import PartywallError
from partywall.isolation import row_walls
from partywall.isolation.sealing import install_key
from tests.runtime.houses import ACME, BOTH, GLOBEX

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.conftest import Database

MODEL = RowSecurity(sealed=True, key=bytes(range(32)))
WAYS = ("psycopg", "async psycopg", "asyncpg")
CHALLENGE = "SELECT current_setting('partywall.challenge')"
CARRIED = "SHOW app.tenant_id"
READ = "SELECT body FROM notes"

TABLE = """
CREATE TABLE notes (
    tenant_id uuid, id integer, body text, PRIMARY KEY (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
)
"""


def build(database: Database, model: RowSecurity = MODEL) -> None:
    """A table `notes` behind sealed walls, with a row of each tenant whose body is its id."""
    database.execute("CREATE ROLE app LOGIN")
    database.execute(TABLE.replace("uuid", model.type))
    for context in BOTH:
        database.execute(
            f"INSERT INTO notes VALUES ('{context.tenant_id}', 1, '{context.tenant_id}')"
        )
    for statement in (
        *row_walls.context_function(model),
        *row_walls.build(model, "public.notes"),
        *row_walls.grants(model, "app", ["public.notes"], []),
    ):
        database.execute(statement)
    install(database, model)


def install(database: Database, model: RowSecurity = MODEL) -> None:
    statement, *blocks = install_key(model)
    database.connection.execute(statement.encode(), blocks)


def opened(database: Database, *, model: RowSecurity = MODEL, way: str = WAYS[0]) -> Tenancy:
    driver = f"postgresql+{way.rpartition(' ')[2]}"
    url = database.url("app").replace("postgresql", driver, 1)
    return Tenancy(url, model, connections=1, timeout_s=10)


def say(session: Session, *statements: str) -> list[list[Any]]:
    """Execute as injected SQL would, past SQLAlchemy's knowledge of transactions."""
    connection = session.connection()
    results = (connection.exec_driver_sql(statement) for statement in statements)
    return [[*result.scalars()] if result.returns_rows else [] for result in results]


def seen(session: Session, *attempt: str) -> object:
    """What the tenant table shows after an attempt, or the error of it."""
    try:
        return say(session, *attempt, READ)[-1]
    except DBAPIError as error:
        return str(error.orig)


def attacked(tenancy: Tenancy, *attempt: str) -> object:
    """What a session of Acme sees after it."""
    found: object = None
    with suppress(DBAPIError, PartywallError), tenancy.session(ACME) as session:
        found = seen(session, *attempt)
    return found


async def async_attacked(tenancy: Tenancy, *attempt: str) -> object:
    found: object = None
    with suppress(DBAPIError, PartywallError):
        async with tenancy.async_session(ACME) as session:
            found = await session.run_sync(seen, *attempt)
    return found


def read(tenancy: Tenancy, context: TenantContext) -> list[Any]:
    with tenancy.session(context) as session:
        return [*session.scalars(text(READ))]


def observed(database: Database, statement: str = CARRIED) -> str:
    """What a session of Globex answers, in its transaction."""
    with opened(database) as tenancy, tenancy.session(GLOBEX) as session:
        return str(say(session, statement)[0][0])


def entering_seen(database: Database) -> str:
    """The statement with which the session that is open now has entered; polled."""
    query = "SELECT query FROM pg_stat_activity WHERE usename = 'app' AND state LIKE 'idle in%'"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for (said,) in database.rows(query):
            if ".enter(" in said:
                return str(re.search(r"SELECT \S+\.enter\(.*?\)", said).group())  # type: ignore[union-attr]  # it is there
    raise AssertionError("nobody entered")


ME, OTHER = ACME.tenant_id, GLOBEX.tenant_id
KEPT = "set_config('app.tenant_id', '{}', {})"
OWN = "current_setting('app.tenant_id')"
FORGERIES = {
    "another id": (f"SELECT {KEPT.format(OTHER, 'true')}",),
    "another id for the session": (f"SELECT {KEPT.format(OTHER, 'false')}",),
    "another id with SET LOCAL": (f"SET LOCAL app.tenant_id = '{OTHER}'",),
    "an empty seal": (f"SELECT {KEPT.format(' ' * 65 + OTHER, 'true')}",),
    "one's own seal on another id": (
        f"SELECT set_config('app.tenant_id', left({OWN}, 65) || '{OTHER}', true)",
    ),
    "one's own seal and another id behind it": (
        f"SELECT set_config('app.tenant_id', {OWN} || ' {OTHER}', true)",
    ),
    "a seal of a live session": (f"SELECT {KEPT.format('{live}', 'true')}",),
    "a seal of this backend's last transaction": (f"SELECT {KEPT.format('{last}', 'true')}",),
    "that, for the session": (f"SELECT {KEPT.format('{last}', 'false')}", "COMMIT", "BEGIN"),
    "that, after a savepoint": (
        "SAVEPOINT s",
        f"SELECT {KEPT.format('{last}', 'true')}",
        "RELEASE s",
    ),
    "no proof": (f"SELECT partywall.enter('{OTHER}', '')",),
    "NULL for a proof": (f"SELECT partywall.enter('{OTHER}', NULL)",),
    "NULL for a tenant": ("SELECT partywall.enter(NULL, '')",),
    "a guess": (
        "SELECT partywall.challenge()",
        f"SELECT partywall.enter('{OTHER}', '{'0' * 64}')",
    ),
    "another session's proof": (f"SELECT partywall.enter('{OTHER}', '{{proof}}')",),
    "another session's proof and challenge": (
        "SELECT set_config('partywall.challenge', '{challenge}', false)",
        f"SELECT partywall.enter('{OTHER}', '{{proof}}')",
    ),
    "the challenge of another, moved here": (
        (
            "SELECT set_config('partywall.challenge', "
            "left('{challenge}', 36) || ' ' || pg_backend_pid(), false)"
        ),
        f"SELECT partywall.enter('{OTHER}', '{{proof}}')",
    ),
    "an empty challenge": (
        "SELECT set_config('partywall.challenge', '', false)",
        f"SELECT partywall.enter('{OTHER}', '{{proof}}')",
    ),
    "after COMMIT": ("COMMIT", f"SELECT {KEPT.format(OTHER, 'false')}"),
    "after COMMIT and BEGIN": ("COMMIT", "BEGIN", f"SELECT {KEPT.format('{last}', 'true')}"),
    "after ROLLBACK": ("ROLLBACK", "BEGIN", f"SELECT partywall.enter('{OTHER}', '{{proof}}')"),
    "after COMMIT AND CHAIN": ("COMMIT AND CHAIN", f"SELECT {KEPT.format('{last}', 'true')}"),
    "nothing after COMMIT": ("COMMIT", "BEGIN"),
    "nothing after RESET ALL": ("RESET ALL",),
    "nothing after DISCARD": ("COMMIT", "DISCARD ALL"),
    "another role": ("SET ROLE postgres",),
    "the key": ("SELECT inner_block FROM partywall.seal_key",),
    "the key's digest": (f"SELECT partywall.hmac('seal {OTHER}')",),
    "the comparison": ("SELECT partywall.same('a', 'a')",),
    "another function": (
        (
            "CREATE FUNCTION partywall.same(varchar, varchar) RETURNS bool LANGUAGE sql "
            "AS 'SELECT true'"
        ),
    ),
    "another tenant_id()": (
        (
            "CREATE OR REPLACE FUNCTION partywall.tenant_id() RETURNS uuid LANGUAGE sql "
            "AS 'SELECT NULL'"
        ),
    ),
    "a key of one's own": ("UPDATE partywall.seal_key SET inner_block = outer_block",),
}
"""Each must end with an error, and never with rows."""

SHADOWS = (
    "CREATE TYPE pg_temp.two AS (inner_block bytea, outer_block bytea)",
    (
        "CREATE FUNCTION pg_temp.spy(r pg_temp.two) RETURNS bool LANGUAGE plpgsql AS "
        "'BEGIN RAISE WARNING ''% %'', current_user, r; RETURN true; END'"
    ),
    "CREATE DOMAIN pg_temp.record AS pg_temp.two CHECK (pg_temp.spy(value))",
    "CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.tell(value))",
    "CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid",
    (
        "CREATE TABLE pg_temp.seal_key AS SELECT true AS single, ''::bytea AS inner_block, "
        "''::bytea AS outer_block"
    ),
    *(
        f"CREATE FUNCTION lair.{name} LANGUAGE sql AS $$SELECT {value}$$"
        for name, value in (
            ("hmac(text) RETURNS text", "repeat('0', 64)"),
            ("sha256(bytea) RETURNS bytea", "''::bytea"),
            ("same(text, text) RETURNS bool", "true"),
            ("yes(text, text) RETURNS bool", "true"),
            ("both(bytea, bytea) RETURNS bytea", "$1"),
            ("left(text, int) RETURNS text", "$1"),
            ("pg_backend_pid() RETURNS int", "1"),
            ("transaction_timestamp() RETURNS timestamptz", "to_timestamp(0)"),
            ("current_setting(text, bool) RETURNS text", "$1"),
        )
    ),
    "CREATE OPERATOR lair.= (FUNCTION = lair.yes, LEFTARG = text, RIGHTARG = text)",
    "CREATE OPERATOR lair.|| (FUNCTION = lair.both, LEFTARG = bytea, RIGHTARG = bytea)",
    "SET search_path = lair, pg_temp, pg_catalog, public",
)
"""Everything the functions name, made again where the attacker's search_path looks first."""
