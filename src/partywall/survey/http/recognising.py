"""Which one was just made, or was there before: its id is the one by which its owner reads it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from partywall.survey.http.resources import (
    Exchange,
    Resource,
    candidates,
    containing,
    linked,
    outermost,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from partywall.survey.http.kinds import Kind
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.world import World

CANDIDATES = 4
MOST_INHERITED = 5
NATURAL = 12
"""A text of so many characters in what was there before may tell whose it is."""
LATE_S = (0.0, 0.1, 0.3, 0.6)
"""How long to wait before each look for what was just made: some commit after they answer."""


async def identified(
    world: World, owner: str, kind: Kind, done: Exchange, above: Mapping[str, Any]
) -> Resource | None:
    """The resource that was just made: its id is the one by which its owner can read it."""
    answer = done.answer
    found = list(candidates(kind, answer.json))
    location = answer.headers.get("location", "").partition("?")[0].rstrip("/")
    if (last := location.rpartition("/")[2]) and last not in world.fixed:
        found.append(last)
    if isinstance(done.request.body, dict):
        found += [v for v in candidates(kind, done.request.body) if v not in found]
    parents = {str(value) for name, value in above.items() if name != kind.name}
    found = [each for each in found if str(each) not in parents]
    checked = await _checked(world, owner, kind, done, above, found[:CANDIDATES])
    if checked is not None:
        return checked
    for wait_s in LATE_S[: 2 if found else None]:
        await asyncio.sleep(wait_s)
        if (seen := await _seen(world, owner, kind, done, above)) is not None:
            return seen
    if not found:
        return None
    return Resource(
        kind.name, owner, found[0], {**above, kind.name: found[0]},
        outermost(answer.json), done.canaries, done,
    )  # fmt: skip


async def _checked(
    world: World,
    owner: str,
    kind: Kind,
    done: Exchange,
    above: Mapping[str, Any],
    found: Sequence[Any],
) -> Resource | None:
    if not found:
        return None
    for wait_s in LATE_S:
        await asyncio.sleep(wait_s)
        for value in found:
            one = Resource(
                kind.name, owner, value, {**above, kind.name: value},
                outermost(done.answer.json), done.canaries, done,
            )  # fmt: skip
            shown = await world.read(one, kind)
            if shown is None:
                return one  # nothing shows one of this kind: the most likely id is taken
            if shown.answer.ok:
                world.waited[wait_s > 0] += 1
                world.examples[owner, kind.name] = [shown.answer.json]
                told = {**outermost(shown.answer.json), **one.fields}
                return Resource(kind.name, owner, value, one.chain, told, done.canaries, done)
    return None


async def _seen(
    world: World, owner: str, kind: Kind, done: Exchange, above: Mapping[str, Any]
) -> Resource | None:
    """What was made, found by its canary in the owner's own list."""
    for lister in kind.listers:
        answer = await world.listing(owner, lister, above)
        if answer is None:
            continue
        if answer.json is None and (value := linked(kind, answer.text, done.canaries)):
            chain = {**above, kind.name: value}
            return Resource(kind.name, owner, value, chain, {}, done.canaries, done)
        inside = containing(answer.json, done.canaries)
        if inside is None:
            continue
        for value in candidates(kind, inside):
            chain = {**above, kind.name: value}
            return Resource(kind.name, owner, value, chain, outermost(inside), done.canaries, done)
    return None


async def found_before(world: World, owner: str, kind: str) -> Resource | None:
    """One that was there before: in the owner's list alone, else in everybody's."""
    known = world.graph.kinds.get(kind)
    for lister in known.listers if known else ():
        answer = await world.listing(owner, lister, {})
        if known is None or answer is None or not answer.ok:
            continue
        others = ""
        for other in world.tenants:
            if other != owner and (more := await world.listing(other, lister, {})):
                others += more.text
        there = rows(known, answer.json)
        for value, each in there:
            if str(value) not in others:
                world.examples.setdefault((owner, kind), [each])
                _natural(world, owner, value, each, others)
                return Resource(kind, owner, value, {kind: value}, outermost(each))
        for value, each in there[:1]:
            return Resource(kind, owner, value, {kind: value}, outermost(each), ours=False)
    return None


def _natural(world: World, owner: str, value: object, each: object, others: str) -> None:
    """Note an id and the texts beside it that only its owner is shown."""
    world.ledger.owns(owner, value)
    for text in outermost(each).values():
        if isinstance(text, str) and len(text) >= NATURAL and text not in others:
            world.ledger.owns(owner, text)


async def inherited(world: World) -> None:
    """Note the ids of what was there before and is one tenant's alone.

    Its list alone shows them, it can read them, and the others can't: what anybody may read by its
    id may be everybody's by somebody's choice.
    """
    for kind in world.graph.kinds.values():
        for lister in kind.listers[:1]:
            if any(slot.required for slot in world.graph.slots[lister.at]):
                continue
            shown = {one: await _shown(world, one, kind, lister) for one in world.tenants}
            for tenant, ids in shown.items():
                others = [who for who in shown if who != tenant]
                theirs = {one for who in others for one in shown[who]}
                alone = [one for one in ids if one not in theirs]
                for one in alone[:MOST_INHERITED]:
                    if await _reads(world, tenant, kind, one) and not any(
                        [await _reads(world, who, kind, one) for who in others]
                    ):
                        world.ledger.owns(tenant, one)


async def _shown(world: World, tenant: str, kind: Kind, lister: Operation) -> list[Any]:
    """The ids in a list."""
    answer = await world.listing(tenant, lister, {})
    return [one for one, _ in rows(kind, answer.json)] if answer and answer.ok else []


async def _reads(world: World, tenant: str, kind: Kind, value: object) -> bool:
    shown = await world.read(Resource(kind.name, tenant, value, {kind.name: value}), kind)
    return shown is not None and shown.answer.ok
