"""PW212: an answer that changes when another tenant's data changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.catalog.facts import Relation
from partywall.survey import sql
from partywall.survey.arguments import callable_by, calls
from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.bodies import of_function, of_text
from partywall.survey.engine import CLOSED
from partywall.survey.surfaces import level, reachable, relations, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Function
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.bodies import Reach
    from partywall.survey.identity import Who

BEFORE, BACK = "SAVEPOINT partywall_before", "ROLLBACK TO SAVEPOINT partywall_before"
TABLES = 8


@attack("PW212", effect="detect")
def count_differences(scene: Scene) -> Iterator[Attempt]:
    """Ask the same as A before and after a row of B appears: the answers must be equal.

    Functions with their owner's rights, views and materialized views that count, add up or look
    for rows of all tenants betray how much others have, and whether a known value exists. The
    question is asked twice before, and again when B's row is gone: an answer that changes by
    itself proves nothing. Ids that nobody can guess are not asked for.

    Affected:
        Functions and views that count, add up, or say whether something is there, with their
        owner's rights.

    Breaches:
        CREATE FUNCTION shop.how_many() RETURNS bigint LANGUAGE sql STABLE
          SECURITY DEFINER SET search_path = pg_catalog, pg_temp
          AS 'SELECT count(*) FROM shop.invoices';

    Holds:
        CREATE FUNCTION shop.how_many() RETURNS bigint LANGUAGE sql STABLE
          AS 'SELECT count(*) FROM shop.invoices';

    Fix:
        Count and look with the caller's rights, or only among the rows of the context's tenant.

    Source:
        https://www.postgresql.org/docs/current/ddl-rowsecurity.html
    """
    for relation in relations(scene):
        if _readable(scene, relation) and reachable(scene, "A", relation, "SELECT"):
            reach = of_text(scene.snapshot, relation.definition or "")
            fresh = _refresh(relation)
            if news := _news(scene, reach):
                yield _attempt(scene, relation, [_digest(scene, relation)], [*news, *fresh], fresh)
    for function in scene.snapshot.functions.values():
        reach = of_function(scene.snapshot, function)
        writes = reach.writes and function.volatility == "volatile"
        harmless = function.kind == "function" and not writes and not reach.harmful
        if harmless and callable_by(scene, "A", function) and (news := _news(scene, reach)):
            asked = [call.sql for call in calls(scene, function, guessable=True)]
            yield _attempt(scene, function, asked, news)


def _attempt(
    scene: Scene,
    surface: Relation | Function,
    asked: Sequence[str],
    news: Sequence[str],
    fresh: Sequence[str] = (),
) -> Attempt:
    name = surface.qualified
    second = len(fresh) + len(asked)
    third = second + len(asked) + 1 + len(news)
    places = (len(fresh), second, third, third + len(asked) + 1)
    known = scene.world.tokens["B"]
    said = [frozenset(token for token in known if token in query) for query in asked]

    def differs(outcomes: Sequence[Outcome], number: int) -> bool:
        """Whether an answer changed with B's row, and came back when that was gone."""
        one, two, changed, restored = (_said(outcomes[place + number]) for place in places)
        return one == two == restored != changed

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        for number in range(len(asked)):
            if differs(outcomes, number):
                changes = range(third - len(news), third)
                shows = outcomes[third + number].shows(known - said[number])
                return Breach(
                    f"what {name} answers depends on rows of another tenant",
                    "read" if shows else None,
                    shown=(second + number, *changes, third + number),
                )
        return None

    def controlled(outcomes: Sequence[Outcome]) -> str:
        return "" if any(differs(outcomes, number) for number in range(len(asked))) else CLOSED

    def steps(who: Who) -> tuple[Step, ...]:
        questions = [Step(who, query) for query in asked]
        changes = [Step("admin", change) for change in news]
        first = [Step("admin", query, quiet=True) for query in fresh]
        before, back = Step("admin", BEFORE, quiet=True), Step("admin", BACK, quiet=True)
        rounds = (*questions, *questions, before, *changes, *questions, back, *questions)
        return (*first, *rounds)

    return Attempt(
        at=name if isinstance(surface, Relation) else surface.signature,
        attacker="A",
        steps=steps("A"),
        judge=judge,
        control=steps("B"),
        controlled=controlled,
        level=level(scene, surface),
        fix=f"count and look only among the rows of the context's tenant in {name}",
    )


def _said(outcome: Outcome) -> tuple[object, ...]:
    return outcome.rows, outcome.sqlstate, outcome.message, outcome.told


def _news(scene: Scene, reach: Reach) -> list[str]:
    """Statements that make one more row of B in each table that the code reaches."""
    found = []
    for table in reach.relations:
        held = row(scene, table, "B", spare=True) if table.stores_rows else None
        if held is not None and table.qualified in scene.model.owned:
            hidden = table.qualified not in scene.public
            found += [held.insert()] if hidden else []
    return found[:TABLES]


def _readable(scene: Scene, relation: Relation) -> bool:
    """Whether its contents can be asked for at all: refreshing takes a strong lock."""
    strong = scene.place == "copy" or scene.destructive
    return relation.kind == "view" or (relation.kind == "matview" and strong)


def _refresh(relation: Relation) -> list[str]:
    matview = relation.kind == "matview"
    return [f"REFRESH MATERIALIZED VIEW {relation.qualified}"] if matview else []


def _digest(scene: Scene, relation: Relation) -> str:
    """A query for a fingerprint of all that A reads from it."""
    columns = [c.quoted for c in scene.grants("A").columns_for("SELECT", relation)]
    inner = sql.select(relation.qualified, columns)
    return f"SELECT count(*), sum(hashtext(seen::text)::bigint) FROM ({inner}) AS seen"
