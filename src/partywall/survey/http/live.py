"""Attack what tells by itself: WebSockets, server-sent events, socket.io.

Its owner listens first, and changes something: to hear of it is the control. Then everybody listens
at once, the owner changes something again, and what came to somebody else is a breach.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from partywall.survey.http.aim import aim
from partywall.survey.http.channels import channels, furnished
from partywall.survey.http.engine import CONTROL, matches
from partywall.survey.http.hearing import controlled
from partywall.survey.http.overhearing import Round
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.channels import Channel
    from partywall.survey.http.engine import Engine

AT_ONCE = 4
"""So many channels are attacked at a time."""


async def live(engine: Engine, pairs: Sequence[tuple[str, str]]) -> None:
    """Attack every channel in every direction."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(channel: Channel) -> None:
        async with limit:
            await furnished(engine, channel)
            for attacker, victim in pairs:
                await _attacked(engine, channel, attacker, victim)

    found = []
    for channel in await channels(engine):
        if any(matches(pattern, channel.operation) for pattern in engine.settings.deny):
            because = "left out by [api] deny"
            engine.undecided.append(Undecided(*CONTROL, "read", channel.operation.at, because))
        else:
            found.append(one(channel))
    await asyncio.gather(*found)


async def _attacked(engine: Engine, channel: Channel, attacker: str, victim: str) -> None:
    """One channel in one direction."""
    operation = channel.operation
    known = {at for at, _, effect in engine.findings if effect == "read"} | set(engine.public)
    if operation.at in known and operation in engine.world.api.operations:
        return  # events that leak as soon as they are asked for were found as an answer
    aimed = await aim(engine.world, operation, attacker, victim, fresh=False)
    if isinstance(aimed, str):
        engine.open(operation, attacker, victim, aimed)
        return
    control = channel.controls.get(victim)
    if control is None:
        control = channel.controls[victim] = await controlled(engine, channel, aimed)
    if control.words:
        engine.open(operation, attacker, victim, control.words)
        return
    engine.controls["proved"] += 1
    await Round(engine, channel, aimed, control).play()
