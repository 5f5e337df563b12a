"""PW233: a sequence that all tenants draw from counts what the others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Attempt, Breach, Step, Unclear, attack
from partywall.survey.surfaces import insertable, level, reachable, rightful, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.catalog.facts import Sequence as Counter
    from partywall.survey.attack import Judgement, Outcome, Scene
    from partywall.survey.world import Row


@attack("PW233", effect="detect")
def shared_sequence(scene: Scene) -> Iterator[Attempt]:
    """Draw a number, let B insert, draw again: the gap is what B did.

    An identity or serial column of a table that tenants share tells every tenant how much all
    others insert, whether or not the sequence itself may be read. The control draws twice with
    nobody in between.

    Source:
        https://www.postgresql.org/docs/current/functions-sequence.html
    """
    for sequence in scene.snapshot.sequences.values():
        for oid, name in sequence.users:
            relation = scene.snapshot.relations.get(oid)
            if relation is None or relation.qualified not in scene.model.owned:
                continue
            other = row(scene, relation, "B", spare=True)
            if other is not None and name in relation.by_name:
                yield from _attempt(scene, sequence, relation, name, other)


def _attempt(
    scene: Scene, sequence: Counter, relation: Relation, name: str, other: Row
) -> Iterator[Attempt]:
    column = relation.by_name[name].quoted
    held = scene.snapshot.sequence_grants[scene.identities["A"].role].get(sequence.oid, frozenset())
    own = row(scene, relation, "A", spare=True)
    draws = _draws(scene, relation, column, own, sequence, held)
    if draws is None or not reachable(scene, "B", relation, "INSERT"):
        return
    first, second = draws
    theirs = other.insert(omit={column, *insertable(scene, relation, "B", other)})

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        one, two, inserted, three = outcomes
        if not all(o.ok and o.scalar for o in (one, two, three)):
            return None
        if not inserted.ok:
            return Unclear(f"B could not insert with the default of {column}: {inserted.message}")
        before, between, after = (int(o.scalar or 0) for o in (one, two, three))
        if after - between != between - before:
            return Breach(f"{sequence.qualified} moves on when another tenant inserts")
        return None

    yield Attempt(
        at=sequence.qualified,
        attacker="A",
        steps=(Step("A", first), Step("A", second), Step("B", theirs), Step("A", second)),
        judge=judge,
        control=(Step("B", theirs),),
        controlled=rightful(scene, relation, "INSERT"),
        level=level(scene, relation),
        fix=f"give {relation.qualified} a uuid key, or a counter for each tenant, instead of "
        f"{sequence.qualified}",
    )


def _draws(
    scene: Scene,
    relation: Relation,
    column: str,
    own: Row | None,
    sequence: Counter,
    held: frozenset[str],
) -> tuple[str, str] | None:
    """Two statements that each show where the sequence stands; the same effect on it each time."""
    if "SELECT" in held:
        look = f"SELECT last_value + is_called::int FROM {sequence.qualified}"
        return look, look
    if "USAGE" in held or "UPDATE" in held:
        draw = f"SELECT nextval('{sequence.qualified}')"
        return draw, draw
    if own is None or not reachable(scene, "A", relation, "INSERT"):
        return None
    left_out = {column, *insertable(scene, relation, "A", own)}
    others = [
        c for c in relation.columns if c.quoted in own.written and c.quoted not in left_out
        and any(c.name in index.columns for index in relation.indexes if index.unique)
        and c.base in {"text", "varchar"}
    ]  # fmt: skip
    first = own.insert(omit=left_out) + f" RETURNING {column}"
    renamed = {c.quoted: f"{own.values[c.quoted]}2" for c in others}
    return first, own.insert(omit=left_out, changes=renamed) + f" RETURNING {column}"
