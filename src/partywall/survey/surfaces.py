"""What attacks share: which relations can be reached, by which names, and what stands in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Step
from partywall.survey.engine import CLOSED, touched
from partywall.survey.expressions import relations_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Column, Function, Relation
    from partywall.survey.attack import Level, Outcome, Scene
    from partywall.survey.identity import Who
    from partywall.survey.world import Row, Tokens

STRANGERS: tuple[Who, ...] = ("none", "empty")
ATTACKERS: tuple[Who, ...] = (*STRANGERS, "A")


def attackers(scene: Scene) -> tuple[Who, ...]:
    """The identities that attack: nobody, the empty context where there is one, and A."""
    return tuple(who for who in ATTACKERS if who in scene.identities)


def victims(scene: Scene, who: Who) -> tuple[Who, ...]:
    """Whose rows *who* must not see.

    Where the login, the role or the database is the context, a session that entered no tenant is
    still the tenant's whose login it uses.
    """
    if who == "A":
        return ("B",)
    a, b, me = (scene.identities[w] for w in ("A", "B", who))
    found: list[Who] = []
    for tenant, other in ((a, b), (b, a)):
        alike = (me.login, me.database) == (tenant.login, tenant.database)
        if not (alike and (tenant.login, tenant.database) != (other.login, other.database)):
            found.append(tenant.who)
    return tuple(found)


def relations(scene: Scene) -> Iterator[Relation]:
    """Every relation that is not an extension's, in name order."""
    for relation in scene.snapshot.relations.values():
        if relation.extension is None:
            yield relation


def reachable(scene: Scene, who: Who, relation: Relation, privilege: str) -> bool:
    """Whether the acting role of *who* holds *privilege* on the relation and on its schema."""
    return scene.usable(who, relation) and scene.grants(who).may(privilege, relation.oid)


def level(scene: Scene, relation: Relation | Function, who: Who = "A") -> Level:
    """The attacker it takes to name *relation*.

    Where one login serves every tenant and the search_path is the context, naming another
    tenant's schema outright is no ordinary query of the application.
    """
    a, b = scene.identities["A"], scene.identities["B"]
    one_role = a.role == b.role
    elsewhere = relation.schema in scene.model.schemas.values()
    own = scene.model.schemas.get(who)
    return "sql" if one_role and elsewhere and relation.schema != own else "query"


def row(scene: Scene, relation: Relation, tenant: Who, *, spare: bool = False) -> Row | None:
    """The row that stands in *relation* for *tenant*, or the one held ready; None without one.

    For a view it is the row of the table beneath it.
    """
    rows = scene.world.spare if spare else scene.world.planted
    if relation.stores_rows:
        return rows.get((relation.qualified, tenant))
    base = base_table(scene, relation)
    held = rows.get((base.qualified, tenant)) if base else None
    shown = {column.quoted for column in relation.columns}
    if held is None or set(held.key) <= shown:
        return held
    telling = {
        name: value
        for name, value in held.values.items()
        if name in shown and value is not None and any(token in value for token in held.tokens)
    }
    return replace(held, key=telling) if telling else None


def base_table(scene: Scene, relation: Relation) -> Relation | None:
    """The one table beneath a view, through views upon views; None when there are more."""
    seen = {relation.oid}
    while relation.kind in {"view", "matview"} and relation.definition:
        named = relations_in(relation.definition, "sql")
        below = [
            found
            for found in scene.snapshot.relations.values()
            if (found.schema, found.name) in named or (None, found.name) in named
        ]
        if len(below) != 1 or below[0].oid in seen:
            return None
        relation = below[0]
        seen.add(relation.oid)
    return relation if relation.stores_rows else None


def tenant_column(scene: Scene, relation: Relation) -> Column | None:
    """The column of *relation* that holds the tenant, also where a view passes it on."""
    table = base_table(scene, relation) or relation
    ownership = scene.model.owned.get(table.qualified)
    if ownership is not None and ownership.kind in {"column", "registry", "user"}:
        return relation.by_name.get(ownership.column)
    if relation.stores_rows:
        return None
    return next((c for c in relation.columns if c.name in scene.model.tenant_columns), None)


def rests_on_tenants(scene: Scene, relation: Relation) -> bool:
    """Whether a view shows rows of tenant-owned tables, directly or through views or functions."""
    if relation.kind == "foreign":
        return True
    seen: set[int] = set()
    below = [relation]
    while below:
        view = below.pop()
        if view.oid in seen:
            continue
        seen.add(view.oid)
        if view.qualified in scene.model.owned or view.kind == "foreign":
            return True
        if view.definition:
            names = {name for _, name in relations_in(view.definition, "sql")}
            below += [r for r in scene.snapshot.relations.values() if r.name in names]
            if any(f.qualified in view.definition for f in scene.snapshot.functions.values()):
                return True
    return False


def marks(scene: Scene, *tenants: Who) -> Tokens:
    """Values that betray rows of *tenants*: canaries, and what is distinctive in their rows."""
    if len(tenants) == 1:
        return scene.world.tokens.get(tenants[0], scene.world.everyones)
    return scene.world.everyones


def readable_columns(scene: Scene, who: Who, relation: Relation) -> tuple[str, ...]:
    """Quoted columns that *who* may read; () when it may read all of them."""
    columns = scene.grants(who).columns_for("SELECT", relation)
    return () if len(columns) == len(relation.columns) else tuple(c.quoted for c in columns)


def text_columns(relation: Relation) -> list[Column]:
    """Columns that hold free text and whose change breaks no reference."""
    keyed = {name for c in relation.constraints if c.kind != "check" for name in c.columns}
    keyed |= {name for index in relation.indexes if index.unique for name in index.columns}
    return [
        c
        for c in relation.columns
        if c.base in {"text", "varchar", "bpchar", "citext"}
        and c.name not in keyed
        and not c.generated
    ]


def spot(relation: Relation, columns: Sequence[Column]) -> str:
    """The name of some columns as a surface: ``public.users.email``, ``public.users (a, b)``."""
    names = [column.quoted for column in columns]
    if len(names) == 1:
        return f"{relation.qualified}.{names[0]}"
    return f"{relation.qualified} ({', '.join(names)})"


def permits(scene: Scene, who: Who, relation: Relation, command: str) -> bool:
    """Whether row security leaves *command* open to the acting role for any row at all."""
    role = scene.snapshot.roles.get(scene.identities[who].role)
    table = base_table(scene, relation)
    if role is None or table is None or not table.rls or not relation.stores_rows:
        return True
    if role.superuser or role.bypasses_rls or (table.owner in role.acts_as and not table.forced):
        return True
    return any(
        policy.permissive
        and policy.command in {"ALL", command}
        and ({"public"} | role.acts_as) & set(policy.roles)
        for policy in table.policies
    )


def rightful(scene: Scene, relation: Relation, command: str) -> Controlled:
    """How to read the control of *command* on *relation*; a wall without any door is closed."""
    open_to_owner = permits(scene, "B", relation, command)

    def controlled(outcomes: Sequence[Outcome]) -> str:
        reason = touched(outcomes)
        return CLOSED if reason and not open_to_owner else reason

    return controlled


if TYPE_CHECKING:
    from collections.abc import Callable

    Controlled = Callable[[Sequence[Outcome]], str]


def inserting(scene: Scene, relation: Relation) -> tuple[tuple[Step, ...], Controlled]:
    """The control of an INSERT: B inserts the row held ready, or its standing row once more.

    The second form is for tables where a tenant may hold one row only, as its own membership.
    """
    found, standing = newcomer(scene, relation, "B"), row(scene, relation, "B")
    if found is None:
        return (), touched
    held, away = found
    into = "" if relation.stores_rows else relation.qualified
    steps = [*away, Step("B", held.insert(into=into, omit=insertable(scene, relation, "B", held)))]
    if not away and standing is not None and not standing.real and relation.policies:
        left_out = insertable(scene, relation, "B", standing)
        steps += [
            Step("admin", sql.delete(standing.table, standing.where), quiet=True, loose=True),
            Step("B", standing.insert(into=into, omit=left_out)),
        ]
    once = rightful(scene, relation, "INSERT")

    def controlled(outcomes: Sequence[Outcome]) -> str:
        return "" if not once(outcomes[-1:]) else once(outcomes[len(away) :][:1])

    return tuple(steps), controlled


def present(table: str, held: Row) -> str:
    """A query that counts the row *held* of *table*."""
    return sql.select(table, ["count(*)"], held.where)


def lists_tenants(scene: Scene, relation: Relation) -> bool:
    """Whether a row of *relation* is a tenant: then each tenant has one, and no second."""
    table = base_table(scene, relation) or relation
    owner = scene.model.owned.get(table.qualified)
    return owner is not None and owner.kind == "registry"


def prey(scene: Scene, relation: Relation, tenant: Who) -> tuple[Row, tuple[Step, ...]] | None:
    """A row of *tenant* to be written, and how it gets there first; None where there is none.

    It is the row held ready, which nothing refers to; where rows are tenants, the standing one.
    """
    if lists_tenants(scene, relation):
        standing = row(scene, relation, tenant)
        return (standing, ()) if standing else None
    held = row(scene, relation, tenant, spare=True)
    if held is None:  # the table holds one row a tenant, and that one stands
        standing = row(scene, relation, tenant)
        return (standing, ()) if standing else None
    return held, (Step("admin", held.insert(), quiet=True, loose=True),)


def newcomer(scene: Scene, relation: Relation, tenant: Who) -> tuple[Row, tuple[Step, ...]] | None:
    """A row of *tenant* that does not stand, and what makes it so; None where there is none.

    It is the row held ready; where a tenant may hold one row only, the standing one, taken away.
    """
    held = row(scene, relation, tenant, spare=True)
    if held is not None:
        return held, ()
    standing = row(scene, relation, tenant)
    if standing is None or standing.real:
        return None
    away = sql.delete(standing.table, standing.where)
    return standing, (Step("admin", away, quiet=True, loose=True),)


def ownership_columns(scene: Scene, relation: Relation) -> tuple[Column, ...]:
    """Columns that say whose a row is: the tenant's, and those that point at tenants' rows."""
    table = base_table(scene, relation) or relation
    names: dict[str, None] = {}
    if (column := tenant_column(scene, table)) is not None:
        names[column.name] = None
    for key in table.foreign_keys:
        target = scene.snapshot.relations.get(key.target or 0)
        if target and target.qualified in scene.model.owned and target.oid != table.oid:
            names.update(dict.fromkeys(key.columns))
    names.update(dict.fromkeys(scene.model.contexts_by_table.get(table.qualified, ())))
    found = (relation.by_name.get(name) for name in names)
    return tuple(column for column in found if column is not None and not column.generated)


def belonging(scene: Scene, relation: Relation, held: Row) -> dict[str, str | None]:
    """The values in *held* that say whose row it is, by quoted column."""
    columns = ownership_columns(scene, relation)
    return {c.quoted: held.values[c.quoted] for c in columns if c.quoted in held.values}


def plain_column(scene: Scene, relation: Relation, who: Who) -> Column | None:
    """A column that *who* may change without touching keys or ownership; text if there is one."""
    keyed = {n for c in relation.constraints if c.kind != "check" for n in c.columns}
    keyed |= {n for index in relation.indexes if index.unique for n in index.columns}
    keyed |= {c.name for c in ownership_columns(scene, relation)}
    table = base_table(scene, relation)
    if table is not None and table.oid != relation.oid:
        keyed |= {n for c in table.constraints if c.kind != "check" for n in c.columns}
    allowed = [
        c
        for c in scene.grants(who).columns_for("UPDATE", relation)
        if c.name not in keyed and not c.generated and not c.identity
    ]
    allowed.sort(key=lambda c: (not c.textual, c.number))
    return allowed[0] if allowed else None


def insertable(scene: Scene, relation: Relation, who: Who, held: Row) -> set[str]:
    """Quoted columns of *held* that an INSERT into *relation* by *who* has to leave out."""
    may = {c.quoted for c in scene.grants(who).columns_for("INSERT", relation)}
    return {name for name in held.written if name not in may}


def too_many(scene: Scene, relation: Relation) -> bool:
    """Whether a statement without condition would lock too many rows of a target in use."""
    return scene.place == "target" and not scene.destructive and relation.rows > LOCKABLE_ROWS


LOCKABLE_ROWS = 10_000
UPDATABLE, INSERTABLE, DELETABLE = 4, 8, 16
"""Bits of `pg_relation_is_updatable`."""
