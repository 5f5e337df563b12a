"""PW218: a plan that was made for one tenant answers another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.arguments import callable_by, calls
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.bodies import of_function, of_text, words
from partywall.survey.engine import CLOSED
from partywall.survey.mending.functions import altered
from partywall.survey.surfaces import level, reachable, relations, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Function, Relation
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.identity import Who

ASKS = re.compile(r"\b(current_setting|current_user|session_user|current_role|current_schemas?)\b")
PLAN = "partywall_plan"
FORGET = f"DEALLOCATE {PLAN}"
RUNS = 6
"""So often PL/pgSQL and EXECUTE plan anew for their arguments before they keep one plan."""


@attack("PW218", effect="read")
def stale_plans(scene: Scene) -> Iterator[Attempt]:
    """Let A run, on a pooled session, a statement that B had prepared there.

    A function marked IMMUTABLE that reads the context is evaluated once, when the plan is made:
    the plan then holds B's tenant as a constant, and hands B's rows to whoever comes next. The
    same holds for the plans that PL/pgSQL functions keep for the session.

    Affected:
        Pooled sessions with prepared statements, where policies ask a helper for the tenant.

    Breaches:
        CREATE FUNCTION shop.me() RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
          AS $$ SELECT current_setting('app.tenant', true) $$;
        ALTER POLICY own ON shop.invoices USING (tenant = shop.me());

    Holds:
        CREATE FUNCTION shop.me() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog
          AS $$ SELECT current_setting('app.tenant', true) $$;
        ALTER POLICY own ON shop.invoices USING (tenant = shop.me());

    Fix:
        Declare a function that reads a setting or the current role STABLE.

    Source:
        https://www.postgresql.org/docs/current/xfunc-volatility.html
    """
    folded = {f.name: f for f in _folded(scene)}
    if not folded:
        return
    for relation in relations(scene):
        held = row(scene, relation, "B")
        if held is None or not all(reachable(scene, w, relation, "SELECT") for w in ("A", "B")):
            continue
        if (fold := _named(scene, relation, folded)) and relation.qualified not in scene.public:
            where = held.where if scene.place == "target" and relation.stores_rows else ""
            columns = [c.quoted for c in scene.grants("A").columns_for("SELECT", relation)]
            yield _prepared(scene, relation, sql.select(relation.qualified, columns, where), fold)
    for function in scene.snapshot.functions.values():
        both = all(callable_by(scene, who, function) for who in ("A", "B"))
        kept = function.language == "plpgsql" and function.kind == "function"
        if both and kept and (fold := _called(scene, function, folded)):
            yield _kept(scene, function, fold)


def _folded(scene: Scene) -> Iterator[Function]:
    """Functions that read the context, and say that their result never changes."""
    for function in scene.snapshot.functions.values():
        fixed = function.extension is None and function.volatility == "immutable"
        if fixed and ASKS.search(of_function(scene.snapshot, function).code):
            yield function


def _named(scene: Scene, relation: Relation, folded: dict[str, Function]) -> Function | None:
    """The folded function on which the rows that *relation* shows depend, through views too."""
    below = of_text(scene.snapshot, relation.definition or relation.qualified)
    texts = [below.code]
    for table in (relation, *below.relations):
        texts += [policy.using or "" for policy in table.policies]
    return _first(texts, folded)


def _called(scene: Scene, function: Function, folded: dict[str, Function]) -> Function | None:
    reach = of_function(scene.snapshot, function)
    if reach.writes or reach.harmful or not reach.relations:
        return None
    texts = [reach.code, *(p.using or "" for t in reach.relations for p in t.policies)]
    return _first(texts, folded)


def _first(texts: Sequence[str], folded: dict[str, Function]) -> Function | None:
    named = {word for text in texts for word in words(text)}
    return next((folded[name] for name in sorted(folded) if name in named), None)


def _prepared(scene: Scene, relation: Relation, query: str, fold: Function) -> Attempt:
    def steps(*users: Who) -> tuple[Step, ...]:
        prepare = Step("B", f"PREPARE {PLAN} AS {query}")
        runs = [Step(who, f"EXECUTE {PLAN}") for who in users]
        return (prepare, *runs, Step("admin", FORGET, quiet=True))

    return _attempt(
        scene, relation, fold, relation.qualified, steps("B", "A"), steps("B"), (0, 1, 2)
    )


def _kept(scene: Scene, function: Function, fold: Function) -> Attempt:
    query = calls(scene, function)[0].sql
    first = [Step("B", query, quiet=number > 0) for number in range(RUNS)]
    steps = (*first, Step("A", query), Step("admin", "DISCARD PLANS", quiet=True))
    return _attempt(scene, function, fold, function.signature, steps, tuple(first), (0, RUNS))


def _attempt(
    scene: Scene,
    surface: Relation | Function,
    fold: Function,
    at: str,
    steps: tuple[Step, ...],
    control: tuple[Step, ...],
    shown: tuple[int, ...],
) -> Attempt:
    tokens = scene.world.tokens["B"]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        asked = steps[-2].sql
        if outcomes[-2].shows(token for token in tokens if token not in asked):
            return Breach(
                f"the plan made for another tenant answered with its rows of {at}", shown=shown
            )
        return None

    return Attempt(
        at=at,
        attacker="A",
        steps=steps,
        judge=judge,
        control=control,
        controlled=lambda outcomes: "" if any(o.shows(tokens) for o in outcomes) else CLOSED,
        level=level(scene, surface),
        repair=lambda: (altered(fold, "STABLE"),),
    )
