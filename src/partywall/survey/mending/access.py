"""What tenants may do with their own rows: it must be the same after a repair as before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey import sql
from partywall.survey.attack import Attack, Attempt, Step, Unclear
from partywall.survey.bodies import of_function
from partywall.survey.capability import call
from partywall.survey.mending.context import TENANTS
from partywall.survey.mending.privileges import granted
from partywall.survey.surfaces import (
    insertable,
    newcomer,
    plain_column,
    prey,
    reachable,
    readable_columns,
    relations,
    row,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from partywall.catalog.facts import Relation
    from partywall.survey.attack import Judge, Judgement, Outcome, Scene
    from partywall.survey.engine import Judged
    from partywall.survey.identity import Who

WAYS = {"SELECT": "read", "INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """That a tenant can read, insert, update, delete or call what is its own."""

    at: str
    way: str
    tenant: str


def own_access(scene: Scene) -> Iterator[Attempt]:
    """Let each tenant do with its own rows, and functions, what its role was granted.

    What a superuser, or a member of a built-in role that reads or writes everything, does without
    a grant is no access of its own: to take that away is the repair.
    """
    for who in TENANTS:
        for relation in relations(scene):
            mine = relation.qualified in scene.model.owned or not relation.stores_rows
            if mine and granted(scene, relation, who):
                yield from _rows(scene, relation, who)
        yield from _calls(scene, who)


USE = Attack("PW000", "own-access", "read", "query", own_access.__doc__ or "", own_access)
"""No attack: it takes the same way, and its verdicts are `Access` that is there or not."""


def had(judged: Iterable[Judged]) -> frozenset[Access]:
    """What the tenants could do, of all that `own_access` tried."""
    return frozenset(
        Access(one.attempt.at, one.attempt.reach, one.attempt.attacker)
        for one in judged
        if one.attack is USE and one.state == "held"
    )


def _rows(scene: Scene, relation: Relation, who: Who) -> Iterator[Attempt]:
    own = row(scene, relation, who)
    if own is None:
        return
    if reachable(scene, who, relation, "SELECT"):
        columns = readable_columns(scene, who, relation)
        select = sql.select(relation.qualified, columns)
        yield _attempt(relation.qualified, who, "SELECT", (), select, _sees(scene, who))
    fresh = newcomer(scene, relation, who)
    if fresh and reachable(scene, who, relation, "INSERT"):
        held, away = fresh
        into = "" if relation.stores_rows else relation.qualified
        insert = held.insert(into=into, omit=insertable(scene, relation, who, held))
        yield _attempt(relation.qualified, who, "INSERT", away, insert, _touches)
    changed = plain_column(scene, relation, who)
    if changed and reachable(scene, who, relation, "UPDATE"):
        same = {changed.quoted: own.values.get(changed.quoted)}
        update = sql.update(relation.qualified, same, own.where)
        yield _attempt(relation.qualified, who, "UPDATE", (), update, _touches)
    victim = prey(scene, relation, who)
    if victim and reachable(scene, who, relation, "DELETE"):
        held, there = victim
        delete = sql.delete(relation.qualified, held.where)
        yield _attempt(relation.qualified, who, "DELETE", there, delete, _touches)


def _calls(scene: Scene, who: Who) -> Iterator[Attempt]:
    role = scene.identities[who].role
    others = {schema for tenant, schema in scene.model.schemas.items() if tenant != who}
    for function in scene.snapshot.functions.values():
        callable_ = function.oid in scene.snapshot.executable[role] and function.extension is None
        if function.schema in others or function.is_trigger or not callable_:
            continue
        if function.kind not in {"function", "procedure"}:
            continue
        if role in scene.snapshot.schemas[function.schema].usage and not (
            of_function(scene.snapshot, function).harmful
        ):
            yield _attempt(
                function.signature, who, "call", (), call(scene, function, who), _sees(scene, who)
            )


def _attempt(
    at: str, who: Who, way: str, before: tuple[Step, ...], statement: str, judge: Judge
) -> Attempt:
    return Attempt(
        at=at, attacker=who, steps=(*before, Step(who, statement)), judge=judge,
        reach=WAYS.get(way, way),
    )  # fmt: skip


def _sees(scene: Scene, who: Who) -> Judge:
    tokens = scene.world.tokens[who]

    def judge(outcomes: Sequence[Outcome]) -> Judgement:
        return None if outcomes[-1].ok and outcomes[-1].shows(tokens) else Unclear("nothing came")

    return judge


def _touches(outcomes: Sequence[Outcome]) -> Judgement:
    last = outcomes[-1]
    return None if last.ok and last.count > 0 else Unclear(last.message or "no row was reached")
