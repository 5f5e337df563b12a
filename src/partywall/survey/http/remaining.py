"""What is left of what a tenant has, as its owner is shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.bodies import Body
from partywall.survey.http.nouns import singular
from partywall.survey.http.rendering import render
from partywall.survey.http.resources import GONE

if TYPE_CHECKING:
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Exchange, Resource
    from partywall.survey.http.world import World


async def lost(world: World, owner: str, operation: Operation | None = None) -> list[str]:
    """The kinds of which *owner*'s base is gone; it is made anew when it is asked for.

    With *operation*, which may have removed something, those that it is about are looked for,
    and one other: all only where one of these is gone.
    """
    standing = {
        kind: one
        for (name, kind), one in world.bases.items()
        if name == owner and one is not None and one.made is not None
    }
    if operation is not None:
        about = {slot.kind for slot in world.graph.slots[operation.at]}
        about |= {singular(word) for word in operation.words}
        other = next((kind for kind in standing if kind not in about), "")
        near = [one for kind, one in standing.items() if kind in about or kind == other]
        if all([await there(world, one) for one in near]):
            return []
    gone = [kind for kind, one in standing.items() if not await there(world, one)]
    for (name, kind), one in list(world.bases.items()):
        if name == owner and one is not None and set(gone) & set(one.chain):
            del world.bases[name, kind]
    return gone


async def shown(world: World, one: Resource) -> Exchange | None:
    """What its owner is shown of it; None where nothing shows it."""
    known = world.graph.kinds[one.kind]
    if (found := await world.read(one, known)) is not None:
        return found
    for lister in known.listers[:1]:
        bound = {
            slot: one.chain[slot.kind]
            for slot in world.graph.slots[lister.at]
            if slot.kind in one.chain
        }
        request = render(world.api, lister, bound, Body(), world.ledger, one.owner)
        return await world.ask(world.actors[one.owner], request)
    return None


async def there(world: World, one: Resource) -> bool:
    """Whether its owner still finds it, where there is a way to look."""
    known = world.graph.kinds[one.kind]
    found = await world.read(one, known)
    if found is not None:
        return found.answer.status not in GONE
    for lister in known.listers[:1]:
        answer = await world.listing(one.owner, lister, one.chain)
        if answer is not None and answer.ok:
            return str(one.id) in answer.text or any(c in answer.text for c in one.canaries)
    return True
