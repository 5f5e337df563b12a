"""Everything that a run made is noted, and removed in the end."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from partywall.survey.http.rendering import references, render
from partywall.survey.http.resources import GONE, Exchange, Resource, candidates, outermost, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from partywall.survey.http.graph import Slot
    from partywall.survey.http.kinds import Kind
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.wire import Answer, Request
    from partywall.survey.http.world import World


def made_by(
    world: World, operation: Operation, owner: str, done: Exchange, bound: Mapping[Slot, Any]
) -> None:
    """Note what an accepted request seems to have made, so that it is removed in the end."""
    above = {slot.kind: value for slot, value in bound.items() if slot.place == "path"}
    for kind in world.graph.kinds.values():
        if operation in kind.makers[:2] and kind.name not in above:
            value = next(iter(candidates(kind, done.answer.json)), None)
            known = {(one.kind, str(one.id)) for one in world.made}
            if value is not None and (kind.name, str(value)) not in known:
                chain = {**above, kind.name: value}
                one = Resource(
                    kind.name, owner, value, chain, outermost(done.answer.json),
                    done.canaries, done,
                )  # fmt: skip
                world.made.append(one)
                world.journal.made(one)
                world.remembers(one)
                world.ledger.owns(owner, value)


async def removals(world: World, one: Resource) -> AsyncIterator[Request]:
    """The requests by which its owner may remove it, the likeliest first."""
    kind = world.graph.kinds.get(one.kind)
    for remover in kind.removers if kind else ():
        if world.left_out(remover):
            continue
        bound = await world.bound_by(one, remover)
        if bound is not None:
            body = world.composer.compose(remover, one.owner, references(bound))
            yield render(world.api, remover, bound, body, world.ledger, one.owner)


async def removed(world: World, one: Resource) -> str:
    """Let its owner remove it; say why it stays, "" where it is gone."""
    said = "no operation removes one"
    async for request in removals(world, one):
        answer = (await world.ask(world.actors[one.owner], request)).answer
        if answer.accepted or answer.status in GONE:
            world.journal.gone(one)
            return ""
        said = answer.words
    return said


async def emptied(world: World) -> list[str]:
    """Remove all that the run made, also what nobody noted; say what stays."""
    for done in world.orphans:
        _adopted(world, done)
    await cleared(world)
    for owner in world.tenants:
        for kind in world.graph.kinds.values():
            for lister in kind.listers[:1]:
                answer = await world.listing(owner, lister, {})
                await _swept(world, owner, kind, answer)
    counted: Counter[str] = Counter()
    for one in reversed(world.stayed.values()):  # what needed it may be gone by now
        if said := await removed(world, one):
            counted[f"{one.kind} of {one.owner} ({said})"] += 1
    return [
        f"could not be removed: {number} × {said}"
        if number > 1
        else f"could not be removed: {said}"
        for said, number in counted.items()
    ]


def _adopted(world: World, done: Exchange) -> None:
    """Note what a request made whose answer nobody waited for."""
    for operation in world.api.operations:
        path = re.escape(operation.prefix + operation.path)
        pattern = re.sub(r"\\{[^{}]+\\}", "([^/]+)", path)
        found = re.fullmatch(pattern, done.request.path)
        if operation.method == done.request.method and found and done.answer.ok:
            slots = [s for s in world.graph.slots[operation.at] if s.place == "path"]
            made_by(
                world,
                operation,
                done.actor.name,
                done,
                dict(zip(slots, found.groups(), strict=False)),
            )


async def _swept(world: World, owner: str, kind: Kind, answer: Answer | None) -> None:
    """Remove what a list still shows of this run's."""
    for value, each in rows(kind, answer.json) if answer is not None and answer.ok else ():
        if f"pw{world.ledger.run}" in json.dumps(each).lower():
            one = Resource(kind.name, owner, value, {kind.name: value})
            if str(value) not in world.stayed and await removed(world, one):
                world.stayed[str(value)] = one


async def cleared(world: World, since: int = 0, *, keep: bool = False) -> None:
    """Remove what was made, the last first; what stays is noted.

    Args:
        world: whose it is.
        since: what was made before stays, by its number.
        keep: whether the bases stay.
    """
    bases = {id(one) for one in world.bases.values()} if keep else set()
    kept = [one for one in world.made[since:] if id(one) in bases]
    for one in reversed(world.made[since:]):
        if id(one) not in bases and await removed(world, one):
            world.stayed[str(one.id)] = one
    world.made[since:] = kept
