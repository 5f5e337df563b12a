"""The SQL that moves a table in use onto row security: pure text, one function a statement or two.

Nothing here rewrites a table or reads all of it under a lock that writers would wait for.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from partywall.isolation import row_walls
from partywall.isolation.naming import identifier, literal, qualified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.isolation.row_security import RowSecurity

FILLS = "partywall_tenant"
"""The trigger that says whose a row is while the application does not know of tenants yet."""

ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
"""What `confdeltype` and `confupdtype` of pg_constraint mean."""


def made(*of: str) -> str:
    """The name of what stands in for another until it takes its place: never cut, never shared."""
    return f"partywall_{sha256(chr(0).join(of).encode()).hexdigest()[:32]}"


def typed(model: RowSecurity, tenant: str) -> str:
    """The one tenant's id as a constant of the column's type."""
    return f"{literal(tenant)}::pg_catalog.{row_walls.server_type(model)}"


def add_column(model: RowSecurity, table: str, default: str) -> str:
    """Add the tenant column; a constant *default* is every row's value at once (PostgreSQL 11)."""
    column = f"{identifier(model.column)} pg_catalog.{row_walls.server_type(model)}"
    said = f" DEFAULT {default}" if default else ""
    return f"ALTER TABLE {qualified(table)} ADD COLUMN {column}{said}"


def bridge(model: RowSecurity, tenant: str) -> tuple[str, ...]:
    """Make the function that says who acts, for a while, say *tenant* where nobody says.

    An application that knows of no tenant goes on behind the walls as that one tenant, whatever
    its login. `row_walls.context_function` takes the bridge down, at once and without a lock.
    """
    name = row_walls.function(model)
    return (
        f"CREATE SCHEMA IF NOT EXISTS {identifier(model.schema)}",
        f"""CREATE OR REPLACE FUNCTION {name}() RETURNS pg_catalog.{row_walls.server_type(model)}
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    tenant pg_catalog.text := pg_catalog.current_setting({literal(model.setting)}, true);
BEGIN
    IF tenant IS NULL OR tenant OPERATOR(pg_catalog.=) '' THEN
        RETURN {typed(model, tenant)};
    END IF;
    RETURN tenant;
END
$$""",
        f"GRANT USAGE ON SCHEMA {identifier(model.schema)} TO PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {name}() TO PUBLIC",
    )


def unbridge(model: RowSecurity) -> tuple[str, ...]:
    """Refuse whoever doesn't say for which tenant, from now on."""
    closed = f"REVOKE ALL ON SCHEMA {identifier(model.schema)} FROM PUBLIC"
    return (*row_walls.context_function(model), closed)


def set_default(model: RowSecurity, table: str, default: str) -> str:
    """Have rows of an application that knows of no tenant belong to the one there is."""
    column = identifier(model.column)
    return f"ALTER TABLE {qualified(table)} ALTER COLUMN {column} SET DEFAULT {default}"


def filler(model: RowSecurity, table: str) -> str:
    """The function behind `FILLS`, quoted."""
    return f"{identifier(model.schema)}.{identifier(made(table, FILLS))}"


def start_filling(model: RowSecurity, table: str, expression: str) -> tuple[str, ...]:
    """Have *expression* say whose a row is, for every row that is written without a tenant."""
    column, alias = identifier(model.column), identifier(table.rpartition(".")[2])
    body = f"""BEGIN
    SELECT ({expression}) INTO NEW.{column} FROM (SELECT NEW.*) AS {alias};
    RETURN NEW;
END"""
    return (
        (
            f"CREATE OR REPLACE FUNCTION {filler(model, table)}() RETURNS pg_catalog.trigger "
            f"LANGUAGE plpgsql SET search_path = pg_catalog AS {literal(body)}"
        ),
        (
            f"CREATE OR REPLACE TRIGGER {identifier(FILLS)} BEFORE INSERT OR UPDATE "
            f"ON {qualified(table)} FOR EACH ROW WHEN (NEW.{column} IS NULL) "
            f"EXECUTE FUNCTION {filler(model, table)}()"
        ),
    )


def stop_filling(model: RowSecurity, table: str) -> tuple[str, ...]:
    """Take away what `start_filling` made."""
    return (
        f"DROP TRIGGER IF EXISTS {identifier(FILLS)} ON {qualified(table)}",
        f"DROP FUNCTION IF EXISTS {filler(model, table)}()",
    )


def fill(model: RowSecurity, table: str, expression: str) -> str:
    """Say whose the rows of some pages are: from page $1 up to $2, both as `(number,0)`."""
    column, name = identifier(model.column), qualified(table)
    return (
        f"UPDATE {name} SET {column} = ({expression}) WHERE {column} IS NULL "
        f"AND ({expression}) IS NOT NULL "
        "AND ctid >= $1::pg_catalog.tid AND ctid < $2::pg_catalog.tid"
    )


def unfilled(model: RowSecurity, table: str) -> str:
    """Ask whether a row has no tenant yet."""
    column = identifier(model.column)
    return f"SELECT EXISTS (SELECT FROM {qualified(table)} WHERE {column} IS NULL)"


def promise(model: RowSecurity, table: str) -> str:
    """Demand a tenant of every row that is written from now on."""
    column, check = identifier(model.column), identifier(made(table, model.column))
    return (
        f"ALTER TABLE {qualified(table)} ADD CONSTRAINT {check} "
        f"CHECK ({column} IS NOT NULL) NOT VALID"
    )


def validate(table: str, constraint: str) -> str:
    """Read all rows for a constraint that new rows obey already; writers go on meanwhile."""
    return f"ALTER TABLE {qualified(table)} VALIDATE CONSTRAINT {identifier(constraint)}"


def require(model: RowSecurity, table: str) -> tuple[str, ...]:
    """NOT NULL, believed from the check (PostgreSQL 12), which is of no use after it."""
    column, check = identifier(model.column), identifier(made(table, model.column))
    name = qualified(table)
    return (
        f"ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL",
        f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {check}",
    )


def twin_index(model: RowSecurity, table: str, twin: str, body: str, *, unique: bool) -> str:
    """An index like another whose definition goes on with *body*, led by the tenant column."""
    return (
        f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {identifier(twin)} "
        f"ON {qualified(table)} USING btree ({identifier(model.column)}, {body}"
    )


def twin_reference(  # noqa: PLR0913 - what a foreign key is
    model: RowSecurity,
    table: str,
    twin: str,
    columns: Sequence[str],
    target: str,
    target_columns: Sequence[str],
    *,
    on_delete: str,
    on_update: str,
    emptied: Sequence[str],
    suffix: str,
) -> str:
    """A foreign key like another that can't cross to another tenant's row; not validated yet."""
    own = listed([model.column, *columns])
    other = listed([model.column, *target_columns])
    # The tenant must stay when the rest is emptied (PostgreSQL 15).
    which = f" ({listed(emptied)})" if on_delete in {"n", "d"} else ""
    return (
        f"ALTER TABLE {qualified(table)} ADD CONSTRAINT {identifier(twin)} FOREIGN KEY ({own}) "
        f"REFERENCES {qualified(target)} ({other}) ON DELETE {ACTIONS[on_delete]}{which} "
        f"ON UPDATE {ACTIONS[on_update]}{suffix} NOT VALID"
    )


def swap_reference(table: str, name: str, twin: str) -> tuple[str, ...]:
    """Put the new foreign key in the old one's place."""
    return (
        f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {identifier(name)}",
        (
            f"ALTER TABLE {qualified(table)} RENAME CONSTRAINT {identifier(twin)} "
            f"TO {identifier(name)}"
        ),
    )


def swap_key(table: str, name: str, twin: str, kind: str) -> tuple[str, ...]:
    """Put the new index in the old one's place: *kind* is `p`, `u`, or "" for a plain index."""
    if not kind:
        schema = identifier(table.partition(".")[0])
        return (
            f"DROP INDEX {schema}.{identifier(name)}",
            f"ALTER INDEX {schema}.{identifier(twin)} RENAME TO {identifier(name)}",
        )
    what = "PRIMARY KEY" if kind == "p" else "UNIQUE"
    return (
        (
            f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {identifier(name)}, "
            f"ADD CONSTRAINT {identifier(name)} {what} USING INDEX {identifier(twin)}"
        ),
    )


def let_count(sequence: tuple[str, str], login: str) -> str:
    """Let the login number rows while the column is a serial."""
    schema, name = map(identifier, sequence)
    return f"GRANT USAGE ON SEQUENCE {schema}.{name} TO {identifier(login)}"


def count_by_identity(
    table: str, column: str, sequence: tuple[str, str], options: str, login: str
) -> tuple[str, ...]:
    """Number rows by an identity instead of a serial: its sequence needs no grant.

    All tenants share the sequence, so that a login that may ask it would learn how busy the
    others are. It goes on where the old one stopped, under the old one's name.
    """
    schema, name = map(identifier, sequence)
    old = identifier(made(*sequence))
    return (
        f"ALTER SEQUENCE {schema}.{name} RENAME TO {old}",
        f"ALTER TABLE {qualified(table)} ALTER COLUMN {identifier(column)} DROP DEFAULT",
        (
            f"ALTER TABLE {qualified(table)} ALTER COLUMN {identifier(column)} ADD GENERATED BY "
            f"DEFAULT AS IDENTITY (SEQUENCE NAME {schema}.{name} {options})"
        ),
        (
            f"SELECT pg_catalog.setval({literal(f'{schema}.{name}')}, last_value, is_called) "
            f"FROM {schema}.{old}"
        ),
        f"DROP SEQUENCE {schema}.{old}",
        f"REVOKE ALL ON SEQUENCE {schema}.{name} FROM PUBLIC, {identifier(login)}",
    )


def take_ownership(table: str) -> tuple[str, ...]:
    """Have whoever executes this own the table: an owner could take the wall down."""
    return (f"ALTER TABLE {qualified(table)} OWNER TO CURRENT_USER",)


def narrow(table: str, login: str) -> str:
    """Take back everything: no policy holds TRUNCATE, nor what the next release may bring.

    What the login may do is granted anew after it (`row_walls.grants`).
    """
    return f"REVOKE ALL ON {qualified(table)} FROM PUBLIC, {identifier(login)}"


def listed(names: Sequence[str]) -> str:
    """Names of columns as a list."""
    return ", ".join(map(identifier, names))
