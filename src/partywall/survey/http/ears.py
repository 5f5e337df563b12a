"""Who listens at a channel that stays open, and what was heard there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from partywall.survey.http.resources import Exchange
from partywall.survey.http.wire import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.wire import Request, Wire

OPEN_S = 2.0
"""So long a channel may take to open."""
TICK_S = 0.02
MOST = 500
"""So many messages are kept."""
SWITCHED, GOOD = 101, 200


@dataclass
class Ear:
    """One connection of one actor.

    Attributes:
        messages: sent as soon as it is open.
        heard: what came, in order.
        refusal: why it isn't open, or no more.
        status: of the answer that opened it, or refused to.
        opened: it was let in, if only for a moment.
        settled: it is open, or refused.
    """

    wire: Wire
    actor: Actor
    request: Request
    messages: Sequence[str] = ()
    heard: list[str] = field(default_factory=list)
    refusal: str = ""
    status: int = 0
    opened: bool = False
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Open the channel, and hear until it ends."""
        raise NotImplementedError

    async def say(self, text: str) -> None:
        """Send a message; nothing happens where the channel takes none."""

    def command(self, said: Sequence[str] = ()) -> str:
        """What opens it again, from a shell; *said* is sent after its own messages."""
        raise NotImplementedError

    @property
    def asked(self) -> str:
        """All that was sent to open it."""
        return "\n".join([self.request.text, *self.messages])

    @property
    def text(self) -> str:
        """All that was heard."""
        return "\n".join(self.heard)

    @property
    def exchange(self) -> Exchange:
        """As if it had been a request: with all that was heard for an answer."""
        answer = Answer(self.status, {}, self.text.encode(), self.refusal)
        return Exchange(self.actor, self.request, answer)

    def open(self) -> None:
        """Note that it was let in."""
        self.opened = True
        self.settled.set()

    def hears(self, message: str) -> None:
        """Keep what came."""
        if len(self.heard) < MOST:
            self.heard.append(message)

    async def run(self) -> None:
        """Listen; whatever ends it is its refusal."""
        try:
            await self.listen()
            self.refusal = self.refusal or "it was closed"
        finally:
            self.settled.set()


@asynccontextmanager
async def listening(ears: Iterable[Ear]) -> AsyncIterator[None]:
    """All of them open, as far as they are let in; closed with the block."""
    several = list(ears)
    tasks = [asyncio.create_task(one.run()) for one in several]
    try:
        waiting = [asyncio.create_task(one.settled.wait()) for one in several]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=OPEN_S)
            for one in late:
                one.cancel()
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


async def until(said: Callable[[], bool], most_s: float) -> bool:
    """Wait for something to be true, but no longer than that."""
    end = asyncio.get_running_loop().time() + most_s
    while not said():
        if asyncio.get_running_loop().time() >= end:
            return False
        await asyncio.sleep(TICK_S)
    return True
