"""Attack what changes something: the proof is what the owner reads back, whatever was answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.aim import Aim, aim, carried, removes, targets
from partywall.survey.http.clearing import made_by
from partywall.survey.http.credentials import secret
from partywall.survey.http.existence import OTHERS_ID, compare, conflicts
from partywall.survey.http.nouns import PRINCIPALS, snake
from partywall.survey.http.retelling import retold
from partywall.survey.http.schemas import fields
from partywall.survey.http.views import View
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.http.attempt import Attack, Attempt, Side
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Exchange
    from partywall.survey.verdict import State

LATER_S = 0.2
"""How long to wait for a second look: some applications commit after they answer."""
REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 410, 415, 422})
MOST_REFUSED = 12
MOST_ATTACKS = 3
"""So many attacks are proven on one operation, each alone; one is enough to mend it."""
MOST_NAMED = 2
NEWEST = 12


@dataclass
class Made:
    """One attempt as it ran."""

    attack: Attack
    attempt: Attempt
    exchange: Exchange
    leaked: list[str] = field(default_factory=list)
    markers: tuple[str, ...] = ()


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
        made, moved = await _together(engine, operation, attacker, victim, plans)
        if made is None:
            return
        proven = await _proven(engine, operation, attacker, victim, made, moved=moved)
        if not proven:
            await _settled(engine, operation, attacker, victim, made, visible=visible)
            break
        plans = [one for one in plans if one[0].name not in proven]
        if "others-id" in proven:
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
) -> tuple[list[Made] | None, bool]:
    """All attempts on the same fresh victim: what each came to, and whether anything moved."""
    world = engine.world
    aimed = await aim(world, operation, attacker, victim, fresh=True)
    if isinstance(aimed, str):
        engine.open(operation, attacker, victim, aimed)
        return None, False
    await carried(world, aimed, aimed.theirs)
    asked = engine.views.requests(operation, victim, aimed.victims)
    before = await engine.views.still(victim, asked)
    first = [one for one in plans if not one[1].last]
    tried = await asyncio.gather(*(_asked(engine, aimed, *one) for one in first))
    made = [one for one in tried if one is not None]
    for attack, attempt in plans[len(first) :]:
        if (one := await _asked(engine, aimed, attack, attempt)) is not None:
            made.append(one)
    for one in made:
        if one.attack.name == OTHERS_ID and _refused(one):
            await compare(engine, aimed, one.attempt, one.exchange)
    after = await _after(engine, operation, victim, asked, before, made)
    accepted = any(one.exchange.answer.accepted for one in made)
    second = await _second_step(engine, aimed) if accepted else None
    return made, bool(before.changed(after, engine.views.noise)) or second is not None


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
        answered = [one for one in made if not _refused(one)]
        likely += [one for one in answered if one not in likely]
        likely += [one for one in made if _refused(one)][:MOST_REFUSED]
    for one in likely:
        if await prove(engine, operation, attacker, victim, one):
            return {one.attack.name}
    return set()


def _refused(one: Made) -> bool:
    return one.exchange.answer.status in REFUSALS


async def _settled(
    engine: Engine,
    operation: Operation,
    attacker: str,
    victim: str,
    made: Sequence[Made],
    *,
    visible: bool,
) -> None:
    """Nothing more is proven: held, suspicious, or moved by what no attempt explains."""
    suspect: str | None = None
    for one in made:
        mode, because = one.attempt.mode, ""
        if not visible and one.exchange.answer.ok and one.attempt.aims and suspect is None:
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
    asked = engine.views.requests(operation, victim, aimed.victims)
    before = await engine.views.still(victim, asked)
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
    _kept(engine, operation, victim, done, required)
    after = await _after(engine, operation, victim, asked, before, control=True)
    seen = bool(before.changed(after, engine.views.noise))
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


async def _asked(engine: Engine, aimed: Aim, attack: Attack, attempt: Attempt) -> Made | None:
    world = engine.world
    built = aimed.request(attempt)
    if built is None:
        return None
    request, body = built
    done = await world.ask(world.actors[aimed.attacker], request, body.canaries)
    leaked = world.ledger.leaked(aimed.victim, aimed.attacker, request.text, done.answer.all)
    fresh = {text for one in aimed.victims for text in (*one.canaries, str(one.id))}
    kept = [text for text in leaked if text in fresh or attempt.aims]
    _kept(engine, aimed.operation, aimed.attacker, done, aimed.mine)
    return Made(attack, attempt, done, kept, body.canaries)


def _kept(
    engine: Engine, operation: Operation, owner: str, done: Exchange, bound: dict[Any, Any]
) -> None:
    """Note what an accepted request may have made, to remove it in the end."""
    if done.answer.ok and operation.method in {"POST", "PUT"}:
        made_by(engine.world, operation, owner, done, bound)


async def _after(
    engine: Engine,
    operation: Operation,
    victim: str,
    asked: dict[str, Any],
    before: View,
    made: Sequence[Made] = (),
    *,
    control: bool = False,
) -> View:
    """Look at once; and again a moment later, where something was accepted and nothing is seen.

    An operation whose control was seen late is given the time always, another one only in an
    application that is late with what it makes.
    """
    after = await engine.views.look(victim, asked)
    if not asked or before.changed(after, engine.views.noise):
        return after
    prompt = engine.world.prompt and operation.at not in engine.late and not control
    if prompt or (made and all(_refused(one) for one in made)):
        return after
    await asyncio.sleep(LATER_S)
    after = await engine.views.look(victim, asked)
    if before.changed(after, engine.views.noise):
        engine.late.add(operation.at)
    return after


async def prove(
    engine: Engine, operation: Operation, attacker: str, victim: str, first: Made
) -> bool:
    """One attempt alone, on a fresh victim: first with nobody's id and one's own, then with its."""
    world, attack, attempt, noise = engine.world, first.attack, first.attempt, engine.views.noise
    aimed = await aim(world, operation, attacker, victim, fresh=True)
    if isinstance(aimed, str):
        return False
    await carried(world, aimed, aimed.theirs)
    asked = engine.views.requests(operation, victim, aimed.victims)
    start = await engine.views.still(victim, asked)
    actor = world.actors[attacker]
    sides: tuple[Side, ...] = ("nobody",) if removes(operation) else ("nobody", "own")
    if not attempt.aims:
        sides = ()
    for side in sides:
        if (built := aimed.request(attempt, side)) is not None:
            other = await world.ask(actor, built[0], built[1].canaries)
            _kept(engine, operation, attacker, other, aimed.mine)
    before = await _after(engine, operation, victim, asked, start)
    unproven = set(start.changed(before, noise))
    if not attempt.aims:  # a list that shows everybody's shows what the attacker makes, too
        leaky = {at for at, _, _ in engine.findings} | set(engine.public) | set(engine.shared)
        unproven |= {key for key, seen in before.seen.items() if seen.operation.at in leaky}
    one = await _asked(engine, aimed, attack, attempt)
    if one is None:
        return False
    after = await _after(engine, operation, victim, asked, before, [one])
    changed = [key for key in before.changed(after, noise) if key not in unproven]
    answered = one.exchange.answer.status or "nothing"
    if changed:
        effect = _effect(operation, before, after, changed)
        shown = changed[0]
        because = (
            f"after a request of {attacker}, answered with {answered}, {victim} reads something "
            f"else ({attempt.mode})"
            + ("; the same for an id that nobody has changed nothing" if sides else "")
        )
        steps = [before.seen[shown].exchange, one.exchange, after.seen[shown].exchange]
        witness = [engine.step(each) for each in steps]
        recipe = retold(world, [one.exchange], view=before.seen[shown].exchange)
    elif one.leaked:
        effect, text = "read", one.leaked[0]
        because = f"{attacker} was shown {text}, which only {victim} has ({attempt.mode})"
        owners = engine.shown.get((operation.at, victim))
        witness = [*([engine.step(owners)] if owners else []), engine.step(one.exchange, text)]
        recipe = retold(world, [one.exchange], absent=text)
    elif one.exchange.answer.accepted and (second := await _second_step(engine, aimed)):
        effect, (text, seen) = "read", second
        because = (
            f"what {attacker} then reads of its own shows {text}, which only {victim} has "
            f"({attempt.mode})"
        )
        witness = [engine.step(one.exchange), engine.step(seen, text)]
        recipe = retold(world, [one.exchange, seen], absent=text)
    else:
        return False
    engine.breach(
        operation, attacker, victim, attack, attempt, effect, because, *witness, recipe=recipe
    )
    return True


def _effect(operation: Operation, before: View, after: View, changed: Sequence[str]) -> Effect:
    """Destroyed, where it is taken away or its owner can't read it any more."""
    if removes(operation):
        return "destroy"
    for key in changed:
        was, now = before.seen[key].exchange.answer, after.seen[key].exchange.answer
        if was.ok and not now.ok:
            return "destroy"
    return "write"


async def _second_step(engine: Engine, aimed: Aim) -> tuple[str, Exchange] | None:
    """Whether what the attacker reads of its own now shows the victim's: text and answer.

    What leaks by itself is found where it is read, and proves nothing here.
    """
    world = engine.world
    leaky = {at for at, _, _ in engine.findings} | set(engine.public) | set(engine.shared)
    made = [one for one in world.made[-NEWEST:] if one.owner == aimed.attacker]
    asked = engine.views.requests(aimed.operation, aimed.attacker, [*aimed.own, *made])
    asked |= engine.views.requests(aimed.operation, aimed.attacker, aimed.victims)
    asked = {key: one for key, one in asked.items() if one[0].at not in leaky}
    later = await engine.views.look(aimed.attacker, asked)
    texts = [text for one in aimed.victims for text in one.canaries]
    for seen in later.seen.values():
        told, request = seen.text.lower(), seen.exchange.request.text.lower()
        for text in texts:
            if text in told and text not in request:
                return text, seen.exchange
    return None


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
    _kept(engine, operation, attacker, other, aimed.mine if isinstance(aimed, Aim) else {})
    if other.answer.ok:
        return ""
    return (
        f"accepted for the id of {victim} ({one.exchange.answer.status}) and refused for one that "
        f"nobody has ({other.answer.status}), but nothing that {victim} can read shows what it "
        f"did, not even its own ({one.attempt.mode})"
    )
