"""Walls to break, one at a time: what is done to a sound schema, and what must be found then.

Each kind takes a schema and a source of chance, and yields the statements that break one wall of
it, with the surface where that must show; or nothing, where the schema has no such wall.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from partywall.survey.sql import literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.schemas.growing import Schema, Table

Maker: TypeAlias = "Callable[[Schema, Random], Broken | None]"
DROPPED = (
    "DO $$ DECLARE p record; BEGIN FOR p IN SELECT polname FROM pg_policy WHERE polrelid = {} "
)
DROPPED += "LOOP EXECUTE format('DROP POLICY %I ON {}', p.polname); END LOOP; END $$"


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken wall.

    Attributes:
        name: of the kind of mutation.
        statements: run by a superuser after those of the schema.
        at: how the surface of a finding that names it begins; any of them will do.
        effects: what such a finding says it achieves; any of them will do.
        attacker: the weakest who can use it.
    """

    statements: tuple[str, ...]
    at: tuple[str, ...]
    effects: frozenset[str]
    attacker: str = "query"
    name: str = ""


CATALOGUE: dict[str, Maker] = {}


def mutation(make: Maker) -> Maker:
    """Enter a kind of mutation into the catalogue; its name is the function's."""
    CATALOGUE[make.__name__.replace("_", "-")] = make
    return make


def mutate(schema: Schema, seed: int) -> Broken:
    """The mutation of *seed*: kinds take turns, those that don't fit *schema* are left out."""
    kinds = list(CATALOGUE)
    random = Random(f"mutation {seed}")  # noqa: S311 - to be the same every time, not secret
    turn = seed + seed // len(kinds)  # so that each kind meets each way to be a tenant
    for number in range(len(kinds)):
        name = kinds[(turn + number) % len(kinds)]
        made = CATALOGUE[name](schema, random)
        if made is not None:
            return Broken(made.statements, made.at, made.effects, made.attacker, name)
    message = f"no wall of schema {schema.seed} can be broken"
    raise ValueError(message)


def kinds() -> dict[str, str]:
    """Each kind of mutation, with what it does."""
    return {name: inspect.getdoc(make) or "" for name, make in CATALOGUE.items()}


def _one(
    schema: Schema, random: Random, *kinds: str, writable: bool = False, apart: bool = True
) -> Table | None:
    """A table with row security, one that may be written to if need be."""
    found = [
        t for t in schema.tables
        if t.kind in (kinds or ("owned", "partitioned"))
        and t.condition and (t.writable or not writable) and (apart or schema.way != "role")
    ]  # fmt: skip
    return random.choice(found) if found else None


def _broken(
    table: Table | str, effects: str, *statements: str, attacker: str = "query", at: str = ""
) -> Broken:
    name = table if isinstance(table, str) else table.name
    return Broken(
        tuple(s.format(t=name) for s in statements), (at or name,),
        frozenset(effects.split()), attacker,
    )  # fmt: skip


def _policies(table: Table, *clauses: str) -> tuple[str, ...]:
    """Statements that put other policies in the place of those that *table* has."""
    drop = DROPPED.replace("{}", f"{literal(table.name)}::regclass", 1).replace(
        "{}", table.name.replace("%", "%%").replace("'", "''")
    )
    made = [f"CREATE POLICY other_{n} ON {table.name} {clause}" for n, clause in enumerate(clauses)]
    return tuple(text.replace("{", "{{").replace("}", "}}") for text in (drop, *made))


def _setting(schema: Schema) -> str:
    return {"setting": "app.tenant", "claim": "request.jwt.claims"}.get(schema.way, "app.user")


@mutation
def disabled_row_security(schema: Schema, random: Random) -> Broken | None:
    """ALTER TABLE … DISABLE ROW LEVEL SECURITY: the policies stand there, and nobody asks them."""
    table = _one(schema, random, "owned", "partitioned", "nested", "inherited")
    if table is None:
        return None
    return _broken(table, "read", "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY")


@mutation
def unforced_owner(schema: Schema, random: Random) -> Broken | None:
    """The login owns the table, and row security is not forced on owners."""
    table = _one(schema, random)
    if table is None:
        return None
    return _broken(
        table, "read", f"ALTER TABLE {{t}} OWNER TO {schema.role}",
        "ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY",
    )  # fmt: skip


@mutation
def check_true(schema: Schema, random: Random) -> Broken | None:
    """WITH CHECK (true): anybody writes rows for anybody."""
    table = _one(schema, random, writable=True)
    if table is None:
        return None
    own = f"USING ({table.condition}) WITH CHECK (true)"
    return _broken(table, "write", *_policies(table, own))


@mutation
def insert_check_true(schema: Schema, random: Random) -> Broken | None:
    """An extra permissive policy lets every INSERT through."""
    table = _one(schema, random, writable=True)
    if table is None:
        return None
    return _broken(
        table, "write", "CREATE POLICY late ON {t} FOR INSERT WITH CHECK (true)",
        *_no_floor(table),
    )  # fmt: skip


@mutation
def update_check_true(schema: Schema, random: Random) -> Broken | None:
    """A row can be moved to another tenant: the policy for UPDATE checks nothing."""
    table = _one(schema, random, writable=True)
    if table is None:
        return None
    own = table.condition
    return _broken(
        table, "write",
        *_policies(
            table, f"FOR SELECT USING ({own})", f"FOR INSERT WITH CHECK ({own})",
            f"FOR UPDATE USING ({own}) WITH CHECK (true)", f"FOR DELETE USING ({own})",
        ),
    )  # fmt: skip


@mutation
def update_using_true(schema: Schema, random: Random) -> Broken | None:
    """The policy for UPDATE reaches every tenant's rows."""
    table = _one(schema, random, writable=True)
    if table is None:
        return None
    return _broken(
        table, "write", "CREATE POLICY late ON {t} FOR UPDATE USING (true) WITH CHECK (true)",
        *_no_floor(table),
    )  # fmt: skip


@mutation
def delete_using_true(schema: Schema, random: Random) -> Broken | None:
    """The policy for DELETE reaches every tenant's rows."""
    table = _one(schema, random, writable=True)
    if table is None:
        return None
    return _broken(
        table, "destroy", "CREATE POLICY late ON {t} FOR DELETE USING (true)", *_no_floor(table)
    )


def _no_floor(table: Table) -> tuple[str, ...]:
    return (f"DROP POLICY IF EXISTS floor ON {table.name}".replace("{", "{{").replace("}", "}}"),)


@mutation
def select_using_true(schema: Schema, random: Random) -> Broken | None:
    """A policy made for reports, open to the application's role as well."""
    table = _one(schema, random, "owned", "partitioned", "nested", "inherited", "registry")
    if table is None:
        return None
    return _broken(
        table, "read", f"CREATE POLICY reports ON {{t}} FOR SELECT TO {schema.role} USING (true)",
        *_no_floor(table),
    )  # fmt: skip


@mutation
def policy_to_public(schema: Schema, random: Random) -> Broken | None:
    """The same, TO PUBLIC."""
    table = _one(schema, random)
    if table is None:
        return None
    return _broken(
        table, "read", "CREATE POLICY reports ON {t} FOR SELECT USING (true)", *_no_floor(table)
    )


@mutation
def or_true(schema: Schema, random: Random) -> Broken | None:
    """A condition that somebody opened while looking for a fault."""
    table = _one(schema, random, "owned", "partitioned", "nested")
    if table is None:
        return None
    return _broken(table, "read", *_policies(table, f"USING ({table.condition} OR true)"))


@mutation
def fail_open_null(schema: Schema, random: Random) -> Broken | None:
    """Without any context every row is shown."""
    table = _one(schema, random, apart=False)
    if table is None:
        return None
    unset = f"nullif(current_setting('{_setting(schema)}', true), '') IS NULL"
    return _broken(table, "read", *_policies(table, f"USING ({table.condition} OR {unset})"))


@mutation
def fail_open_coalesce(schema: Schema, random: Random) -> Broken | None:
    """coalesce(context, the row's own tenant): without a context each row is its own excuse."""
    table = _one(schema, random, apart=False)
    if table is None or not schema.context:
        return None
    own = f"{table.tenant} = coalesce({schema.context}, {table.tenant})"
    return _broken(table, "read", *_policies(table, f"USING ({own})"))


@mutation
def null_tenant(schema: Schema, random: Random) -> Broken | None:
    """Rows without a tenant are everybody's, and anybody may make them or take them."""
    table = _one(schema, random, "nested")
    if table is None:
        return None
    return _broken(
        table, "read write destroy", "ALTER TABLE {t} ALTER parent_id DROP NOT NULL",
        *_policies(table, f"USING (parent_id IS NULL OR {table.condition})"),
    )  # fmt: skip


@mutation
def uncorrelated_parent(schema: Schema, random: Random) -> Broken | None:
    """The sub-select asks whether any parent is one's own, not whether this one is."""
    table = _one(schema, random, "nested")
    if table is None:
        return None
    return _broken(table, "read", *_policies(table, f"USING (EXISTS (SELECT FROM {table.parent}))"))


@mutation
def lower_case(schema: Schema, random: Random) -> Broken | None:
    """Tenants whose ids differ in case only are one."""
    table = _one(schema, random, apart=False)
    if table is None or schema.key != "text" or not schema.context:
        return None
    own = f"lower({table.tenant}) = lower({schema.context})"
    return _broken(table, "read latent", *_policies(table, f"USING ({own})"))


@mutation
def prefix(schema: Schema, random: Random) -> Broken | None:
    """A tenant whose id begins like another's sees its rows."""
    table = _one(schema, random, apart=False)
    if table is None or schema.key != "text" or not schema.context:
        return None
    own = f"{table.tenant} LIKE {schema.context} || '%'"
    return _broken(table, "read latent", *_policies(table, f"USING ({own})"))


@mutation
def unique_without_tenant(schema: Schema, random: Random) -> Broken | None:
    """A title may be used once by all tenants: who is refused knows that another has it."""
    table = _one(schema, random, "owned", writable=True)
    if table is None:
        return None
    return _broken(table, "detect", "ALTER TABLE {t} ADD UNIQUE (title)")


@mutation
def exclusion_without_tenant(schema: Schema, random: Random) -> Broken | None:
    """An exclusion constraint over all tenants' rows."""
    table = _one(schema, random, "owned", writable=True)
    if table is None:
        return None
    return _broken(table, "detect", "ALTER TABLE {t} ADD EXCLUDE USING gist (title WITH =)")


@mutation
def foreign_key_without_tenant(schema: Schema, random: Random) -> Broken | None:
    """A row may point at another tenant's: the key leaves the tenant out, and nothing checks it."""
    table = _one(schema, random, "owned", writable=True)
    others = [t for t in schema.of_kind("owned") if t != table]
    if table is None or not others:
        return None
    other = random.choice(others)
    made = _broken(
        table, "detect write destroy disrupt",
        f"ALTER TABLE {{t}} ADD loose_id uuid REFERENCES {_raw(other)} (id)",
    )  # fmt: skip
    return Broken(made.statements, (table.name, other.name), made.effects)


@mutation
def view_of_its_owner(schema: Schema, random: Random) -> Broken | None:
    """A view without security_invoker, of an owner whom row security does not bind."""
    if not schema.views or schema.way == "schema":
        return None
    view, _ = random.choice(schema.views)
    return _broken(
        view, "read", f"ALTER VIEW {view} RESET (security_invoker)",
        f"ALTER VIEW {view} OWNER TO postgres",
    )  # fmt: skip


@mutation
def unfiltered_definer(schema: Schema, random: Random) -> Broken | None:
    """A SECURITY DEFINER function that filters nothing."""
    if not schema.functions:
        return None
    function, table = random.choice(schema.functions)
    body = literal(f"SELECT title FROM {table}").replace("{", "{{").replace("}", "}}")
    return _broken(
        function, "read",
        f"CREATE OR REPLACE FUNCTION {function} RETURNS SETOF text LANGUAGE sql STABLE SECURITY "
        f"DEFINER SET search_path = pg_catalog, pg_temp AS {body}",
    )  # fmt: skip


@mutation
def truncate_granted(schema: Schema, random: Random) -> Broken | None:
    """TRUNCATE asks no policy."""
    # a table that others refer to would be safe: CASCADE needs the right on those as well
    named = {table.parent for table in schema.tables}
    found = [t for t in schema.of_kind("owned", "nested", "partitioned") if t.condition]
    found = [table for table in found if table.name not in named]
    if not found:
        return None
    return _broken(random.choice(found), "destroy", f"GRANT TRUNCATE ON {{t}} TO {schema.role}")


@mutation
def trigger_granted(schema: Schema, random: Random) -> Broken | None:
    """Who may make triggers on a table has its code run by the other tenant."""
    table = _one(schema, random, "owned", writable=True)
    if table is None:
        return None
    return _broken(
        table, "read write escalate", f"GRANT TRIGGER ON {{t}} TO {schema.role}",
        f"GRANT CREATE ON SCHEMA public TO {schema.role}", attacker="sql",
    )  # fmt: skip


@mutation
def references_granted(schema: Schema, random: Random) -> Broken | None:
    """Who may reference a table learns which keys it holds, past every policy."""
    table = _one(schema, random, "owned", writable=True)
    if table is None:
        return None
    return _broken(
        table, "detect", f"GRANT REFERENCES ON {{t}} TO {schema.role}",
        f"GRANT CREATE ON SCHEMA public TO {schema.role}", attacker="sql",
    )  # fmt: skip


@mutation
def bypassing_login(schema: Schema, random: Random) -> Broken | None:
    """The role that acts has BYPASSRLS."""
    table = _one(schema, random)
    if table is None or schema.role not in schema.logins:
        return None
    return _broken(table, "read", f"ALTER ROLE {schema.logins[0]} BYPASSRLS")


@mutation
def superuser_login(schema: Schema, random: Random) -> Broken | None:
    """The login is a superuser."""
    table = _one(schema, random)
    if table is None or schema.role not in schema.logins:
        return None
    return _broken(table, "read", f"ALTER ROLE {schema.logins[0]} SUPERUSER")


@mutation
def member_of_the_owner(schema: Schema, random: Random) -> Broken | None:
    """The role is a member of the tables' owner: it may switch the walls off."""
    table = _one(schema, random)
    if table is None:
        return None
    made = _broken(
        table, "escalate read write destroy", f"GRANT keeper TO {schema.role}", attacker="sql"
    )
    return Broken(made.statements, ("keeper", table.name), made.effects, "sql")


@mutation
def partition_granted(schema: Schema, random: Random) -> Broken | None:
    """A right on a partition leads past the policies of the table above."""
    table = _one(schema, random, "partitioned")
    if table is None:
        return None
    made = _broken(table, "read", *(
        f"GRANT SELECT ON {one} TO {schema.role}".replace("{", "{{").replace("}", "}}")
        for one in table.below
    ))  # fmt: skip
    return Broken(made.statements, table.below, made.effects)


@mutation
def heir_granted(schema: Schema, random: Random) -> Broken | None:
    """A right on a table that inherits from a walled one."""
    table = _one(schema, random, "inherited")
    if table is None:
        return None
    return _broken(table.below[0], "read", f"GRANT SELECT ON {{t}} TO {schema.role}")


@mutation
def materialized_view(schema: Schema, random: Random) -> Broken | None:
    """A materialized view holds all tenants' rows, and has no policies."""
    table = _one(schema, random, "owned", "partitioned")
    if table is None:
        return None
    return _broken(
        "public.kept", "read", f"CREATE MATERIALIZED VIEW {{t}} AS SELECT * FROM {_raw(table)}",
        f"GRANT SELECT ON {{t}} TO {schema.role}",
    )  # fmt: skip


def _raw(table: Table) -> str:
    return table.name.replace("{", "{{").replace("}", "}}")


@mutation
def rule_past_the_wall(schema: Schema, random: Random) -> Broken | None:
    """A plain view for reports, owned by a superuser, granted to the application."""
    table = _one(schema, random, "owned", "nested")
    if table is None:
        return None
    return _broken(
        "public.report", "read", f"CREATE VIEW {{t}} AS SELECT * FROM {_raw(table)}",
        f"GRANT SELECT ON {{t}} TO {schema.role}",
    )  # fmt: skip


@mutation
def sequence_settable(schema: Schema, random: Random) -> Broken | None:
    """A right to setval on a sequence that everybody's rows take their numbers from."""
    table = _one(schema, random, "owned", writable=True)
    if table is None:
        return None
    return _broken(
        "public.batch", "disrupt detect",
        f"ALTER TABLE {_raw(table)} ADD number bigint DEFAULT nextval('public.batch')",
        f"GRANT UPDATE, USAGE ON SEQUENCE {{t}} TO {schema.role}",
    )  # fmt: skip


@mutation
def sequence_shared(schema: Schema, random: Random) -> Broken | None:
    """Numbers of one sequence for all tenants tell each how many rows the others make."""
    table = _one(schema, random, "owned", writable=True)
    if table is None:
        return None
    made = _broken(
        table, "detect",
        "ALTER TABLE {t} ADD number bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY",
    )  # fmt: skip
    return Broken(made.statements, (table.name.rstrip('"'),), made.effects)


@mutation
def members_open(schema: Schema, random: Random) -> Broken | None:
    """Anybody may enter themselves as another tenant's member."""
    table = _one(schema, random, "members")
    if table is None:
        return None
    return _broken(
        table, "read write", f"GRANT INSERT ON {{t}} TO {schema.role}",
        "CREATE POLICY join_in ON {t} FOR INSERT WITH CHECK (true)", *_no_floor(table),
    )  # fmt: skip


@mutation
def shared_table_writable(schema: Schema, _: Random) -> Broken | None:
    """What all tenants read, one of them may change."""
    holder = schema.role if schema.way != "schema" else schema.logins[0]
    return _broken(
        "public.countries", "read write destroy disrupt",
        f"GRANT INSERT, UPDATE, DELETE ON {{t}} TO {holder}",
    )  # fmt: skip


@mutation
def published(schema: Schema, random: Random) -> Broken | None:
    """A publication sends every tenant's rows to who may subscribe."""
    table = _one(schema, random, "owned")
    if table is None:
        return None
    made = _broken(
        table, "read latent", f"ALTER ROLE {schema.logins[0]} REPLICATION",
        "CREATE PUBLICATION feed FOR TABLE {t}", attacker="sql",
    )  # fmt: skip
    return Broken(made.statements, (*made.at, "feed", "role "), made.effects, "sql")


@mutation
def default_privileges(schema: Schema, _: Random) -> Broken | None:
    """The next table will be the application's before it has a policy."""
    if schema.way == "schema":
        return None
    return Broken(
        (f"ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO {schema.role}",),
        ("",), frozenset({"latent"}),
    )  # fmt: skip


@mutation
def neighbour_schema_open(schema: Schema, random: Random) -> Broken | None:
    """USAGE on the other tenant's schema, and SELECT on one table in it."""
    if schema.way != "schema":
        return None
    theirs = [t for t in schema.tables if t.name.startswith("two.")]
    table = random.choice(theirs)
    return _broken(
        table, "read", f"GRANT USAGE ON SCHEMA two TO {schema.logins[0]}",
        f"GRANT SELECT ON {{t}} TO {schema.logins[0]}",
    )  # fmt: skip


@mutation
def view_into_the_neighbour(schema: Schema, random: Random) -> Broken | None:
    """A view in one tenant's schema that reads from the other's."""
    if schema.way != "schema":
        return None
    theirs = _raw(random.choice([t for t in schema.tables if t.name.startswith("two.")]))
    return _broken(
        "one.peek", "read", f"CREATE VIEW {{t}} AS SELECT * FROM {theirs}",
        f"GRANT SELECT ON {{t}} TO {schema.logins[0]}",
    )  # fmt: skip


@mutation
def login_of_both(schema: Schema, _: Random) -> Broken | None:
    """One tenant's login is a member of the other's."""
    if schema.way != "schema":
        return None
    return Broken(
        (f"GRANT {schema.logins[1]} TO {schema.logins[0]}",), ("two.",),
        frozenset({"read"}),
    )  # fmt: skip
