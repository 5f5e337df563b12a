"""PW234: a shared sequence set back, or to its end, makes another tenant's inserts fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.attack import Attempt, Breach, Step, attack
from partywall.survey.mending.privileges import unset
from partywall.survey.sql import literal
from partywall.survey.surfaces import insertable, level, reachable, rightful, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.catalog.facts import Sequence as Counter
    from partywall.survey.attack import Judgement, Outcome, Scene

SAFE_AGAIN = 1_000_000
REFUSALS = {"23505", "2200H"}


@attack("PW234", effect="disrupt")
def set_sequence(scene: Scene) -> Iterator[Attempt]:
    """Set a sequence to its last number, then let B insert.

    UPDATE on a sequence (part of GRANT ALL ON ALL SEQUENCES) allows `setval`: every tenant's
    next insert then fails. `setval` is not undone by a rollback, so on a target in use the
    server is only asked for the privilege.

    Affected:
        Databases where GRANT ALL was said of sequences.

    Breaches:
        CREATE SEQUENCE shop.numbers;
        ALTER TABLE shop.invoices ALTER id SET DEFAULT nextval('shop.numbers');
        GRANT USAGE, UPDATE ON SEQUENCE shop.numbers TO app;

    Holds:
        CREATE SEQUENCE shop.numbers;
        ALTER TABLE shop.invoices ALTER id SET DEFAULT nextval('shop.numbers');
        GRANT USAGE ON SEQUENCE shop.numbers TO app;

    Fix:
        Grant USAGE on sequences, not UPDATE and not ALL.

    Source:
        https://www.postgresql.org/docs/current/functions-sequence.html
    """
    role = scene.identities["A"].role
    for sequence in scene.snapshot.sequences.values():
        held = scene.snapshot.sequence_grants[role].get(sequence.oid, frozenset())
        for oid, name in sequence.users:
            relation = scene.snapshot.relations.get(oid)
            owned = relation is not None and relation.qualified in scene.model.owned
            if relation is None or not owned or "UPDATE" not in held:
                continue
            if reachable(scene, "B", relation, "INSERT") and row(scene, relation, "B", spare=True):
                yield _attempt(scene, sequence, relation, relation.by_name[name].quoted)


def _attempt(scene: Scene, sequence: Counter, relation: Relation, column: str) -> Attempt:
    other = row(scene, relation, "B", spare=True)
    assert other is not None  # noqa: S101 - the planner has looked
    asked = scene.place == "target"
    name = literal(sequence.qualified)
    last = f"(SELECT seqmax FROM pg_sequence WHERE seqrelid = {name}::regclass)"
    theirs = other.insert(omit={column, *insertable(scene, relation, "B", other)})
    question = Step("A", f"SELECT has_sequence_privilege({name}, 'UPDATE')")
    steps = (
        Step("A", f"SELECT setval({name}, {last})"),
        Step("B", theirs),
        Step("admin", f"SELECT setval({name}, {SAFE_AGAIN})", quiet=True),
    )

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        if asked and outcomes[0].scalar == "t":
            return Breach(f"the role may set {sequence.qualified}: others' inserts would then fail")
        if not asked and outcomes[0].ok and outcomes[1].sqlstate in REFUSALS:
            return Breach(f"after setting {sequence.qualified} another tenant's insert failed")
        return None

    return Attempt(
        at=sequence.qualified,
        attacker="A",
        steps=(question,) if asked else steps,
        judge=judge,
        control=() if asked else (Step("B", theirs),),
        controlled=rightful(scene, relation, "INSERT"),
        level=level(scene, relation),
        repair=lambda: unset(scene, sequence),
    )
