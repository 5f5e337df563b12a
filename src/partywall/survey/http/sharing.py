"""What is everybody's by default, and private where its owner says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.http.aim import aim
from partywall.survey.http.attempt import VICTIM, Attempt
from partywall.survey.http.report import Open
from partywall.survey.http.schemas import fields
from partywall.survey.http.values import visible

if TYPE_CHECKING:
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation


async def shared(engine: Engine, attacker: str, victim: str) -> None:
    """Make one of each kind without a word on who may see it, and look who sees it."""
    world = engine.world
    for kind in world.graph.kinds.values():
        if not any(_says(engine, one) for one in kind.makers[:1]) or engine.settings.read_only:
            continue
        world.composer.silent = True
        one = await world.fresh(victim, kind.name)
        world.composer.silent = False
        if one is None:
            continue
        before = world.replaced(victim, kind.name, one)
        for operation in world.api.operations:
            about = operation in kind.listers or operation in kind.readers
            if about and operation.safe and not world.left_out(operation):
                await _seen(engine, operation, attacker, victim, one.canaries)
        world.replaced(victim, kind.name, before)


def _says(engine: Engine, maker: Operation) -> bool:
    """Whether making one can say who may see it."""
    return any(
        visible(path[-1], leaf)
        for payload in maker.payloads[:1]
        for path, leaf, _ in fields(payload.schema, engine.world.api.document)
        if path and path[-1] != "*"
    )


async def _seen(
    engine: Engine, operation: Operation, attacker: str, victim: str, canaries: tuple[str, ...]
) -> None:
    world, at = engine.world, operation.at
    if at in {known for known, _, _ in engine.findings} or at in engine.public:
        return
    aimed = await aim(world, operation, attacker, victim, fresh=False)
    if isinstance(aimed, str):
        return
    path = [slot for slot in world.graph.slots[at] if slot.place == "path"]
    made = aimed.request(Attempt("", dict.fromkeys(path, VICTIM)))
    if made is None:
        return
    done = await world.ask(world.actors[attacker], made[0])
    asked = f"{made[0].text}\n{aimed.named}".lower()
    told = [text for text in canaries if text in done.answer.all.lower() and text not in asked]
    if told:
        because = (
            f"what {victim} makes without saying who may see it, {attacker} is shown "
            f"({told[0]}); what it makes private is not"
        )
        declared = engine.declared(operation)
        witness = (engine.step(done, told[0]),)
        engine.shared.setdefault(at, Open(at, attacker, because, witness, declared=declared))
