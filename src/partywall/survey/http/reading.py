"""Attack what promises to change nothing: whose data is in the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from partywall.survey.http.aim import Aim, aim
from partywall.survey.http.attacks.widened_list import searches, widened_list
from partywall.survey.http.attempt import Attempt
from partywall.survey.http.bodies import Body
from partywall.survey.http.clearing import removed
from partywall.survey.http.engine import Engine
from partywall.survey.http.events import streams
from partywall.survey.http.existence import OTHERS_ID, compare, conditional
from partywall.survey.http.furnishing import furnish
from partywall.survey.http.moving import moved, moves
from partywall.survey.http.recognising import LATE_S
from partywall.survey.http.remaining import lost
from partywall.survey.http.rendering import render
from partywall.survey.http.report import Open
from partywall.survey.http.resources import Exchange, vacant
from partywall.survey.http.retelling import retold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.attempt import Attack
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.wire import Request
    from partywall.survey.verdict import State

REFUSED = frozenset({401, 403, 405})
EMPTY = "{}'s own answer is an empty list, of which nothing can leak"
SHOWN = 1
"""So many of the proofs are named in a finding."""


async def read(engine: Engine, operation: Operation, attacker: str, victim: str) -> None:
    """All attempts on one operation in one direction, after its control."""
    world = engine.world
    aimed = await aim(world, operation, attacker, victim, fresh=False)
    if isinstance(aimed, str):
        engine.open(operation, attacker, victim, aimed)
        return
    control = await owners(engine, aimed)
    if control.answer.ok and not _shown(engine, control):
        control = await _filled(engine, aimed, control)
    if aimed.victims and not aimed.victims[-1].ours:
        mode = "all tenants list the same"
        engine.record(operation, attacker, victim, widened_list, mode, "held")
        return
    if not control.answer.ok:
        engine.open(operation, attacker, victim, f"as {victim}: {control.answer.words}")
        return
    engine.controls["proved"] += 1
    material = _material(engine, control)
    if material or not any(slot.place == "path" for slot in world.graph.slots[operation.at]):
        _note(engine, operation, victim, material)
    aimed.vacant = not material and vacant(control.answer.json)
    if aimed.vacant and not aimed.theirs:
        nobody = await world.ask(world.actors["nobody"], control.request)
        aimed.vacant = not nobody.answer.ok  # what anybody is answered is no tenant's list
    await _attempts(engine, aimed, control)
    if material or operation.at in {at for at, _, _ in engine.findings}:
        return
    if aimed.vacant and operation.at not in engine.public:
        engine.open(operation, attacker, victim, EMPTY.format(victim))
    if aimed.theirs:
        await moved(engine, aimed, control)
    else:
        engine.empty[operation.at] = operation


async def _filled(engine: Engine, aimed: Aim, control: Exchange) -> Exchange:
    """The control again, after its owner has put something into what it lists."""
    if await lost(engine.world, aimed.victim):
        await furnish(engine, aimed.victim)
        control = await owners(engine, aimed)
    searching = [one.name for one in aimed.operation.parameters if searches(one)]
    if searching and not _shown(engine, control):
        text = engine.world.ledger.prefix(aimed.victim)  # what all of its texts begin with
        query = dict(control.request.query) | dict.fromkeys(searching, text)
        control = await engine.world.ask(
            control.actor, control.request.but(query=tuple(query.items()))
        )
    async for _ in moves(engine, aimed):
        if _shown(engine, control):
            break
        control = await owners(engine, aimed)
    return control


def _material(engine: Engine, control: Exchange) -> list[str]:
    """What in the owner's answer is the owner's alone, and stands not in its request."""
    asked = control.request.text.lower()
    told = engine.world.ledger.evidence(control.actor.name, control.answer.all)
    return [one for one in told if one.lower() not in asked]


def _shown(engine: Engine, control: Exchange) -> bool:
    """Whether there is anything in the owner's answer: its own, or a list that isn't empty."""
    return bool(_material(engine, control)) or not vacant(control.answer.json)


async def _attempts(engine: Engine, aimed: Aim, control: Exchange) -> None:
    """The direct ones; those that go round a check only where there seems to be one."""
    world, operation = engine.world, aimed.operation
    plans = engine.plans(operation, aimed.attacker, aimed.victim)
    if control.answer.headers.get("content-type", "").startswith("text/event-stream"):
        plans = [one for one in plans if one[0].name == OTHERS_ID][:1]  # each takes its time
    direct = [one for one in plans if not one[0].detour]
    await asyncio.gather(*(_attempt(engine, aimed, control, *one) for one in direct))
    if (operation.at, OTHERS_ID, "read") in engine.findings or operation.at in engine.public:
        return
    detours = [one for one in plans if one[0].detour]
    cold = [one for one in detours if not one[1].after]
    await asyncio.gather(*(_attempt(engine, aimed, control, *one) for one in cold))
    for attack, attempt in detours:
        if attempt.after == "owner":
            await world.ask(control.actor, control.request)
            await _attempt(engine, aimed, control, attack, attempt)
    if any(attempt.after == "deleted" for _, attempt in detours):
        await _deleted(engine, operation, aimed.attacker, aimed.victim, detours)


def _note(engine: Engine, operation: Operation, victim: str, material: Sequence[str]) -> None:
    """Remember lists that show the victim's own: they are looked at after writes."""
    slots = engine.world.graph.slots[operation.at]
    known = {kind for owner, kind in engine.world.bases if owner == victim}
    if streams(engine.world.wire, operation):
        return
    if all(slot.kind in known for slot in slots if slot.required):
        views = engine.views
        lists = views.carrying if material else views.answering
        lists.setdefault(victim, {})[operation.at] = operation


async def owners(engine: Engine, aimed: Aim) -> Exchange:
    """The control: the victim's own request, again for a moment where it comes late."""
    world = engine.world
    required = {slot: value for slot, value in aimed.theirs.items() if slot.required}
    body = Body()
    if aimed.operation.payloads:
        in_body = {s.path: v for s, v in required.items() if s.place == "body"}
        body = world.composer.compose(aimed.operation, aimed.victim, in_body)
    request = render(world.api, aimed.operation, required, body, world.ledger, aimed.victim)
    actor = world.actors[aimed.victim]
    done = await world.ask(actor, request)
    for wait_s in LATE_S[1:]:
        if done.answer.ok or done.answer.status in REFUSED:
            break
        await asyncio.sleep(wait_s)
        done = await world.ask(actor, request)
    return done


async def _attempt(
    engine: Engine, aimed: Aim, control: Exchange, attack: Attack, attempt: Attempt
) -> None:
    """One request as the attacker, judged by what came back."""
    world, operation = engine.world, aimed.operation
    made = aimed.request(attempt)
    if made is None:
        return
    request, _ = made
    asker = world.actors[aimed.attacker if attempt.asker == "attacker" else attempt.asker]
    done = await world.ask(asker, request)
    asked = f"{request.text}\n{aimed.named}"
    leaked = world.ledger.leaked(aimed.victim, aimed.attacker, asked, done.answer.all)
    if leaked and not await _public(engine, aimed, request, leaked):
        proof = f"{aimed.attacker} was shown {_named(leaked)}, which only {aimed.victim} has"
        engine.breach(
            operation, aimed.attacker, aimed.victim, attack, attempt, "read",
            f"{proof} ({attempt.mode})",
            engine.step(control, leaked[0]), engine.step(done, leaked[0]),
            recipe=await retold(world, [done], control=control, absent=leaked[0]),
        )  # fmt: skip
        return
    state: State = "undecided" if aimed.vacant else "held"
    because = EMPTY.format(aimed.victim) if aimed.vacant else ""
    engine.record(operation, aimed.attacker, aimed.victim, attack, attempt.mode, state, because)
    if attack.name == OTHERS_ID and not leaked and not done.answer.ok:
        await compare(engine, aimed, attempt, done)
        await conditional(engine, aimed, attempt, control)


def _named(leaked: Sequence[str]) -> str:
    more = len(leaked) - SHOWN
    return ", ".join(leaked[:SHOWN]) + (f" and {more} more" if more > 0 else "")


async def _public(engine: Engine, aimed: Aim, request: Request, leaked: Sequence[str]) -> bool:
    """Whether it is declared, or nobody at all is shown it as well: reported apart."""
    world, at = engine.world, aimed.operation.at
    if engine.declared(aimed.operation):
        engine.public.setdefault(at, Open(at, "nobody", "declared", (), declared=True))
        return True
    nobody = await world.ask(world.actors["nobody"], request)
    seen = world.ledger.leaked(aimed.victim, "nobody", request.text, nobody.answer.all)
    if not set(seen) & set(leaked):
        return False
    because = f"without any credential {_named(seen)} of {aimed.victim} is shown"
    engine.public.setdefault(at, Open(at, "nobody", because, (engine.step(nobody, seen[0]),)))
    return True


async def _deleted(
    engine: Engine,
    operation: Operation,
    attacker: str,
    victim: str,
    plans: Sequence[tuple[Attack, Attempt]],
) -> None:
    """Ask for what its owner has removed: a fresh one, seen by its owner before."""
    world = engine.world
    path = [slot for slot in world.graph.slots[operation.at] if slot.place == "path"]
    removers = world.graph.kinds[path[-1].kind].removers if path else []
    if engine.settings.read_only or not any(not world.left_out(one) for one in removers):
        return
    aimed = await aim(world, operation, attacker, victim, fresh=True)
    if isinstance(aimed, str) or not aimed.victims or aimed.victims[-1].made is None:
        return
    thing = aimed.victims[-1]
    control = await owners(engine, aimed)
    if not control.answer.ok or await removed(world, thing):
        return
    for attack, attempt in plans:
        if attempt.after == "deleted":
            await _attempt(engine, aimed, control, attack, attempt)
