"""One attempt alone, on a victim of its own: what the owner reads back is the proof."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from partywall.survey.http.aim import aim, carried, removes, targets
from partywall.survey.http.attempt import Attempt
from partywall.survey.http.resources import listed
from partywall.survey.http.retelling import retold
from partywall.survey.http.trying import (
    LATER_S,
    Made,
    after,
    asked,
    kept,
    leaky,
    refused,
    second_step,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.http.aim import Aim
    from partywall.survey.http.attempt import Side
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.recipe import Recipe
    from partywall.survey.http.views import View
    from partywall.survey.verdict import WitnessStep

PLAIN = Attempt("its own words")
LONGEST_S = 2.0
"""So long is watched what nobody attacks."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What an attempt did, and the steps that show it."""

    effect: Effect
    because: str
    witness: Sequence[WitnessStep]
    recipe: Recipe | None


async def prove(
    engine: Engine,
    operation: Operation,
    attacker: str,
    victim: str,
    first: Made,
    *,
    seen_before: bool = False,
) -> bool:
    """One attempt alone, on a fresh victim: first with nobody's id and one's own, then with its.

    What was refused and seems to have changed something all the same has to do so twice: it may
    have changed by itself just then.
    """
    world, attack, attempt = engine.world, first.attack, first.attempt
    began = time.monotonic()
    aimed = await aim(world, operation, attacker, victim, fresh=True)
    if isinstance(aimed, str):
        return False
    await carried(world, aimed, aimed.theirs)
    views = engine.views.requests(operation, victim, aimed.victims)
    start = await engine.views.still(victim, views)
    compared = await _harmless(engine, aimed, attempt)
    before = await after(engine, operation, victim, views, start)
    one = await asked(engine, aimed, attack, attempt)
    if one is None:
        return False
    then = await after(engine, operation, victim, views, before, [one])
    unproven = {*start.changed(before, engine.views.noise)}
    unproven |= _everybodys(engine, aimed, attempt, before, then)
    changed = [key for key in before.changed(then, engine.views.noise) if key not in unproven]
    if changed and refused(one) and not seen_before:
        return await prove(engine, operation, attacker, victim, first, seen_before=True)
    if changed and not _written(then, changed, one, before):
        await left_alone(engine, operation, attacker, victim, time.monotonic() - began)
        changed = [
            key for key in changed if engine.views.noise.differ(before.seen[key], then.seen[key])
        ]
    proof = (
        await _moved(engine, aimed, one, before, then, changed, compared=compared)
        if changed
        else await _told(engine, aimed, one)
    )
    if proof is None:
        return False
    engine.breach(
        operation, attacker, victim, attack, attempt, proof.effect, proof.because,
        *proof.witness, recipe=proof.recipe,
    )  # fmt: skip
    return True


def _written(then: View, changed: Sequence[str], one: Made, before: View) -> bool:
    """Whether the attacker's own words stand where they did not before."""
    return any(
        text in then.seen[key].text and text not in before.seen[key].text
        for key in changed
        for text in one.exchange.canaries
    )


async def left_alone(
    engine: Engine, operation: Operation, attacker: str, victim: str, took_s: float
) -> None:
    """Learn what changes by itself: look at a fresh victim for as long, while nobody does anything.

    What is worked on in the background has a state, which moves from the making on.
    """
    aimed = await aim(engine.world, operation, attacker, victim, fresh=True)
    if isinstance(aimed, str):
        return
    views = engine.views.requests(operation, victim, aimed.victims)
    first = await engine.views.look(victim, views)
    await asyncio.sleep(min(max(2 * took_s, LATER_S), LONGEST_S))
    engine.views.noise.learn(first, await engine.views.look(victim, views))


def _everybodys(engine: Engine, aimed: Aim, attempt: Attempt, before: View, then: View) -> set[str]:
    """Lists that show everybody's, where what moved in them proves nothing of the victim's."""
    open_ones = leaky(engine)
    shown = {key for key, seen in before.seen.items() if seen.operation.at in open_ones}
    if not attempt.aims:  # such a list shows what the attacker makes, too
        return shown
    if targets(aimed.operation):  # nothing new appears: what counts is what the victim has
        return {key for key in shown if _same(engine, aimed.victim, before, then, key)}
    return set()


async def _moved(
    engine: Engine,
    aimed: Aim,
    one: Made,
    before: View,
    then: View,
    changed: Sequence[str],
    *,
    compared: bool,
) -> Proof:
    """The victim reads something else than before."""
    because = (
        f"after a request of {aimed.attacker}, answered with "
        f"{one.exchange.answer.status or 'nothing'}, {aimed.victim} reads something else "
        f"({one.attempt.mode})"
        + ("; the same for an id that nobody has changed nothing" if compared else "")
    )
    shown = before.seen[changed[0]].exchange
    steps = [shown, one.exchange, then.seen[changed[0]].exchange]
    return Proof(
        _effect(aimed.operation, before, then, changed),
        because,
        [engine.step(each) for each in steps],
        await retold(engine.world, [one.exchange], view=shown),
    )


async def _told(engine: Engine, aimed: Aim, one: Made) -> Proof | None:
    """The answer shows what only the victim has, or what the attacker then reads of its own."""
    world, mode, done = engine.world, one.attempt.mode, one.exchange
    if one.leaked:
        text = one.leaked[0]
        because = f"{aimed.attacker} was shown {text}, which only {aimed.victim} has ({mode})"
        owners = engine.shown.get((aimed.operation.at, aimed.victim))
        witness = [*([engine.step(owners)] if owners else []), engine.step(done, text)]
        return Proof("read", because, witness, await retold(world, [done], absent=text))
    second = await second_step(engine, aimed) if done.answer.accepted else None
    if second is None:
        return None
    text, seen = second
    because = (
        f"what {aimed.attacker} then reads of its own shows {text}, which only {aimed.victim} has "
        f"({mode})"
    )
    witness = [engine.step(done), engine.step(seen, text)]
    return Proof("read", because, witness, await retold(world, [done, seen], absent=text))


def _same(engine: Engine, victim: str, before: View, after: View, key: str) -> bool:
    """Whether the victim's own rows of a list are the same before and after, by their text."""
    found = []
    for view in (before, after):
        texts = [json.dumps(row) for row in listed(view.seen[key].exchange.answer.json)]
        found.append([text for text in texts if engine.world.ledger.evidence(victim, text)])
    return bool(found[0]) and found[0] == found[1]


async def _harmless(engine: Engine, aimed: Aim, attempt: Attempt) -> bool:
    """Ask the same without the victim: what changes then proves nothing; whether by its ids."""
    world, operation = engine.world, aimed.operation
    sides: tuple[Side, ...] = ("nobody",) if removes(operation) else ("nobody", "own")
    if attempt.aims:
        requests = [aimed.request(attempt, side) for side in sides]
    else:
        requests = [] if removes(operation) else [aimed.request(PLAIN)]
    for request, body in filter(None, requests):
        other = await world.ask(world.actors[aimed.attacker], request, body.canaries)
        kept(engine, operation, aimed.attacker, other, aimed.mine)
    return attempt.aims


def _effect(operation: Operation, before: View, after: View, changed: Sequence[str]) -> Effect:
    """Destroyed, where it is taken away or its owner can't read it any more."""
    if removes(operation):
        return "destroy"
    for key in changed:
        was, now = before.seen[key].exchange.answer, after.seen[key].exchange.answer
        if was.ok and not now.ok:
            return "destroy"
    return "write"
