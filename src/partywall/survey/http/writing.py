"""Attack what changes something: the proof is what the owner reads back, whatever was answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from partywall.survey.http.aim import Aim, aim, carried, targets
from partywall.survey.http.credentials import secret
from partywall.survey.http.existence import OTHERS_ID, compare, conflicts
from partywall.survey.http.nouns import PRINCIPALS, snake
from partywall.survey.http.proving import left_alone, prove
from partywall.survey.http.schemas import fields
from partywall.survey.http.trying import Made, after, asked, kept, leaky, refused, second_step
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from partywall.survey.http.attempt import Attack, Attempt
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.verdict import State

MOVED = (
    "when {0} tried everything on it, {1} read something else afterwards, and no attempt alone did "
    "that again"
)
MOST_REFUSED = 12
MOST_ATTACKS = 3
"""So many attacks are proven on one operation, each alone; one is enough to mend it."""
MOST_NAMED = 2


async def write(engine: Engine, operation: Operation, attacker: str, victim: str) -> None:
    """All attempts on one operation in one direction: together first, alone where anything moved.

    Together they cost one look before and one after. What moved is found by trying the likeliest
    alone; the others are then tried together again, until nothing moves any more.
    """
    visible = await control(engine, operation, attacker, victim)
    if visible is None:
        return
    plans = [one for one in engine.plans(operation, attacker, victim) if not one[1].after]
    plans.sort(key=lambda one: one[1].last)
    if known := {name for at, name, _ in engine.findings if at == operation.at}:
        plans = [one for one in plans if one[0].name in known]  # the other way it is looked again
    for _ in range(MOST_ATTACKS):
        began = time.monotonic()
        together = await _together(engine, operation, attacker, victim, plans)
        if together is None:
            return
        made, moved, odd = together
        proven = await _proven(engine, operation, attacker, victim, made, moved=moved)
        if not proven:
            if odd():
                await left_alone(engine, operation, attacker, victim, time.monotonic() - began)
            await _settled(engine, operation, attacker, victim, made, visible=visible, odd=odd())
            break
        plans = [one for one in plans if one[0].name not in proven]
        if OTHERS_ID in proven:
            plans = [one for one in plans if not one[0].detour]
        for one in made:
            if one.attack.name in proven:
                mode = one.attempt.mode
                engine.record(operation, attacker, victim, one.attack, mode, "breached")
    await conflicts(engine, operation, attacker, victim)


async def _together(
    engine: Engine,
    operation: Operation,
    attacker: str,
    victim: str,
    plans: Sequence[tuple[Attack, Attempt]],
) -> tuple[list[Made], bool, Callable[[], bool]] | None:
    """All attempts on the same fresh victim: what each came to, and whether anything moved.

    The last tells, by all that is known when it is asked, whether what moved can't be a list that
    shows everybody's, nor what changes by itself.
    """
    world = engine.world
    aimed = await aim(world, operation, attacker, victim, fresh=True)
    if isinstance(aimed, str):
        engine.open(operation, attacker, victim, aimed)
        return None
    await carried(world, aimed, aimed.theirs)
    views = engine.views.requests(operation, victim, aimed.victims)
    before = await engine.views.still(victim, views)
    first = [one for one in plans if not one[1].last]
    tried = await asyncio.gather(*(asked(engine, aimed, *one) for one in first))
    made = [one for one in tried if one is not None]
    for attack, attempt in plans[len(first) :]:
        if (one := await asked(engine, aimed, attack, attempt)) is not None:
            made.append(one)
    for one in made:
        if one.attack.name == OTHERS_ID and refused(one):
            await compare(engine, aimed, one.attempt, one.exchange)
    then = await after(engine, operation, victim, views, before, made)
    accepted = any(one.exchange.answer.accepted for one in made)
    second = await second_step(engine, aimed) if accepted else None
    changed = before.changed(then, engine.views.noise)

    def odd() -> bool:
        moved, open_ones = before.changed(then, engine.views.noise), leaky(engine)
        return any(before.seen[key].operation.at not in open_ones for key in moved)

    return made, bool(changed) or second is not None, odd


async def _proven(
    engine: Engine,
    operation: Operation,
    attacker: str,
    victim: str,
    made: Sequence[Made],
    *,
    moved: bool,
) -> set[str]:
    """The name of the first attack that is proven by an attempt of its own; none if none is."""
    likely = [one for one in made if one.leaked]
    named = [one for one in made if one.attack.name == "id-in-body" and one.exchange.answer.ok]
    likely += [one for one in named if one not in likely][:MOST_NAMED]
    if moved:
        answered = [one for one in made if not refused(one)]
        if any(one.attack.detour for one in answered):  # it may have come first by chance
            plain = [one for one in made if one.attack.name == OTHERS_ID]
            answered = plain + [one for one in answered if one not in plain]
        likely += [one for one in answered if one not in likely]
        likely += [one for one in made if refused(one)][:MOST_REFUSED]
    for one in likely:
        if await prove(engine, operation, attacker, victim, one):
            return {one.attack.name}
    return set()


async def _settled(
    engine: Engine,
    operation: Operation,
    attacker: str,
    victim: str,
    made: Sequence[Made],
    *,
    visible: bool,
    odd: bool,
) -> None:
    """Nothing more is proven: held, or suspicious."""
    suspect: str | None = None
    known = {name for at, name, _ in engine.findings if at == operation.at}
    for one in made:
        mode, because = one.attempt.mode, ""
        if odd and not known and suspect is None and not refused(one):
            because = suspect = MOVED.format(attacker, victim)
        elif not visible and one.exchange.answer.ok and one.attempt.aims and suspect is None:
            because = await _suspicion(engine, operation, attacker, victim, one)
            suspect = because or None
        if because:
            engine.undecided.append(
                Undecided(one.attack.code, one.attack.name, "write", operation.at, because)
            )
        state: State = "undecided" if because else "held"
        engine.record(operation, attacker, victim, one.attack, mode, state, because or "")


async def control(engine: Engine, operation: Operation, attacker: str, victim: str) -> bool | None:
    """The owner's own request: whether its effect can be seen; None where it fails."""
    world = engine.world
    known = engine.visible.get((operation.at, victim))
    if known is not None:
        return known
    aimed = await aim(world, operation, attacker, victim, fresh=True)
    if isinstance(aimed, str):
        engine.open(operation, attacker, victim, aimed)
        return None
    if lack := _own_account(engine, aimed):
        engine.open(operation, attacker, victim, lack)
        return None
    required = {slot: value for slot, value in aimed.theirs.items() if slot.required}
    await carried(world, aimed, required)
    views = engine.views.requests(operation, victim, aimed.victims)
    before = await engine.views.still(victim, views)
    done = await world.perform(victim, operation, required)
    more = [slot for slot in aimed.theirs if slot not in required and slot.place != "body"]
    if more and not done.answer.accepted:
        required |= {slot: aimed.theirs[slot] for slot in more}
        done = await world.perform(victim, operation, required)
        if done.answer.accepted:
            world.graph.needs(operation, more)
    if not done.answer.accepted:
        engine.open(operation, attacker, victim, f"as {victim}: {done.answer.words}")
        return None
    engine.controls["proved"] += 1
    kept(engine, operation, victim, done, required)
    then = await after(engine, operation, victim, views, before, control=True)
    seen = bool(before.changed(then, engine.views.noise))
    engine.visible[operation.at, victim] = seen
    engine.shown[operation.at, victim] = done
    return seen


def _own_account(engine: Engine, aimed: Aim) -> str:
    """Why a tenant's own root must not be changed: who it is, or how it signs in, hangs on it."""
    operation = aimed.operation
    path = [slot for slot in engine.world.graph.slots[operation.at] if slot.place == "path"]
    if not path or not targets(operation) or not aimed.victims or aimed.victims[-1].made:
        return ""
    document = engine.world.api.document
    named = [
        where[-1]
        for payload in operation.payloads[:1]
        for where, _, needed in fields(payload.schema, document)
        if needed and where
    ]
    if any(secret(name) for name in named):
        return "it would change how the tenant signs in, and no other one can be made"
    if snake(path[-1].kind) in PRINCIPALS:
        return f"no {path[-1].kind} can be made to be changed but the tenant's own"
    return ""


async def _suspicion(
    engine: Engine, operation: Operation, attacker: str, victim: str, one: Made
) -> str:
    """Accepted for the victim's id and refused for nobody's, where nothing shows: a suspicion."""
    world = engine.world
    aimed = await aim(world, operation, attacker, victim, fresh=False)
    built = None if isinstance(aimed, str) else aimed.request(one.attempt, "nobody")
    if built is None:
        return ""
    other = await world.ask(world.actors[attacker], built[0], built[1].canaries)
    kept(engine, operation, attacker, other, aimed.mine if isinstance(aimed, Aim) else {})
    if other.answer.ok:
        return ""
    return (
        f"accepted for the id of {victim} ({one.exchange.answer.status}) and refused for one that "
        f"nobody has ({other.answer.status}), but nothing that {victim} can read shows what it "
        f"did, not even its own ({one.attempt.mode})"
    )
