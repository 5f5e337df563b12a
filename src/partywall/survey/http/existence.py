"""Whether an API tells that another tenant has an id: its answer beside that for nobody's id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey.http.aim import aim
from partywall.survey.http.attempt import Attempt
from partywall.survey.http.clearing import made_by
from partywall.survey.http.compared import EXISTENCE, EXISTENCE_FIX, UNIQUE, UNIQUE_FIX
from partywall.survey.http.recipe import HttpFinding
from partywall.survey.http.retelling import retold
from partywall.survey.verdict import Finding, explained

if TYPE_CHECKING:
    from partywall.survey.http.aim import Aim
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Exchange
    from partywall.survey.http.wire import Request

OTHERS_ID = "others-id"
NOT_MODIFIED = 304
BROKEN = 500
CONFLICTS = frozenset({400, 409, 422})
VOLATILE = re.compile(r"\d+")
FEWEST = 2
"""So many operations must hide what one tells before that one is a mistake, and no design."""


async def compare(engine: Engine, aimed: Aim, attempt: Attempt, done: Exchange) -> None:
    """Ask for nobody's id in the same way, and note whether the answers differ."""
    world, at = engine.world, aimed.operation.at
    made = aimed.request(attempt, "nobody")
    if made is None or at in engine.tells:
        return
    actor = world.actors[aimed.attacker]
    nobody = await world.ask(actor, made[0])
    made_by(world, aimed.operation, aimed.attacker, nobody, aimed.mine)
    if not nobody.answer.status < BROKEN or not done.answer.status < BROKEN:
        return  # a crash tells of the crash
    differ = nobody.answer.status != done.answer.status
    if not differ:
        mine = _told(done, aimed)
        if mine == _told(nobody, aimed):
            engine.alike.add(at)
            return
        again = await world.ask(actor, made[0])
        if _told(again, aimed) != _told(nobody, aimed):
            engine.alike.add(at)  # it never answers the same
            return
    because = (
        f"to {aimed.attacker} the id of {aimed.victim} is answered with {done.answer.status}, one "
        f"that nobody has with {nobody.answer.status}"
        if differ
        else f"to {aimed.attacker} the id of {aimed.victim} is answered in other words than one "
        "that nobody has"
    )
    engine.tells[at] = HttpFinding(
        *EXISTENCE, "http", "detect", at, aimed.attacker, aimed.victim,
        (engine.step(done), engine.step(nobody)), because, EXISTENCE_FIX,
        explained(EXISTENCE[1]),
        recipe=await retold(world, [done], alike=nobody) if differ else None,
    )  # fmt: skip


async def conditional(engine: Engine, aimed: Aim, attempt: Attempt, control: Exchange) -> None:
    """Ask with the owner's ETag: 304 confirms to a stranger that what it has is what is there."""
    etag, at = control.answer.headers.get("etag"), aimed.operation.at
    made = aimed.request(attempt)
    if etag is None or made is None or at in engine.tells:
        return
    request = made[0].but(headers=(*made[0].headers, ("If-None-Match", etag)))
    done = await engine.world.ask(engine.world.actors[aimed.attacker], request)
    if done.answer.status != NOT_MODIFIED:
        return
    because = (
        f"to {aimed.attacker} a conditional request for what is {aimed.victim}'s is answered with "
        "304: it is there, and unchanged"
    )
    engine.tells[at] = Finding(
        *EXISTENCE, "http", "detect", at, aimed.attacker, aimed.victim,
        (engine.step(control), engine.step(done)), because, EXISTENCE_FIX, explained(EXISTENCE[1]),
    )  # fmt: skip


async def conflicts(engine: Engine, operation: Operation, attacker: str, victim: str) -> None:
    """Make what the victim has made, word for word: a refusal tells that somebody has it."""
    world, at = engine.world, operation.at
    theirs = engine.shown.get((at, victim))
    makes = any(operation in kind.makers[:1] for kind in world.graph.kinds.values())
    if theirs is None or not makes or at in engine.tells:
        return
    aimed = await aim(world, operation, attacker, victim, fresh=False)
    if isinstance(aimed, str) or not isinstance(theirs.request.body, dict):
        return
    for name, value in theirs.request.body.items():
        unique = isinstance(value, str) and any(text in value for text in theirs.canaries)
        own = aimed.request(Attempt("its own words")) if unique else None
        if own is None or not isinstance(own[0].body, dict) or name not in own[0].body:
            continue
        plain = await _made(engine, aimed, own[0])
        done = await _made(engine, aimed, own[0].but(body={**own[0].body, name: value}))
        if plain.answer.ok and done.answer.status in CONFLICTS:
            because = (
                f"{attacker} is refused ({done.answer.status}) a {name} that {victim} has, and "
                "gets any other: it tells that somebody has it"
            )
            steps = tuple(engine.step(one) for one in (theirs, plain, done))
            recipe = await retold(world, [done], control=theirs, alike=plain)
            engine.tells[at] = HttpFinding(
                *UNIQUE, "http", "detect", at, attacker, victim, steps, because, UNIQUE_FIX,
                explained(UNIQUE[1]), recipe=recipe,
            )  # fmt: skip
            return


async def _made(engine: Engine, aimed: Aim, request: Request) -> Exchange:
    """Ask as the attacker, and note what it may have made."""
    done = await engine.world.ask(engine.world.actors[aimed.attacker], request)
    made_by(engine.world, aimed.operation, aimed.attacker, done, aimed.mine)
    return done


def _told(exchange: Exchange, aimed: Aim) -> str:
    """An answer without the ids that were asked for, and without numbers."""
    text = exchange.answer.text
    for ids in (aimed.theirs, aimed.none, aimed.mine):
        for value in ids.values():
            for one in value if isinstance(value, list) else [value]:
                text = text.replace(str(one), "#")
    return VOLATILE.sub("0", text)


def judged(engine: Engine) -> list[Finding]:
    """Those differences that are findings, as the configuration says.

    With "auto" it is one operation's mistake where all others that could be compared hide it.
    """
    told = [one for at, one in engine.tells.items() if at not in {f[0] for f in engine.findings}]
    match engine.settings.existence:
        case "secret":
            return told
        case "auto" if len(told) == 1 and len(engine.alike - set(engine.tells)) >= FEWEST:
            return told
        case _:
            return []
