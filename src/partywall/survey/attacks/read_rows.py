"""PW201: another tenant's rows come back from a plain SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.privileges import kept_apart, unbound
from partywall.survey.mending.walls import enforced, walled
from partywall.survey.surfaces import (
    attackers,
    level,
    marks,
    reachable,
    readable_columns,
    relations,
    rests_on_tenants,
    rightful,
    row,
    tenant_column,
    victims,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who


@attack("PW201", effect="read")
def read_rows(scene: Scene) -> Iterator[Attempt]:
    """Read every relation that the login may read, as A, with no context and with an empty one.

    Tables, partitions and inheritance children by their own names, views, materialized views and
    foreign tables. One canary of the other tenant in the answer is a breach: row security that is
    off, bypassed by the role (superuser, BYPASSRLS, owner without FORCE), opened by a second
    permissive policy, or that fails open without a tenant.

    Affected:
        Whoever keeps tenants apart by row security and has a view, a partition or a table that it
        does not reach.

    Breaches:
        CREATE VIEW shop.list AS SELECT * FROM shop.invoices;
        GRANT SELECT ON shop.list TO app;

    Holds:
        CREATE VIEW shop.list WITH (security_invoker = true) AS SELECT * FROM shop.invoices;
        GRANT SELECT ON shop.list TO app;

    Fix:
        Put row security on the table, ENABLE and FORCE, with a policy that compares the tenant
        column with the context; let views ask as their caller (security_invoker); let the login
        be neither superuser nor BYPASSRLS.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    for relation in relations(scene):
        for who in attackers(scene):
            if reachable(scene, who, relation, "SELECT") or _walled(scene, relation, who):
                yield _attempt(scene, relation, who)


def _walled(scene: Scene, relation: Relation, who: Who) -> bool:
    """Whether B reads it and A's role must not: then the refusal is worth seeing."""
    a, b = scene.identities["A"], scene.identities["B"]
    owned = relation.qualified in scene.model.owned
    apart = who == "A" and a.role != b.role and a.database == b.database
    return apart and owned and reachable(scene, "B", relation, "SELECT")


def _attempt(scene: Scene, relation: Relation, who: Who) -> Attempt:
    tokens = marks(scene, *victims(scene, who))
    steps = [Step(who, _everything(scene, relation, who))]
    if scene.place == "target" and (condition := _of_victim(scene, relation, who)):
        steps.append(Step(who, sql.select(relation.qualified, ["count(*)"], condition)))

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        beyond = relation.kind in {"foreign", "matview"} and outcomes[0].shows(scene.hidden)
        if beyond or outcomes[0].shows(tokens):
            return Breach(f"rows of another tenant came back from {relation.qualified}")
        if len(outcomes) > 1 and (outcomes[1].scalar or "0") != "0":
            return Breach(f"{relation.qualified} lets another tenant's rows be counted")
        return None

    owner: Who = "B" if row(scene, relation, "B") or not row(scene, relation, "A") else "A"
    rows_of_tenants = relation.qualified in scene.model.owned or (
        not relation.stores_rows and rests_on_tenants(scene, relation)
    )
    proof = rows_of_tenants and reachable(scene, owner, relation, "SELECT")
    proof = proof and (not relation.stores_rows or row(scene, relation, owner) is not None)
    return Attempt(
        at=relation.qualified,
        attacker=who,
        steps=tuple(steps),
        judge=judge,
        control=(Step(owner, _everything(scene, relation, owner)),) if proof else (),
        controlled=rightful(scene, relation, "SELECT"),
        level=level(scene, relation, who),
        fix=_fix(relation),
        repair=lambda: _repair(scene, relation, who),
    )


def _everything(scene: Scene, relation: Relation, who: Who) -> str:
    """Select what *who* may read; on the target only planted rows, where a key tells them."""
    conditions = (
        [f"({public}) IS NOT TRUE"] if (public := scene.public.get(relation.qualified)) else []
    )
    columns = readable_columns(scene, who, relation)
    if scene.place == "target":
        rows = [found for tenant in ("A", "B") if (found := row(scene, relation, tenant))]
        known = {column.quoted for column in relation.columns}
        if rows and not columns and all(set(found.key) <= known for found in rows):
            conditions.append("(" + " OR ".join(f"({found.where})" for found in rows) + ")")
    return sql.select(relation.qualified, columns, " AND ".join(conditions))


def _of_victim(scene: Scene, relation: Relation, who: Who) -> str:
    """A condition that holds for rows of B, those included that stood there before the survey."""
    column = tenant_column(scene, relation)
    if column is None or column not in scene.grants(who).columns_for("SELECT", relation):
        return ""
    public = scene.public.get(relation.qualified)
    besides = f" AND ({public}) IS NOT TRUE" if public else ""
    return f"{column.quoted}::text = {sql.literal(scene.identities['B'].tenant)}{besides}"


def _fix(relation: Relation) -> str:
    if relation.stores_rows:
        return (
            f"compare the tenant column of {relation.qualified} with the context in every "
            "permissive policy, for every role"
        )
    return f"let a view of {relation.qualified} stand in front of it that asks for the tenant"


def _repair(scene: Scene, relation: Relation, who: Who) -> tuple[str, ...]:
    if loose := unbound(scene, relation, who):
        return loose
    ownership = scene.model.owned.get(relation.qualified)
    if ownership is not None and ownership.kind == "schema":
        return kept_apart(scene, relation, who)
    return enforced(scene, relation) if relation.stores_rows else walled(scene, relation)
