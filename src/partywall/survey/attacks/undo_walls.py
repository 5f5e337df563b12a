"""PW242: the application's role owns the wall, and takes it down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.capability import gentle, look, stolen, taking, victims
from partywall.survey.detect import known_tables
from partywall.survey.expressions import in_policy
from partywall.survey.mending.privileges import disowned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Function, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row


@attack("PW242", effect="escalate", level="sql")
def undo_walls(scene: Scene) -> Iterator[Attempt]:
    """Disable row security as the owner of a table, or replace a function that its policies call.

    FORCE ROW LEVEL SECURITY binds an owner's queries, not the owner: one injected ALTER TABLE
    ends it. Likewise the owner of a helper function may replace it by one that answers with
    another tenant. On a target in use the server is asked who owns the table instead, since
    ALTER TABLE would lock it.

    Affected:
        Applications that run their migrations and their requests by one login.

    Breaches:
        ALTER TABLE shop.invoices OWNER TO app;

    Holds:
        ALTER TABLE shop.invoices OWNER TO keeper;

    Fix:
        Let a role own tables, and the functions that policies call, that no application logs in
        as.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
        https://www.postgresql.org/docs/current/sql-createfunction.html
    """
    held = list(victims(scene))
    for relation, theirs in held:
        if relation.rls:
            yield from _disable(scene, relation, theirs)
    for function in _helpers(scene, [relation for relation, _ in held]):
        yield from _bend(scene, function, held)


def _disable(scene: Scene, relation: Relation, theirs: Row) -> Iterator[Attempt]:
    take = taking(scene, relation.owner)
    if take is None:
        return
    because = f"the role acts as {relation.owner}, who owns {relation.qualified}"
    ask = f"SELECT pg_has_role({sql.literal(relation.owner)}, 'USAGE')"
    undo = f"ALTER TABLE {relation.qualified} DISABLE ROW LEVEL SECURITY"
    asked = gentle(scene)
    steps = (
        (*take, Step("A", ask))
        if asked
        else (*take, Step("A", undo), look(scene, relation, theirs))
    )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if asked:
            owner = outcomes[-1].scalar == "t"
            return Breach(f"{because}: `{undo}` is its to run", "read") if owner else None
        if not outcomes[-2].ok:
            return None
        return stolen(scene, steps, outcomes, len(steps) - 1, because) or Breach(because)

    yield Attempt(
        at=relation.qualified,
        attacker="A",
        steps=steps,
        judge=judge,
        fix=f"let a role that no application logs in as own {relation.qualified}",
        repair=lambda: disowned(scene, relation),
    )


def _helpers(scene: Scene, tables: list[Relation]) -> Iterator[Function]:
    """Functions that policies of *tables* call, and that A's role owns."""
    known = known_tables(scene.snapshot)
    called = {
        name.rpartition(".")[2]
        for table in tables
        for policy in table.policies
        for text in filter(None, (policy.using, policy.check))
        for name in in_policy(text, table.qualified, known).calls
    }
    for function in scene.snapshot.functions.values():
        if function.name in called and function.extension is None:
            yield function


def _bend(
    scene: Scene, function: Function, held: Sequence[tuple[Relation, Row]]
) -> Iterator[Attempt]:
    """Replace a helper by one that has B's value where it asks for the setting."""
    take = taking(scene, function.owner)
    creators = scene.snapshot.schemas[function.schema].create
    if take is None or scene.identities["A"].role not in creators:
        return
    source = function.source
    for name, value in scene.identities["B"].settings:
        asks = rf"(pg_catalog\.)?current_setting\s*\(\s*'{re.escape(name)}'[^)]*\)"
        source = re.sub(asks, (sql.literal(value) + "::text").replace("\\", r"\\"), source)
    if source == function.source or "$partywall$" in source:
        return
    arguments = ", ".join(f"{name} {kind}" for name, kind in function.arguments)
    bend = (
        f"CREATE OR REPLACE FUNCTION {function.qualified}({arguments}) RETURNS {function.returns} "
        f"LANGUAGE {function.language} {function.volatility}"
        f"{' SECURITY DEFINER' if function.definer else ''} AS $partywall${source}$partywall$"
    )
    looks = [look(scene, relation, theirs) for relation, theirs in held]
    steps = (*take, Step("A", bend), *looks)
    because = f"the role acts as {function.owner}, who owns {function.signature}"

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        return stolen(scene, steps, outcomes, len(take) + 1, because)

    yield Attempt(
        at=function.signature,
        attacker="A",
        steps=steps,
        judge=judge,
        fix=f"let a role that no application logs in as own {function.signature}",
        repair=lambda: disowned(scene, function),
    )
