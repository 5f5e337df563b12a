"""The control of a channel: its owner alone, who hears of its own changes or is shown its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.survey.http.ears import listening, until
from partywall.survey.http.triggers import triggers

if TYPE_CHECKING:
    from collections.abc import Collection

    from partywall.survey.http.aim import Aim
    from partywall.survey.http.channels import Channel
    from partywall.survey.http.ears import Ear
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.ledger import Ledger
    from partywall.survey.http.resources import Exchange
    from partywall.survey.http.triggers import Trigger

REPLAY_S = 0.2
"""So long it is waited for what is replayed on opening."""
HEAR_S = 1.2
"""So long an owner may take to hear of its own change."""
GRACE_S = 0.2
"""So long after the first one all others may take."""
SPEAK_S = 0.3
"""So long a message may take from one connection to another."""


@dataclass
class Control:
    """What an owner heard on its own channel.

    Attributes:
        working: triggers that it heard of.
        said: messages that went from one of its connections to another.
        words: why nothing can be said; "" where something was heard.
    """

    ear: Ear
    working: list[Trigger] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    words: str = ""


async def controlled(engine: Engine, channel: Channel, aimed: Aim) -> Control:
    """The owner alone: what it hears of its own changes, else what it is shown on opening."""
    world, owner = engine.world, aimed.victim
    ear, speaker = (channel.ear(world, world.actors[owner], aimed.theirs) for _ in range(2))
    control = Control(ear)
    speaks = bool(channel.said) and not engine.settings.read_only
    async with listening([ear, speaker] if speaks else [ear]):
        if not ear.opened:
            control.words = f"as {owner}: {ear.refusal or 'it did not open in time'}"
            return control
        await asyncio.sleep(REPLAY_S)
        tried = await _pulled(engine, channel, aimed, control, speaker)
        if speaks and speaker.opened:
            await _spoken(engine, channel, aimed, control, speaker)
    if not control.working and not control.said:
        await _reopened(engine, channel, aimed, control, tried)
    return control


async def _pulled(
    engine: Engine, channel: Channel, aimed: Aim, control: Control, speaker: Ear
) -> int:
    """Change all that may be told of, and see of what it is; say how many changes were accepted."""
    world, owner, ear = engine.world, aimed.victim, control.ear
    pulled = []
    for trigger in triggers(world, channel.operation, owner, aimed.victims):
        told = f"{ear.asked}\n{ear.text}"
        if done := await trigger.pulled(world, owner):
            pulled.append((trigger, news(world.ledger, owner, done, told)))
    every = {text for _, texts in pulled for text in texts}
    if every and await until(lambda: carries(every, ear, speaker) or bool(ear.refusal), HEAR_S):
        await asyncio.sleep(GRACE_S)
    control.working = [one for one, texts in pulled if carries(texts, ear, speaker)]
    return len(pulled)


async def _spoken(
    engine: Engine, channel: Channel, aimed: Aim, control: Control, speaker: Ear
) -> None:
    """Find a message that goes from one of the owner's connections to the other."""
    said = {engine.world.ledger.canary(aimed.victim): text for text in channel.said}
    for canary, text in said.items():
        await speaker.say(channel.message(text, aimed.theirs, canary))
    await until(lambda: carries(said, control.ear) or bool(speaker.refusal), SPEAK_S)
    heard = [text for canary, text in said.items() if carries([canary], control.ear)]
    control.said = heard[:1]


async def _reopened(
    engine: Engine, channel: Channel, aimed: Aim, control: Control, tried: int
) -> None:
    """What is shown on opening, now that there is something to show."""
    world, owner, before = engine.world, aimed.victim, control.ear
    again = control.ear = channel.ear(world, world.actors[owner], aimed.theirs)

    def shown() -> bool:
        asked = again.asked.lower()
        found = world.ledger.evidence(owner, again.text)
        return any(one.lower() not in asked for one in found)

    async with listening([again]):
        await until(lambda: shown() or bool(again.refusal), HEAR_S)
    if not shown():
        ended = f"; {before.refusal}" if before.refusal else ""
        control.words = (
            f"as {owner}: it opened, and nothing was heard of what {owner} has or changes "
            f"({tried or 'none'} of the changes that were tried were accepted{ended})"
        )


def news(ledger: Ledger, owner: str, done: Exchange, told: str) -> set[str]:
    """What of the owner's a change has that wasn't *told*: to hear it is to hear of the change."""
    known = told.lower()
    found = ledger.evidence(owner, f"{done.request.text}\n{done.answer.all}")
    return {one for one in found if one.lower() not in known}


def carries(texts: Collection[str], *ears: Ear) -> bool:
    """Whether any of them was heard by any of these."""
    return any(text.lower() in ear.text.lower() for text in texts for ear in ears)
