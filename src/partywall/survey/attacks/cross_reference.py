"""PW232: a foreign key that crosses from one tenant's row to another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.keys import tied_to_tenant
from partywall.survey.surfaces import (
    insertable,
    inserting,
    level,
    present,
    reachable,
    relations,
    rightful,
    row,
    spot,
    tenant_column,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Constraint, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row

NOBODYS = {"uuid": "00000000-dead-4000-8000-00000000dead", "N": "2000000011", "S": "pw-nobody"}


@attack("PW232", effect="detect")
def cross_reference(scene: Scene) -> Iterator[Attempt]:
    """Point an own row at a row of B, and delete an own row that one of B's points at.

    Foreign keys look past row security in both directions: a reference that is accepted tells that
    B's row exists and keeps B from deleting it; ON DELETE CASCADE and SET NULL reach into
    B's tables. Only a key that carries the tenant column, or a policy on the referencing row that
    looks at what it points at, stops it.

    Affected:
        Tables of all tenants that reference each other by an id alone.

    Breaches:
        ALTER TABLE shop.invoices ADD UNIQUE (id);
        CREATE TABLE shop.lines (tenant text NOT NULL, id uuid PRIMARY KEY,
          invoice int REFERENCES shop.invoices (id));
        ALTER TABLE shop.lines ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.lines TO app
          USING (tenant = current_setting('app.tenant', true));
        GRANT SELECT, INSERT ON shop.lines TO app;

    Holds:
        CREATE TABLE shop.lines (tenant text NOT NULL, id uuid PRIMARY KEY, invoice int,
          FOREIGN KEY (tenant, invoice) REFERENCES shop.invoices (tenant, id));
        ALTER TABLE shop.lines ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON shop.lines TO app
          USING (tenant = current_setting('app.tenant', true));
        GRANT SELECT, INSERT ON shop.lines TO app;

    Fix:
        Let the foreign key carry the tenant: (tenant, id) references (tenant, id).

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html (referential integrity checks)
    """
    for relation in relations(scene):
        if not relation.stores_rows or relation.qualified not in scene.model.owned:
            continue
        for key in relation.foreign_keys:
            parent = scene.snapshot.relations.get(key.target or 0)
            if (
                parent is None
                or parent.oid == relation.oid
                or not _crosses(scene, relation, key, parent)
            ):
                continue
            rows = (
                row(scene, relation, "A", spare=True), row(scene, relation, "B", spare=True),
                row(scene, parent, "A", spare=True), row(scene, parent, "B", spare=True),
            )  # fmt: skip
            if all(rows):
                yield from _attempts(scene, relation, key, parent)


def _crosses(scene: Scene, relation: Relation, key: Constraint, parent: Relation) -> bool:
    """Whether the key leads to tenants' rows and leaves the tenant itself out."""
    owner = scene.model.owned.get(parent.qualified)
    if owner is None or owner.kind == "registry":
        return False
    child = scene.model.owned[relation.qualified]
    if child.kind == "parent" and child.column == ",".join(key.columns):
        return False  # it says whose the row is: inserting as another tenant covers it
    column = tenant_column(scene, relation)
    return column is None or column.name not in key.columns


def _attempts(
    scene: Scene, relation: Relation, key: Constraint, parent: Relation
) -> Iterator[Attempt]:
    at = spot(relation, [relation.by_name[name] for name in key.columns])
    fix = (
        f"add the tenant column to {key.name} and to the key of {parent.qualified} it points at: "
        f"FOREIGN KEY (tenant, {', '.join(key.columns)}) REFERENCES {parent.qualified} (tenant, …)"
    )
    if reachable(scene, "A", relation, "INSERT"):
        yield from _pointing(scene, relation, key, parent, at, fix)
    if reachable(scene, "B", relation, "INSERT"):
        ours = row(scene, parent, "A", spare=True)
        if ours is not None and reachable(scene, "A", parent, "DELETE"):
            yield _pulling(
                scene, relation, key, parent, fix, sql.delete(parent.qualified, ours.where)
            )
        renamed = _renamed(key, parent, ours)
        if renamed and ours is not None and reachable(scene, "A", parent, "UPDATE"):
            change = sql.update(parent.qualified, renamed, ours.where)
            yield _pulling(scene, relation, key, parent, fix, change)


def _linked(
    key: Constraint, relation: Relation, parent: Row, there: Relation
) -> dict[str, str | None]:
    """The values that make a child point at *parent*."""
    return {
        relation.by_name[own].quoted: parent.values[there.by_name[target].quoted]
        for own, target in zip(key.columns, key.target_columns, strict=True)
    }


def _pointing(
    scene: Scene, relation: Relation, key: Constraint, parent: Relation, at: str, fix: str
) -> Iterator[Attempt]:
    own, theirs = row(scene, relation, "A", spare=True), row(scene, parent, "B", spare=True)
    assert own is not None and theirs is not None  # noqa: S101, PT018 - the planner has looked
    left_out = insertable(scene, relation, "A", own)
    link = _linked(key, relation, theirs, parent)
    nobody = {
        c.quoted: NOBODYS.get(c.base) or NOBODYS.get(c.category, "pw-nobody")
        for c in (relation.by_name[name] for name in key.columns)
    }
    point = Step("A", own.insert(changes=link, omit=left_out))
    control, controlled = inserting(scene, relation)
    common = {
        "at": at, "attacker": "A", "fix": fix, "level": level(scene, relation), "control": control,
        "controlled": controlled,
        "repair": lambda: tied_to_tenant(scene, relation, key, parent),
    }  # fmt: skip

    def exists(outcomes: Sequence[Outcome]) -> Judgement:
        _, missed, pointed = outcomes
        if pointed.ok and pointed.count > 0 and missed.sqlstate == "23503":
            return Breach(
                f"{key.name} accepts a reference to another tenant's row and tells that it exists"
            )
        return None

    def pinned(outcomes: Sequence[Outcome]) -> Judgement:
        _, pointed, deleted = outcomes
        if pointed.ok and pointed.count > 0 and deleted.sqlstate == "23503":
            return Breach(
                f"through {key.name} another tenant's row can no longer be deleted", "disrupt"
            )
        return None

    planted = Step("admin", theirs.insert(), quiet=True, loose=True)
    yield Attempt(
        steps=(planted, Step("A", own.insert(changes=nobody, omit=left_out)), point),
        judge=exists,
        **common,  # type: ignore[arg-type] # fields of Attempt by name
    )
    if key.on_delete in {"NO ACTION", "RESTRICT"} and reachable(scene, "B", parent, "DELETE"):
        yield Attempt(
            steps=(planted, point, Step("B", sql.delete(parent.qualified, theirs.where))),
            judge=pinned,
            effect="disrupt",
            **common,  # type: ignore[arg-type] # fields of Attempt by name
        )


def _renamed(key: Constraint, parent: Relation, ours: Row | None) -> dict[str, str | None]:
    """Another value for a key that its references follow (ON UPDATE CASCADE), {} where none do."""
    if ours is None or key.on_update not in {"CASCADE", "SET NULL", "SET DEFAULT"}:
        return {}
    columns = [parent.by_name[name] for name in key.target_columns]
    return {c.quoted: NOBODYS.get(c.base) or NOBODYS.get(c.category, "pw-nobody") for c in columns}


def _pulling(
    scene: Scene, relation: Relation, key: Constraint, parent: Relation, fix: str, pull: str
) -> Attempt:
    theirs, ours = row(scene, relation, "B", spare=True), row(scene, parent, "A", spare=True)
    assert theirs is not None and ours is not None  # noqa: S101, PT018 - the planner has looked
    link = _linked(key, relation, ours, parent)
    left_out = insertable(scene, relation, "B", theirs)
    whole = sql.select(theirs.table, ["count(*)"], sql.conditions({**theirs.key, **link}))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        _, pointed, before, deleted, there, same = outcomes
        if not (pointed.ok and before.scalar == "1" and deleted.ok and deleted.count > 0):
            return None
        if there.scalar == "0":
            return Breach(
                f"deleting an own row of {parent.qualified} deleted another tenant's row", "destroy"
            )
        if same.scalar == "0":
            return Breach(
                f"deleting an own row of {parent.qualified} changed another tenant's row", "write"
            )
        return None

    return Attempt(
        at=spot(relation, [relation.by_name[name] for name in key.columns]),
        attacker="A",
        steps=(
            Step("admin", ours.insert(), quiet=True, loose=True),
            Step("B", theirs.insert(changes=link, omit=left_out)),
            Step("admin", whole, quiet=True),
            Step("A", pull),
            Step("admin", present(theirs.table, theirs), quiet=True),
            Step("admin", whole, quiet=True),
        ),
        judge=judge,
        control=(
            Step("admin", ours.insert(), quiet=True, loose=True),
            Step("B", theirs.insert(omit=left_out)),
        ),
        controlled=rightful(scene, relation, "INSERT"),
        effect="destroy",
        level=level(scene, relation),
        fix=fix,
        repair=lambda: tied_to_tenant(scene, relation, key, parent),
    )
