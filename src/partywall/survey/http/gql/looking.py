"""What an owner reads back from a GraphQL endpoint, before and after."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from partywall.survey.http.gql.bending import Way, spelled_as
from partywall.survey.http.gql.schema import ANY
from partywall.survey.http.operations import Operation
from partywall.survey.http.trying import LATER_S
from partywall.survey.http.views import Seen, View, compared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.gql.ground import Ground
    from partywall.survey.http.resources import Resource

LISTS = 3
"""So many lists are looked at."""


async def look(ground: Ground, owner: str, things: Sequence[Resource]) -> View:
    """All that shows *things* to their owner, and its lists."""
    asked = {}
    for thing in things:
        for call, spelled in ground.shows.get(thing.kind, {}).values():
            place = call.required[0]
            ids = {place.path: [thing.id] if place.listed else thing.id}
            kind = thing.kind if place.kind == ANY else ""
            written = spelled_as(Way(call, kind=kind), ids, spelled) or ids
            asked[f"{call.name} {thing.id}"] = ground.part(call, owner, written, kind=kind)[0]
    for call in list(ground.lists.get(owner, {}).values())[:LISTS]:
        asked[call.name] = ground.part(call, owner, {})[0]
    done = await asyncio.gather(*(ground.asked(owner, [part]) for part in asked.values()))
    view = View()
    for (name, part), one in zip(asked.items(), done, strict=True):
        at = Operation("POST", f"{ground.endpoint.operation.path}#{part.name}")
        view.seen[name] = Seen(at, one, compared(one))
    return view


async def still(ground: Ground, owner: str, things: Sequence[Resource]) -> View:
    """Look; the first time at a query twice, to know what changes by itself."""
    one = await look(ground, owner, things)
    if all(seen.operation.at in ground.noise.known for seen in one.seen.values()):
        return one
    other = await look(ground, owner, things)
    ground.noise.learn(one, other)
    return other


async def later(
    ground: Ground, owner: str, things: Sequence[Resource], before: View, *, patient: bool = True
) -> View:
    """Look at once; and again a moment later, where something was accepted and nothing is seen."""
    after = await look(ground, owner, things)
    if patient and not before.changed(after, ground.noise):
        await asyncio.sleep(LATER_S)
        after = await look(ground, owner, things)
    return after
