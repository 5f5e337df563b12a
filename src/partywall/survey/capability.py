"""What attacks on privileges share: roles to take, places to build in, rows to look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Breach, Step
from partywall.survey.surfaces import marks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Function, Relation
    from partywall.catalog.rights import Role
    from partywall.survey.attack import Outcome, Scene
    from partywall.survey.identity import Who
    from partywall.survey.world import Row

BUILT = "partywall_probe"
"""The name of whatever an attack creates; no database has it already."""


def acting(scene: Scene, who: Who = "A") -> Role:
    """The role that acts as *who*."""
    return scene.snapshot.roles[scene.identities[who].role]


def wields(scene: Scene, role: str, who: Who = "A") -> bool:
    """Whether *who* holds the privileges of *role* without SET ROLE."""
    return role in acting(scene, who).acts_as


def becomes(scene: Scene, role: str, who: Who = "A") -> bool:
    """Whether the login of *who* may SET ROLE to *role*."""
    login = scene.snapshot.roles.get(scene.identities[who].login)
    return login is not None and role in login.can_become


def taking(scene: Scene, role: str, who: Who = "A") -> tuple[Step, ...] | None:
    """The steps after which *who* acts with the rights of *role*; None when there are none."""
    if wields(scene, role, who):
        return ()
    if becomes(scene, role, who) and not carries_context(scene, role):
        return (Step(who, f"SET ROLE {sql.identifier(role)}"),)
    return None


def carries_context(scene: Scene, role: str) -> bool:
    """Whether SET ROLE to *role* is how the application itself enters a tenant."""
    return any(i.role == role and i.role != i.login for i in scene.identities.values())


def neighbours(scene: Scene) -> bool:
    """Whether A and B share a database, so that one session could reach both."""
    return scene.identities["A"].database == scene.identities["B"].database


def victims(scene: Scene) -> Iterator[tuple[Relation, Row]]:
    """Tenant-owned tables of A's database in which a row of B stands, with that row."""
    if not neighbours(scene):
        return
    for relation in scene.snapshot.tables:
        held = scene.world.planted.get((relation.qualified, "B"))
        if held is not None and relation.qualified in scene.model.owned:
            yield relation, held


def look(scene: Scene, relation: Relation, held: Row, who: Who = "A") -> Step:
    """Read *relation*; on the target no more than the planted row."""
    where = held.where if scene.place == "target" else ""
    return Step(who, sql.select(relation.qualified, (), where))


def first_shown(scene: Scene, outcomes: Sequence[Outcome], *tenants: Who) -> int | None:
    """The index of the first outcome that shows rows of *tenants* (B unless named)."""
    tokens = marks(scene, *(tenants or ("B",)))
    return next((i for i, outcome in enumerate(outcomes) if outcome.shows(tokens)), None)


def stolen(
    scene: Scene, steps: Sequence[Step], outcomes: Sequence[Outcome], prelude: int, because: str
) -> Breach | None:
    """A breach by reading, when one of the looks after *prelude* steps shows a row of B."""
    found = first_shown(scene, outcomes[prelude:])
    if found is None:
        return None
    seen = prelude + found
    table = steps[seen].sql.partition(" FROM ")[2].partition(" WHERE ")[0]
    return Breach(f"{because}: a row of another tenant came back from {table}", "read",
                  (*range(prelude), seen))  # fmt: skip


def workshop(scene: Scene, who: Who = "A") -> tuple[tuple[Step, ...], str] | None:
    """A schema, quoted, in which *who* may create for good, and the steps that make it."""
    role = scene.identities[who].role
    for schema in scene.snapshot.schemas.values():
        if role in schema.create and role in schema.usage and schema.extension is None:
            return (), schema.quoted
    database = scene.snapshot.databases.get(scene.identities[who].database)
    if database is not None and role in database.create:
        return (Step(who, f"CREATE SCHEMA {BUILT}"),), BUILT
    return None


def temporary(scene: Scene, who: Who = "A") -> bool:
    """Whether *who* may create temporary objects."""
    identity = scene.identities[who]
    database = scene.snapshot.databases.get(identity.database)
    return database is not None and identity.role in database.temporary


def gentle(scene: Scene) -> bool:
    """Whether strong locks are out of the question: then the server is asked, not tried."""
    return scene.place == "target" and not scene.destructive


PREFIXES = ("p_", "_", "in_", "i_", "arg_", "a_")
BY_TYPE = {
    "boolean": "true", "integer": "7", "bigint": "7", "smallint": "7", "numeric": "7",
    "text": "pw", "character varying": "pw", "json": "{}", "jsonb": "{}", "date": "2024-05-06",
    "timestamp with time zone": "2024-05-06", "timestamp without time zone": "2024-05-06",
    "uuid": "00000000-0000-4000-8000-000000000007",
}  # fmt: skip


def named_values(scene: Scene, tenant: Who) -> dict[str, str]:
    """What columns of each name hold for *tenant*: its context's values first, then its rows'."""
    found: dict[str, str] = {}
    for (_, name), context in scene.world.contexts.items():
        if tenant in context:
            found.setdefault(name.strip('"'), context[tenant])
    for table, ownership in scene.model.owned.items():
        row = scene.world.planted.get((table, tenant))
        relation = scene.snapshot.by_qualified.get(table)
        if row is None or relation is None:
            continue
        for column in relation.columns:
            value = row.values.get(column.quoted)
            if value is not None and (column.name == ownership.column or column.unguessable):
                found.setdefault(column.name, value)
        for column in relation.columns:
            if (value := row.values.get(column.quoted)) is not None:
                found.setdefault(column.name, value)
    for name, value in scene.identities[tenant].settings:
        found.setdefault(name.rpartition(".")[2], value)
    return found


def call(scene: Scene, function: Function, tenant: Who) -> str:
    """A call of *function* with arguments of *tenant*, by their names, else plain ones by type."""
    known = named_values(scene, tenant)
    arguments = []
    for name, kind in function.arguments[: len(function.arguments) - function.defaults or None]:
        bare = name
        for prefix in PREFIXES:
            bare = bare.removeprefix(prefix)
        value = known.get(name, known.get(bare, BY_TYPE.get(kind)))
        if value is None and "tenant" in bare:
            value = scene.identities[tenant].tenant
        arguments.append(f"{sql.literal(value)}::{kind}")
    if function.defaults == len(function.arguments):
        arguments = []
    listed = ", ".join(arguments)
    if function.kind == "procedure":
        return f"CALL {function.qualified}({listed})"
    return f"SELECT * FROM {function.qualified}({listed})"
