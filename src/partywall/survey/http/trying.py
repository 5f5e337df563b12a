"""One attempt at what changes something, as it ran; and what is looked at around it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.clearing import made_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.aim import Aim
    from partywall.survey.http.attempt import Attack, Attempt
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Exchange
    from partywall.survey.http.views import View

LATER_S = 0.2
"""How long to wait for a second look: some applications commit after they answer."""
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 410, 415, 422})
NEWEST = 12


@dataclass
class Made:
    """One attempt as it ran."""

    attack: Attack
    attempt: Attempt
    exchange: Exchange
    leaked: list[str] = field(default_factory=list)


def refused(one: Made) -> bool:
    """Whether the application said no."""
    return one.exchange.answer.status in REFUSALS


def leaky(engine: Engine) -> set[str]:
    """Operations that show everybody's: what moves there proves nothing of others."""
    return {at for at, _, _ in engine.findings} | set(engine.public) | set(engine.shared)


async def asked(engine: Engine, aimed: Aim, attack: Attack, attempt: Attempt) -> Made | None:
    """Run it; None where nothing can be sent."""
    world = engine.world
    built = aimed.request(attempt)
    if built is None:
        return None
    request, body = built
    done = await world.ask(world.actors[aimed.attacker], request, body.canaries)
    leaked = world.ledger.leaked(aimed.victim, aimed.attacker, request.text, done.answer.all)
    fresh = {text for one in aimed.victims for text in (*one.canaries, str(one.id))}
    told = [text for text in leaked if text in fresh or attempt.aims]
    kept(engine, aimed.operation, aimed.attacker, done, aimed.mine)
    return Made(attack, attempt, done, told)


def kept(
    engine: Engine, operation: Operation, owner: str, done: Exchange, bound: dict[Any, Any]
) -> None:
    """Note what an accepted request may have made, to remove it in the end."""
    if done.answer.ok and operation.method in {"POST", "PUT"}:
        made_by(engine.world, operation, owner, done, bound)


async def after(
    engine: Engine,
    operation: Operation,
    victim: str,
    views: dict[str, Any],
    before: View,
    made: Sequence[Made] = (),
    *,
    control: bool = False,
) -> View:
    """Look at once; and again a moment later, where something was accepted and nothing is seen.

    An operation whose control was seen late is given the time always, another one only in an
    application that is late with what it makes.
    """
    seen = await engine.views.look(victim, views)
    if not views or before.changed(seen, engine.views.noise):
        return seen
    prompt = engine.world.prompt and operation.at not in engine.late and not control
    if prompt or (made and all(refused(one) for one in made)):
        return seen
    await asyncio.sleep(LATER_S)
    seen = await engine.views.look(victim, views)
    if before.changed(seen, engine.views.noise):
        engine.late.add(operation.at)
    return seen


async def second_step(engine: Engine, aimed: Aim) -> tuple[str, Exchange] | None:
    """Whether what the attacker reads of its own now shows the victim's: text and answer.

    What leaks by itself is found where it is read, and proves nothing here.
    """
    world = engine.world
    open_ones = leaky(engine)
    made = [one for one in world.made[-NEWEST:] if one.owner == aimed.attacker]
    views = engine.views.requests(aimed.operation, aimed.attacker, [*aimed.own, *made])
    views |= engine.views.requests(aimed.operation, aimed.attacker, aimed.victims)
    views = {key: one for key, one in views.items() if one[0].at not in open_ones}
    later = await engine.views.look(aimed.attacker, views)
    texts = [text for one in aimed.victims for text in one.canaries]
    for seen in later.seen.values():
        told, request = seen.text.lower(), seen.exchange.request.text.lower()
        for text in texts:
            if text in told and text not in request:
                return text, seen.exchange
    return None
