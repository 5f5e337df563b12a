"""GETs that change something after all: what was there before them is looked for after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.attacks.whole_collection import whole_collection
from partywall.survey.http.attempt import Attempt
from partywall.survey.http.bodies import Body
from partywall.survey.http.furnishing import furnish
from partywall.survey.http.remaining import lost, shown, there
from partywall.survey.http.rendering import render

if TYPE_CHECKING:
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Resource

MODE = "as it is"


async def wiped(engine: Engine, operation: Operation, attacker: str, victim: str) -> None:
    """Whether the victim's things outlived the reads; where not, prove by whom, and begin anew."""
    world = engine.world
    thing = _pulse(engine, victim)
    if thing is None or await there(world, thing):
        return
    await lost(world, victim)
    await lost(world, attacker)
    for tenant in (victim, attacker):
        await furnish(engine, tenant)
    thing = _pulse(engine, victim)
    if thing is None or not await there(world, thing):
        return
    bound = {}
    for slot in world.graph.slots[operation.at]:
        if slot.required and (base := world.based(attacker, slot.kind)) is not None:
            bound[slot] = base.value(slot.path[-1])
    request = render(world.api, operation, bound, Body(), world.ledger, attacker)
    before = await shown(world, thing)
    done = await world.ask(world.actors[attacker], request)
    if await there(world, thing):
        return
    after = await shown(world, thing)
    because = f"a GET of {attacker} removes what {victim} has: its {thing.kind} is gone afterwards"
    steps = [engine.step(one) for one in (before, done, after) if one is not None]
    attempt = Attempt(MODE)
    engine.breach(
        operation, attacker, victim, whole_collection, attempt, "destroy", because, *steps
    )
    engine.killers.append(operation.at)
    for tenant in (victim, attacker):
        await lost(world, tenant)
        await furnish(engine, tenant)


def _pulse(engine: Engine, owner: str) -> Resource | None:
    """Something of *owner*'s that was made in this run."""
    made = [one for (name, _), one in engine.world.bases.items() if name == owner and one]
    return next((one for one in reversed(made) if one.made is not None), None)
