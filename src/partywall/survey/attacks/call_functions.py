"""PW211: another tenant's rows come back from a function, or are changed by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.arguments import callable_by, calls, enters
from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.bodies import of_function
from partywall.survey.engine import CLOSED
from partywall.survey.mending.functions import acting_as_invoker
from partywall.survey.surfaces import attackers, level, marks, reachable, row, victims
from partywall.survey.watching import state, watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Function, Relation
    from partywall.survey.arguments import Call
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.bodies import Reach
    from partywall.survey.identity import Who

SWITCHES = re.compile(r"\bset_config\b|\bset\s+(local|session|role|search_path)\b")
LOOKS = 3
BUILT = frozenset({"aggregate", "window"})
"""Kinds whose body is other functions, which the catalog's facts don't tell."""
KINDS = BUILT | {"function", "procedure"}


@attack("PW211", effect="read")
def call_functions(scene: Scene) -> Iterator[Attempt]:
    """Call every function, procedure and aggregate that the login may execute, with B's values.

    A function that trusts a tenant, a key or a piece of SQL from its caller, or that runs with
    its owner's rights and filters nothing, hands out or changes another tenant's rows, whatever
    the policies of the tables say. One that switches the tenant is followed by a look at tables.

    Affected:
        Applications that call functions, and all whose functions are SECURITY DEFINER.

    Breaches:
        CREATE FUNCTION shop.invoice(p_id int) RETURNS SETOF shop.invoices LANGUAGE sql STABLE
          SECURITY DEFINER SET search_path = pg_catalog, pg_temp
          AS 'SELECT * FROM shop.invoices WHERE id = p_id';

    Holds:
        CREATE FUNCTION shop.invoice(p_id int) RETURNS SETOF shop.invoices LANGUAGE sql STABLE
          AS 'SELECT * FROM shop.invoices WHERE id = p_id';

    Fix:
        Make the function SECURITY INVOKER; where it needs its owner's rights, compare the tenant
        with the context inside of it, and trust no argument.

    Source:
        https://www.postgresql.org/docs/current/sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY
    """
    for function in scene.snapshot.functions.values():
        reach = of_function(scene.snapshot, function)
        for who in attackers(scene):
            if callable_by(scene, who, function, KINDS) and not enters(scene, function):
                yield from _attempts(scene, function, reach, who)


def _attempts(scene: Scene, function: Function, reach: Reach, who: Who) -> Iterator[Attempt]:
    if reach.harmful:
        yield _left_alone(function, who)
        return
    tried = calls(scene, function)
    tables = watched(scene, reach) if reach.writes and function.volatility == "volatile" else []
    if not tables:
        yield _reading(scene, function, reach, who, tried)
        return
    for call in tried:
        yield _writing(scene, function, reach, who, call, tables)


def _reading(
    scene: Scene, function: Function, reach: Reach, who: Who, tried: Sequence[Call]
) -> Attempt:
    looks = _looks(scene, reach, who)
    steps = [Step(who, query) for call in tried for query in (call.sql, *looks)]
    tokens = _tokens(scene, reach, who)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        for number, outcome in enumerate(outcomes):
            call = tried[number // (1 + len(looks))]
            if outcome.shows(token for token in tokens if not call.echoes(token)):
                first = number - number % (1 + len(looks))
                why = "switched to another tenant" if number != first else "came back"
                said = f"another tenant's rows came back from {function.qualified}"
                if number != first:
                    said = f"after {function.qualified} had {why}, its rows could be read"
                return Breach(said, shown=(first, number))
        return None

    return Attempt(
        at=function.signature,
        attacker=who,
        steps=tuple(steps),
        judge=judge,
        control=_control(scene, function, reach, tried),
        controlled=_accepted,
        level=level(scene, function, who),
        fix=_fix(function),
        repair=lambda: acting_as_invoker(scene, function),
    )


def _writing(
    scene: Scene,
    function: Function,
    reach: Reach,
    who: Who,
    call: Call,
    tables: Sequence[Relation],
) -> Attempt:
    tokens = _tokens(scene, reach, who)
    look = Step("admin", state(scene, tables), quiet=True)

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        before, done, after = outcomes
        if done.shows(token for token in tokens if not call.echoes(token)):
            return Breach(f"another tenant's rows came back from {function.qualified}")
        if not (before.ok and after.ok):
            return None
        for (table, was, count), (_, now, counted) in zip(before.rows, after.rows, strict=True):
            if was and not now:
                return Breach(
                    f"{function.qualified} removed another tenant's row of {table}", "destroy"
                )
            if was != now:
                return Breach(
                    f"{function.qualified} changed another tenant's row of {table}", "write"
                )
            if count != counted:
                said = f"{function.qualified} wrote rows for another tenant into {table}"
                return Breach(said, "write" if int(counted or 0) > int(count or 0) else "destroy")
        return None

    return Attempt(
        at=function.signature,
        attacker=who,
        steps=(look, Step(who, call.sql), look),
        judge=judge,
        control=_control(scene, function, reach, calls(scene, function)),
        controlled=_accepted,
        level=level(scene, function, who),
        fix=_fix(function),
        repair=lambda: acting_as_invoker(scene, function),
    )


def _left_alone(function: Function, who: Who) -> Attempt:
    return Attempt(
        at=function.signature,
        attacker=who,
        steps=(Step("admin", "SELECT", quiet=True),),
        judge=lambda _: Unclear("it was not called: what its body does, no rollback would undo"),
    )


def _tokens(scene: Scene, reach: Reach, who: Who) -> frozenset[str]:
    """What betrays the victims' rows, but for rows of tables with a public part."""
    others = victims(scene, who)
    open_to_all = {r.qualified for r in reach.relations if r.qualified in scene.public}
    if not open_to_all:
        return marks(scene, *others)
    return frozenset(
        token
        for (table, owner), held in scene.world.planted.items()
        if owner in others and table not in open_to_all
        for token in held.tokens
    )


def _looks(scene: Scene, reach: Reach, who: Who) -> list[str]:
    """Queries that show whose session it is, for code that may have changed that."""
    if not SWITCHES.search(reach.code):
        return []
    readable = [
        relation
        for relation in scene.snapshot.tables
        if relation.qualified in scene.model.owned
        and relation.qualified not in scene.public
        and reachable(scene, who, relation, "SELECT")
        and row(scene, relation, "B")
    ]
    found = []
    for relation in readable[:LOOKS]:
        columns = [c.quoted for c in scene.grants(who).columns_for("SELECT", relation)]
        held = row(scene, relation, "B")
        where = held.where if held and scene.place == "target" else ""
        found.append(sql.select(relation.qualified, columns, where))
    return found


def _control(
    scene: Scene, function: Function, reach: Reach, tried: Sequence[Call]
) -> tuple[Step, ...]:
    """The same calls by B; code that reaches no tenant's table has nothing to prove."""
    owned = any(relation.qualified in scene.model.owned for relation in reach.relations)
    proof = owned or function.kind in BUILT
    return tuple(Step("B", call.sql) for call in tried) if proof else ()


def _accepted(outcomes: Sequence[Outcome]) -> str:
    """Why the calls of the rightful tenant prove nothing: none of them went through."""
    if any(outcome.ok for outcome in outcomes):
        return ""
    if all(outcome.denied for outcome in outcomes):
        return CLOSED
    last = outcomes[0]
    return f"no arguments were found that it accepts: {last.message} ({last.sqlstate})"


def _fix(function: Function) -> str:
    if function.definer:
        return (
            f"compare the tenant with the context inside {function.signature}, "
            "or make it SECURITY INVOKER"
        )
    return f"let {function.signature} trust nothing that its caller says about the tenant"
