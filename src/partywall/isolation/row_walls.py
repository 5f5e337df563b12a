"""The walls of row security as SQL: one policy a table, and the function that says who acts.

Every policy and every tenant column's default ask one function, `<schema>.tenant_id()`. It raises
where no tenant is set, so that a forgotten context is an error and never an empty answer.
https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.isolation.naming import identifier, literal, qualified
from partywall.isolation.sealing import sealed_functions, sealing_grants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partywall.isolation.row_security import RowSecurity

POLICY = "partywall_own"
"""The one policy of a tenant's table."""

PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as the catalog has it.

    Attributes:
        name: unique in its table.
        command: `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
        permissive: whether it opens rows (the other kind only closes some again).
        roles: for whom, sorted; `public` for everyone.
        using: which rows are seen, as the server writes the expression; "" for none.
        check: which rows may be written; "" where *using* decides.
    """

    name: str
    command: str = "ALL"
    permissive: bool = True
    roles: tuple[str, ...] = ("public",)
    using: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class Wall:
    """What keeps the tenants of one table apart, as declared or as the catalog has it.

    Attributes:
        table: the qualified name.
        enabled: whether row security is on.
        forced: whether it holds for the table's owner too.
        required: whether the tenant column is NOT NULL.
        default: the tenant column's default, as the server writes it.
        policies: sorted by name.
    """

    table: str
    enabled: bool
    forced: bool
    required: bool
    default: str
    policies: tuple[Policy, ...]


def function(model: RowSecurity) -> str:
    """The name of the function that says who acts, quoted."""
    return f"{identifier(model.schema)}.tenant_id"


def called(model: RowSecurity) -> str:
    """How the server writes a call of it, when it shows an expression."""
    return f"{plain(model.schema)}.tenant_id()"


def plain(name: str) -> str:
    """How the server writes a name when it shows an expression: quoted only where it must be."""
    return name if PLAIN.match(name) else identifier(name)


def declared(model: RowSecurity, table: str) -> Wall:
    """The wall that *table* should have, in the server's own writing."""
    column = plain(model.column)
    expression = f"({column} = ( SELECT {called(model)} AS tenant_id))"
    policy = Policy(POLICY, using=expression, check=expression)
    return Wall(table, True, True, True, called(model), (policy,))  # noqa: FBT003 - what a wall is


def context_function(model: RowSecurity) -> tuple[str, ...]:
    """The statements that make `<schema>.tenant_id()`, for whoever owns the tables.

    STABLE, so that a policy asks it once for a statement; every name is qualified, since a
    search_path of its own would cost each call more than all the rest.
    """
    if model.sealed:
        return sealed_functions(model)
    mend = "begin the transaction with tenancy.session(context)"
    return (
        f"CREATE SCHEMA IF NOT EXISTS {identifier(model.schema)}",
        f"""CREATE OR REPLACE FUNCTION {function(model)}() RETURNS pg_catalog.{server_type(model)}
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    tenant pg_catalog.text := pg_catalog.current_setting({literal(model.setting)}, true);
BEGIN
    IF tenant IS NULL OR tenant OPERATOR(pg_catalog.=) '' THEN
        RAISE EXCEPTION 'no tenant is set in {model.setting}'
            USING ERRCODE = 'insufficient_privilege', HINT = {literal(mend)};
    END IF;
    RETURN tenant;
END
$$""",
        f"REVOKE ALL ON FUNCTION {function(model)}() FROM PUBLIC",
    )


def numbering(model: RowSecurity, table: str) -> str:
    """The default of a whole-number key of *table*: the tenant's own next number.

    A sequence belongs to all tenants together: its numbers tell each how much the others insert.
    """
    return f"{plain(model.schema)}.next_number({literal(table)}::text)"


def counters(model: RowSecurity) -> tuple[str, ...]:
    """The statements that make the tenants' own counters, behind a wall like any table.

    A number is taken under a lock on the tenant's counter, which is held until the transaction
    ends: inserts of one tenant into one table wait for each other. Random keys don't.
    """
    schema = identifier(model.schema)
    table, column = f"{model.schema}.counters", identifier(model.column)
    return (
        f"""CREATE TABLE IF NOT EXISTS {schema}.counters (
    {column} {model.type} NOT NULL, name text NOT NULL, last bigint NOT NULL,
    PRIMARY KEY ({column}, name)
)""",
        *build(model, table),
        f"""CREATE OR REPLACE FUNCTION {schema}.next_number(counted text) RETURNS pg_catalog.int8
LANGUAGE sql VOLATILE AS $$
    INSERT INTO {schema}.counters AS c (name, last) VALUES (counted, 1)
    ON CONFLICT ({column}, name) DO UPDATE SET last = c.last OPERATOR(pg_catalog.+) 1
    RETURNING last
$$""",
        f"REVOKE ALL ON FUNCTION {schema}.next_number(text) FROM PUBLIC",
    )


def counting(model: RowSecurity, login: str) -> tuple[str, ...]:
    """What the application's login needs to take numbers."""
    schema, user = identifier(model.schema), identifier(login)
    return (
        f"GRANT SELECT, INSERT, UPDATE ON {schema}.counters TO {user}",
        f"GRANT EXECUTE ON FUNCTION {schema}.next_number(text) TO {user}",
    )


def server_type(model: RowSecurity) -> str:
    """The catalog's name of the tenant column's type."""
    return {"bigint": "int8", "integer": "int4"}.get(model.type, model.type)


def build(model: RowSecurity, table: str) -> tuple[str, ...]:
    """The statements that put the wall round a table whose tenant column is there.

    They can run again: what stands is replaced, in one transaction.
    """
    name, column = qualified(table), identifier(model.column)
    own = f"{column} = (SELECT {function(model)}())"
    return (
        f"ALTER TABLE {name} ALTER COLUMN {column} SET DEFAULT {function(model)}()",
        f"ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL",
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS {identifier(POLICY)} ON {name}",
        f"CREATE POLICY {identifier(POLICY)} ON {name} USING ({own}) WITH CHECK ({own})",
    )


def demolish(model: RowSecurity, table: str) -> tuple[str, ...]:
    """The statements that take the wall down again; the rows and their column stay."""
    name, column = qualified(table), identifier(model.column)
    return (
        f"DROP POLICY IF EXISTS {identifier(POLICY)} ON {name}",
        f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} ALTER COLUMN {column} DROP DEFAULT",
    )


def grants(
    model: RowSecurity, login: str, owned: Iterable[str], shared: Iterable[str]
) -> tuple[str, ...]:
    """What the application's login may do: rows of tenants' tables, and reading the shared ones.

    No TRUNCATE, which no policy holds; no REFERENCES, no TRIGGER, no ownership.
    """
    user = identifier(login)
    tables = [*owned, *shared]
    schemas = sorted({table.rpartition(".")[0] or "public" for table in tables} | {model.schema})
    return (
        *(f"GRANT USAGE ON SCHEMA {identifier(schema)} TO {user}" for schema in schemas),
        f"GRANT EXECUTE ON FUNCTION {function(model)}() TO {user}",
        *(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {qualified(t)} TO {user}" for t in owned),
        *(f"GRANT SELECT ON {qualified(table)} TO {user}" for table in shared),
        *(sealing_grants(model, login) if model.sealed else ()),
    )
