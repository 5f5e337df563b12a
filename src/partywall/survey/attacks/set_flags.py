"""PW256: a setting other than the tenant's opens the walls, and any client may set it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.surfaces import marks, reachable, relations, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene

CONSTANT = re.compile(r"'((?:[^']|'')*)'")
USUAL = ("on", "true", "1", "t", "yes", "admin", "service_role")
DOORS, VALUES = 8, 14


@attack("PW256", effect="read", level="sql")
def set_flags(scene: Scene) -> Iterator[Attempt]:
    """Set every setting that policies read and that entering a tenant leaves alone.

    ``current_setting('app.is_admin') = 'on'`` asks the client whether it is an administrator:
    custom settings belong to whoever sends SQL.

    Affected:
        Policies with a switch for administrators or support that is a setting.

    Breaches:
        ALTER POLICY own ON shop.invoices USING (tenant = current_setting('app.tenant', true)
          OR current_setting('app.support', true) = 'on');

    Holds:
        ALTER POLICY own ON shop.invoices USING (tenant = current_setting('app.tenant', true)
          AND coalesce(current_setting('app.support', true), '') <> 'off');

    Fix:
        Give administrators a role of their own instead of a setting.

    Source:
        https://www.postgresql.org/docs/current/runtime-config-custom.html
    """
    entered = {name for who in ("A", "B") for name, _ in scene.identities[who].settings}
    doors = [
        relation
        for relation in relations(scene)
        if relation.qualified in scene.model.owned
        and row(scene, relation, "B")
        and reachable(scene, "A", relation, "SELECT")
    ]
    for name in scene.model.settings:
        if name in entered or "." not in name or any(e.startswith(name) for e in entered):
            continue
        guarded = [d for d in doors if any(name in t for t in _texts(d))] or doors
        for value in _values(scene, name)[:VALUES]:
            yield _attempt(scene, guarded[:DOORS], name, value)


def _texts(relation: Relation) -> list[str]:
    return [text for p in relation.policies for text in (p.using, p.check) if text]


def _values(scene: Scene, name: str) -> list[str]:
    """Values worth trying: constants that stand beside the setting, then the usual ones."""
    sources = [t for r in scene.snapshot.relations.values() for t in _texts(r) if name in t]
    sources += [f.source for f in scene.snapshot.functions.values() if name in f.source]
    constants = [c.replace("''", "'") for text in sources for c in CONSTANT.findall(text)]
    found = [c for c in constants if c and c != name]
    tenant = scene.identities["B"].tenant
    return list(dict.fromkeys([*found, *USUAL, tenant]))


def _attempt(scene: Scene, doors: Sequence[Relation], name: str, value: str) -> Attempt:
    tokens = marks(scene, "B")
    looks = [
        sql.select(door.qualified, (), held.where)
        for door in doors
        if (held := row(scene, door, "B"))
    ]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        done, *read = outcomes
        for door, outcome in zip(doors, read, strict=True):
            if done.ok and outcome.shows(tokens):
                return Breach(f"setting {name} opens {door.qualified} to every client")
        return None

    return Attempt(
        at=f"setting {name}",
        attacker="A",
        steps=(
            Step("A", f"SELECT set_config({sql.literal(name)}, {sql.literal(value)}, true)"),
            *(Step("A", look) for look in looks),
        ),
        judge=judge,
        control=tuple(Step("B", look) for look in looks[:1]),
        fix=f"give administrators a role of their own instead of the setting {name}",
    )
