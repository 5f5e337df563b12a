"""A schema loaded, two tenants declared, and rows planted: what the tests of planting share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from partywall.catalog.facts import Snapshot
from partywall.catalog.reader import snapshot
from partywall.model import Isolation, Ownership, TenancyModel
from partywall.survey.attack import Outcome, Step
from partywall.survey.identity import Identity, Who
from partywall.survey.planting import plant
from partywall.survey.stage import Stage
from partywall.survey.world import World
from tests.conftest import Database

TENANTS: Mapping[Who, str] = {
    "A": "11111111-1111-4111-8111-111111111111",
    "B": "22222222-2222-4222-8222-222222222222",
}
USERS: Mapping[Who, str] = {
    "A": "aaaaaaaa-0000-4000-8000-000000000001",
    "B": "bbbbbbbb-0000-4000-8000-000000000002",
}
GRANT = "GRANT ALL ON ALL TABLES IN SCHEMA public TO app_user"
FIRST = "CREATE TABLE tenants (id uuid PRIMARY KEY, name text NOT NULL)"


@dataclass(frozen=True)
class Planted:
    """What stands after planting, with the stage to look at it."""

    world: World
    facts: Snapshot
    stage: Stage

    def admin(self, sql: str) -> Outcome:
        return self.stage.run(Step("admin", sql))

    def values(self, table: str, who: Who, *, spare: bool = False) -> Mapping[str, str | None]:
        rows = self.world.spare if spare else self.world.planted
        return rows[table, who].values

    def takes_spare(self, table: str, who: Who) -> Outcome:
        """What the server says to the spare row's own INSERT; it is undone."""
        with self.stage.undone():
            return self.admin(self.world.spare[table, who].insert())


def identities(
    database: str,
    tenants: Mapping[Who, str] = TENANTS,
    enter: Mapping[Who, tuple[str, ...]] | None = None,
) -> dict[Who, Identity]:
    """A and B as the application becomes them: two settings on one login."""
    found: dict[Who, Identity] = {}
    for who, tenant in tenants.items():
        statements = (enter or {}).get(who) or (
            f"SELECT set_config('app.tenant_id', '{tenant}', true)",
            f"SELECT set_config('app.user_id', '{USERS[who]}', true)",
        )
        found[who] = Identity(
            who, f"tenant {who}", tenant, "app_user", "app_user", None, database, statements
        )
    return found


def by_column(facts: Snapshot) -> TenancyModel:
    return TenancyModel(Isolation.ROW_SECURITY, owned_by_column(facts), {})


def owned_by_column(facts: Snapshot, column: str = "tenant_id") -> dict[str, Ownership]:
    """The plainest model: the registry, every table with the tenant column, and their children."""
    found = {t.qualified: Ownership("column", column) for t in facts.tables if column in t.by_name}
    if "public.tenants" in facts.by_qualified:
        found["public.tenants"] = Ownership("registry", "id")
    known = len(found) + 1
    while known != len(found):
        known = len(found)
        for table in facts.tables:
            for key in table.foreign_keys:
                parent = facts.relations[key.target].qualified if key.target else ""
                if table.qualified not in found and parent in found:
                    found[table.qualified] = Ownership("parent", parent=parent)
    return found


@contextmanager
def planted(
    database: Database,
    ddl: str,
    *,
    model: Callable[[Snapshot], TenancyModel] | None = None,
    people: Mapping[Who, Identity] | None = None,
    existing: Mapping[tuple[str, Who], Mapping[str, str]] | None = None,
) -> Iterator[Planted]:
    """Load *ddl*, plant inside a transaction, and roll it back on leaving."""
    database.execute(ddl)
    database.execute(GRANT)
    connection = database.connection
    facts = snapshot(connection, acting=["app_user"])
    found = (model or by_column)(facts)
    people = people or identities(database.name)
    stage = Stage(connection, people, {})
    connection.execute("BEGIN")
    try:
        world = plant(stage, facts, found, people, existing=existing)
        yield Planted(world, facts, stage)
    finally:
        connection.execute("ROLLBACK")
