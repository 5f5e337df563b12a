"""PW251: an unqualified name that finds no table of the tenant falls through to another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.capability import BUILT
from partywall.survey.generated import generated_row
from partywall.survey.mending.privileges import ROWS, revoked
from partywall.survey.surfaces import attackers, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who


@attack("PW251", effect="read")
def fall_through(scene: Scene) -> Iterator[Attempt]:
    """Read every tenant table by its bare name: as A, with no tenant, and with an unknown one.

    Where the search_path is the wall, a table that a migration has not yet made, a misspelt
    tenant or an empty path sends the same query elsewhere: to a table of that name in public, or
    to the schema that ALTER ROLE … SET search_path left as default. A template in public that is
    empty and that no login may fill shows nothing, and is no breach.

    Affected:
        A schema for each tenant by search_path, with tables of the same names left in public.

    Applications:
        a schema each, a schema each

    Breaches:
        CREATE TABLE public.orders (id int PRIMARY KEY, memo text NOT NULL);
        GRANT SELECT, INSERT ON public.orders TO app;

    Holds:
        CREATE TABLE public.orders (id int PRIMARY KEY, memo text NOT NULL);

    Fix:
        Leave no table of a tenant's name in public, and give a session without a tenant an empty
        search_path.

    Source:
        https://www.postgresql.org/docs/current/ddl-schemas.html
    """
    inside = set(scene.model.schemas.values())
    if not inside:
        return
    names = sorted({t.name for t in scene.snapshot.tables if t.schema in inside})
    for who in attackers(scene):
        for label, path in _paths(scene, who):
            for name in names:
                found = _found(scene, path, name)
                if found is not None and found.schema not in _own(scene, who):
                    yield from _attempts(scene, who, found, label)


def _paths(scene: Scene, who: Who) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Search paths to try: the one that *who* has, and A's with a schema that does not exist."""
    mine = scene.identities[who].search_path
    yield "", mine
    a = scene.identities["A"]
    rest = tuple(s for s in a.search_path if s not in scene.model.schemas.values())
    if who == "none" and rest not in {mine, a.search_path}:
        names = ", ".join(sql.identifier(s) for s in (BUILT, *rest))
        yield f"SET LOCAL search_path = {names}", rest


def _own(scene: Scene, who: Who) -> set[str]:
    """Schemas that are no strangers to *who*: its own; a login's, where each tenant has one."""
    a, b = scene.identities["A"], scene.identities["B"]
    mine = scene.identities[who]
    if who == "A":
        return {scene.model.schemas["A"]}
    if a.login == b.login:
        return set()
    return {scene.model.schemas[i.who] for i in (a, b) if i.login == mine.login}


def _found(scene: Scene, path: Sequence[str], name: str) -> Relation | None:
    """The table that *name* means in *path*."""
    tables = {(t.schema, t.name): t for t in scene.snapshot.tables if t.name == name}
    return next((tables[s, name] for s in path if (s, name) in tables), None)


def _attempts(scene: Scene, who: Who, relation: Relation, label: str) -> Iterator[Attempt]:
    if not reachable(scene, who, relation, "SELECT"):
        return
    elsewhere = relation.schema in scene.model.schemas.values()
    logins: tuple[Who, ...] = ("A", "B", "none")
    fillable = any(reachable(scene, w, relation, "INSERT") for w in logins if w in scene.identities)
    if not elsewhere and not fillable and relation.qualified not in scene.filled:
        return
    canary = scene.world.canaries["B"]
    values = generated_row(relation.columns, {}, canary)
    plant = Step(
        "admin",
        "SET LOCAL session_replication_role = replica; " + sql.insert(relation.qualified, values),
        quiet=True,
    )
    real = scene.place == "target"
    read = sql.select(relation.quoted, ["count(*)"] if real else ())
    steps = (
        *(() if elsewhere else (plant,)),
        *([Step(who, label)] if label else ()),
        Step(who, read),
    )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if not elsewhere and not outcomes[0].ok:
            words = f"{outcomes[0].message} ({outcomes[0].sqlstate})"
            return Unclear(f"no row could be put there to be seen: {words}")
        last = outcomes[-1]
        tokens = {canary, *(t for w in ("A", "B") if w != who for t in scene.world.tokens[w])}
        if (last.scalar or "0") != "0" if real else last.shows(tokens):
            return Breach(
                f"the bare name {relation.quoted} finds {relation.qualified}, which holds rows "
                "of another tenant"
            )
        return None

    advice = "give a session without a tenant a search_path in which no tenant table is found"
    yield Attempt(
        at=relation.qualified,
        attacker=who,
        steps=steps,
        judge=judge,
        fix=advice
        if elsewhere
        else f"move {relation.qualified} out of every search_path, or revoke SELECT on it",
        repair=lambda: () if elsewhere else revoked(scene, ROWS, relation),
    )
