"""Proof without a canary: an answer that moves when the victim's data moves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from partywall.survey.http.aim import removes
from partywall.survey.http.attacks.others_id import others_id
from partywall.survey.http.attacks.widened_list import widened_list
from partywall.survey.http.attempt import Attempt
from partywall.survey.http.bodies import Body
from partywall.survey.http.rendering import render
from partywall.survey.http.views import Noise, Seen, View, compared
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from partywall.survey.http.aim import Aim
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Exchange

TWICE = 2


def _view(operation: Operation, **answers: Exchange) -> View:
    return View({k: Seen(operation, one, compared(one)) for k, one in answers.items()})


class _Same:
    """Whether two answers say the same, but for what changes by itself."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._noise = Noise()

    def learn(self, one: Exchange, other: Exchange) -> None:
        self._noise.learn(_view(self._operation, it=one), _view(self._operation, it=other))

    def __call__(self, one: Exchange, other: Exchange) -> bool:
        before, after = _view(self._operation, it=one), _view(self._operation, it=other)
        return not self._noise.differ(before.seen["it"], after.seen["it"])

    @property
    def still(self) -> bool:
        return not self._noise.whole


async def moved(engine: Engine, aimed: Aim, control: Exchange) -> None:
    """Where nothing can carry a canary: B is answered as A is, also after A's data has moved."""
    world, operation = engine.world, aimed.operation
    attacker, owner = world.actors[aimed.attacker], world.actors[aimed.victim]
    same = _Same(operation)
    same.learn(control, await world.ask(owner, control.request))
    if not same.still:
        return
    for attack, attempt in engine.plans(operation, aimed.attacker, aimed.victim):
        made = aimed.request(attempt) if attack is others_id else None
        none = aimed.request(attempt, "nobody") if made else None
        if made is None or none is None:
            continue
        done = await world.ask(attacker, made[0])
        if not done.answer.ok or not same(done, control):
            continue
        nobody = await world.ask(attacker, none[0])
        if nobody.answer.ok and same(nobody, control):
            continue
        public = await world.ask(world.actors["nobody"], made[0])
        if public.answer.ok and same(public, control):
            continue
        async for what in moves(engine, aimed):
            now = await world.ask(owner, control.request)
            if same(control, now):
                continue
            again = await world.ask(attacker, made[0])
            if same(now, again):
                because = (
                    f"{aimed.attacker} is answered as {aimed.victim} is, also after {aimed.victim} "
                    f"made {what}; an id that nobody has is answered otherwise ({attempt.mode})"
                )
                steps = tuple(engine.step(one) for one in (control, done, nobody, now, again))
                engine.breach(
                    operation,
                    aimed.attacker,
                    aimed.victim,
                    attack,
                    attempt,
                    "read",
                    because,
                    *steps,
                )
                return
            break
        else:
            because = (
                f"{aimed.attacker} is answered as {aimed.victim} is ({done.answer.status}), and "
                f"otherwise for an id that nobody has ({nobody.answer.status}); nothing was found "
                "that moves the answer, so that it isn't proven whose it is"
            )
            engine.undecided.append(
                Undecided(attack.code, attack.name, "read", operation.at, because)
            )
            return


async def moves(engine: Engine, aimed: Aim) -> AsyncIterator[str]:
    """Change what belongs to the victim's thing, as its owner, one way after the other."""
    world = engine.world
    if engine.settings.read_only or not aimed.victims:
        return
    for thing in reversed(aimed.victims):
        for kind in world.graph.kinds.values():
            slots = [s for one in kind.makers[:1] for s in world.graph.slots[one.at]]
            about = any(slot.kind == thing.kind for slot in slots)
            if about and await world.fresh(aimed.victim, kind.name, thing.chain):
                yield f"a {kind.name}"
        for operation in world.api.operations:
            if operation.method in {"PATCH", "PUT", "POST"} and not world.left_out(operation):
                bound = await world.bound_by(thing, operation)
                path = [s for s in world.graph.slots[operation.at] if s.place == "path"]
                about = bool(path) and path[-1].kind == thing.kind
                told = operation.payloads or operation.method == "POST"
                if bound is None or not told or not about or removes(operation):
                    continue
                if (await world.perform(aimed.victim, operation, bound)).answer.ok:
                    yield f"a change ({operation.at})"


async def counted(engine: Engine, attacker: str, victim: str) -> None:
    """Numbers over all tenants: answers to B that move each time A makes something."""
    world = engine.world
    operations = list(engine.empty.values())
    if not operations or engine.settings.read_only:
        return
    noise = Noise()
    moves: dict[str, int] = dict.fromkeys((one.at for one in operations), 0)
    shown: dict[str, list[Exchange]] = {one.at: [] for one in operations}
    for _ in range(TWICE):
        before = await _looked(engine, attacker, operations)
        noise.learn(before, await _looked(engine, attacker, operations))
        for kind in list(world.graph.kinds):
            if kind in {one.kind for one in world.made if one.owner == victim}:
                await world.fresh(victim, kind)
        after = await _looked(engine, attacker, operations)
        for at in before.changed(after, noise):
            moves[at] += 1
            shown[at] += [before.seen[at].exchange, after.seen[at].exchange]
    by_place = {one.at: one for one in operations}
    still = await _looked(engine, attacker, operations)
    noise.learn(still, await _looked(engine, attacker, operations))
    for at, times in moves.items():
        if times < TWICE or at in noise.whole:
            continue
        because = (
            f"what {attacker} is told changes whenever {victim} makes something, and only then"
        )
        steps = tuple(engine.step(one) for one in shown[at][:TWICE])
        mode = Attempt("before and after the victim made something")
        engine.breach(by_place[at], attacker, victim, widened_list, mode, "read", because, *steps)


async def _looked(engine: Engine, attacker: str, operations: list[Operation]) -> View:
    world = engine.world
    requests = []
    for one in operations:
        bound = {}
        for slot in world.graph.slots[one.at]:
            if slot.required and (base := world.based(attacker, slot.kind)) is not None:
                bound[slot] = base.value(slot.path[-1])
        requests.append(render(world.api, one, bound, Body(), world.ledger, attacker))
    done = await asyncio.gather(*(world.ask(world.actors[attacker], one) for one in requests))
    seen = zip(operations, done, strict=True)
    return View({one.at: Seen(one, exchange, compared(exchange)) for one, exchange in seen})
