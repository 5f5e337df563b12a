"""Attack the queries of a GraphQL schema: by id, aliased, in a batch, through edges, in lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type

from partywall.survey.http.attacks.graphql_object import graphql_object
from partywall.survey.http.gql.bending import SPELLINGS, Bent, Way, part_of, spelled_as
from partywall.survey.http.gql.endpoint import said, told
from partywall.survey.http.gql.judging import breach, leaked, public
from partywall.survey.http.gql.schema import ANY
from partywall.survey.http.rendering import nobodys
from partywall.survey.http.retelling import retold
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.survey.http.gql.documents import Ids
    from partywall.survey.http.gql.ground import Ground
    from partywall.survey.http.gql.schema import Call
    from partywall.survey.http.resources import Exchange

KINDS = 6
"""So many kinds are tried where any is taken."""


async def read(ground: Ground, attacker: str, victim: str) -> None:
    """All queries in one direction, then the edges of what they lead to."""
    for call in ground.schema.queries:
        for kind in _kinds(ground, call):
            await _read(ground, Way(call, kind=kind), attacker, victim)
    for call in ground.schema.queries:
        for edge in _edges(ground, call):
            await _read(ground, Way(edge, call), attacker, victim)


def _kinds(ground: Ground, call: Call) -> list[str]:
    """The kinds to ask for, where a query takes the id of any; [""] where it takes one kind's."""
    type_ = get_named_type(call.field.type)
    every = call.required and all(one.kind == ANY for one in call.required)
    if not every or not isinstance(type_, GraphQLInterfaceType):
        return [""]
    possible = ground.schema.built.get_possible_types(type_)
    return [one.name for one in possible if one.name in ground.schema.kinds][:KINDS]


def _edges(ground: Ground, call: Call) -> Iterator[Call]:
    """Fields that take ids, of one object that a query is known to lead to."""
    type_ = get_named_type(call.field.type)
    one = isinstance(type_, GraphQLObjectType) and "[" not in str(call.field.type)
    reached = not call.required or call.name in ground.shows.get(type_.name, {})
    if one and reached and isinstance(type_, GraphQLObjectType):
        yield from (edge for edge in ground.schema.calls("query", type_) if edge.places)


async def _read(ground: Ground, way: Way, attacker: str, victim: str) -> None:
    """One way in one direction, after its control."""
    if (way.name, "read") in ground.endpoint.proven:
        return
    engine, operation = ground.engine, ground.endpoint.operation
    got = await _controlled(ground, way, victim)
    if isinstance(got, str):
        if not way.kind:  # of several kinds, those that can't be had say nothing of the others
            engine.open(operation, attacker, victim, f"{way.name}: {got}")
        return
    bent_ids, spelled, control = got
    engine.controls["proved"] += 1
    asked = control.request.text
    material = engine.world.ledger.leaked(victim, "", asked, control.answer.all)
    if material:
        _note(ground, way, victim, spelled)
    own = await ground.ids(attacker, way.call.required, way.kind)
    mine = {} if isinstance(own, str) else own[0]
    tried: list[tuple[str, Exchange]] = []
    async for mode, done in Bent(ground, way, attacker, victim, bent_ids, mine, spelled).attempts():
        found = leaked(ground, attacker, victim, done)
        if found and not await public(ground, way.name, victim, done, found):
            because = f"{attacker} was shown {found[0]}, which only {victim} has"
            steps = [engine.step(one, found[0]) for one in (control, done)]
            direction = attacker, victim
            recipe = await retold(engine.world, [done], control=control, absent=found[0])
            proof = because, steps, recipe
            breach(ground, direction, graphql_object, way.name, mode, "read", proof)
            return
        tried.append((mode, done))
    if not material and bent_ids and tried:
        await _suspected(ground, way, attacker, (control, tried[0][1]), bent_ids)
    for mode, _ in tried:
        engine.record(operation, attacker, victim, graphql_object, f"{way.name}: {mode}", "held")


def _note(ground: Ground, way: Way, victim: str, spelled: str) -> None:
    """Remember what shows its owner's own: it is looked at before and after mutations."""
    call = way.call
    if not way.through and not call.required:
        ground.lists.setdefault(victim, {})[call.name] = call
    elif not way.through and len(call.required) == 1:
        kind = way.kind or call.required[0].kind
        ground.shows.setdefault(kind, {})[call.name] = call, spelled


async def _controlled(ground: Ground, way: Way, victim: str) -> tuple[Ids, str, Exchange] | str:
    """The owner's own, in the spelling of ids that the server takes; else why there is none."""
    got = await ground.ids(victim, way.call.required, way.kind)
    if isinstance(got, str):
        return got
    refused = ""
    for spelled in SPELLINGS if got[0] else SPELLINGS[:1]:
        ids = spelled_as(way, got[0], spelled)
        part = None if ids is None else await part_of(ground, way, victim, ids)
        if part is None:
            continue
        done = await ground.asked(victim, [part], learn=True)
        if told(done, *way.aliases) is not None:
            return got[0], spelled, done
        refused = refused or f"as {victim}: {said(done)}"
    return refused or f"{victim} has nothing to reach it through"


async def _suspected(
    ground: Ground, way: Way, attacker: str, shown: tuple[Exchange, Exchange], theirs: Ids
) -> None:
    """Nothing could be recognised: B is answered as A is, and otherwise for nobody's id."""
    control, seen = (told(one, *way.aliases) for one in shown)
    if seen is None or seen != control:
        return
    ledger = ground.engine.world.ledger
    none = {path: nobodys(value, ledger) for path, value in theirs.items()}
    part = await part_of(ground, way, attacker, none)
    if part is None or told(await ground.asked(attacker, [part]), *way.aliases) == seen:
        return
    because = (
        f"{way.name}: {attacker} is answered as the owner is, and otherwise for an id that nobody "
        "has; nothing in the answer tells whose it is"
    )
    attack, at = graphql_object, ground.endpoint.operation.at
    ground.engine.undecided.append(Undecided(attack.code, attack.name, "read", at, because))
