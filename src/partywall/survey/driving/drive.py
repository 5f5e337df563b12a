"""The application's API, as its tenants use it: all signed in, each with something of everything.

It stands on the probe's own machinery: the tenants' doors, the world that they made through the
API itself, and the ledger of whose each canary is. What was made is removed when the probe ends.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.survey.http.bodies import Body
from partywall.survey.http.furnishing import bound
from partywall.survey.http.rendering import Raw, render
from partywall.survey.http.resources import Exchange
from partywall.survey.http.surveying import paired
from partywall.survey.http.wire import EVENTS, Answer, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from partywall.survey.http.engine import Engine
    from partywall.survey.http.graph import Slot
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.resources import Resource
    from partywall.survey.http.wire import Request
    from partywall.survey.http.world import World
    from partywall.survey.verdict import WitnessStep


@dataclass(frozen=True)
class Look:
    """A request by which a tenant is shown what is its own, and only that.

    Attributes:
        at: the operation, as reports print it: ``GET /notes/{note_id}``.
        shown: what of the owner's was in the answer: canaries, ids.
        took_s: how long the answer took, on a quiet API.
    """

    at: str
    owner: str
    request: Request
    shown: tuple[str, ...]
    took_s: float
    operation: Operation
    binding: tuple[tuple[Slot, Any], ...] = ()


class Drive:
    """Asks the API as its tenants, and tells whose what comes back is.

    Attributes:
        tenants: their names.
        pairs: who attacks whom, as in a probe.
        target: the API's address.
        crossing: tenant -> operations that show it another's, with that other; after `looks`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._looks: dict[str, tuple[Look, ...]] = {}
        self.crossing: dict[str, dict[str, str]] = {}
        self.tenants = tuple(engine.world.tenants)
        self.pairs = paired(self.tenants, every=engine.settings.every_pair)
        self.target = engine.world.wire.base

    @property
    def world(self) -> World:
        """What each tenant has."""
        return self._engine.world

    async def ask(self, tenant: str, request: Request) -> Exchange:
        """Ask as *tenant*, or as nobody; whoever was logged out meanwhile is let in again."""
        return await self.world.ask(self.world.actors[tenant], request)

    async def fresh(self, tenant: str, kind: str) -> Resource | None:
        """A new thing of *tenant*, with canaries; None where the API lets it make none."""
        return await self.world.fresh(tenant, kind)

    async def base(self, tenant: str, kind: str) -> Resource | None:
        """The thing that *tenant* has for the whole run; None where it has none."""
        return await self.world.base(tenant, kind)

    async def looks(self, tenant: str) -> tuple[Look, ...]:
        """Every GET that shows *tenant* something of its own, and nothing of another tenant's."""
        if tenant not in self._looks:
            asked = [one for one in self.world.api.operations if one.method == "GET"]
            found = [await self._look(tenant, one) for one in asked]
            self._looks[tenant] = tuple(one for one in found if one is not None)
        return self._looks[tenant]

    async def _look(self, tenant: str, operation: Operation) -> Look | None:
        if self.world.left_out(operation):
            return None
        ids = await bound(self.world, tenant, operation)
        if ids is None:
            return None
        request = self.rendered(tenant, operation, ids)
        began = asyncio.get_running_loop().time()
        done = await self.ask(tenant, request)
        took_s = asyncio.get_running_loop().time() - began
        if done.answer.headers.get("content-type", "").startswith(EVENTS):
            return None
        shown = self.shown(tenant, done)
        others = [other for other in self.tenants if other != tenant and self.leaked(other, done)]
        if others and not self._engine.declared(operation):
            self.crossing.setdefault(tenant, {})[operation.at] = others[0]
        if not done.answer.ok or not shown or others:
            return None
        return Look(
            operation.at, tenant, request, tuple(shown), took_s, operation, tuple(ids.items())
        )

    def rendered(self, tenant: str, operation: Operation, ids: dict[Slot, Any]) -> Request:
        """The request of *tenant* for an operation without a body."""
        return render(self.world.api, operation, ids, Body(), self.world.ledger, tenant)

    def bent(self, look: Look, value: str) -> Request | None:
        """The same with *value*, percent-encoded, for the last id; None where it names none."""
        path = [slot for slot, _ in look.binding if slot.place == "path"]
        if not path:
            return None
        return self.rendered(
            look.owner, look.operation, dict(look.binding) | {path[-1]: Raw(value)}
        )

    def shown(self, owner: str, done: Exchange) -> list[str]:
        """What of *owner*'s is in an answer: canaries, ids."""
        return self.world.ledger.evidence(owner, done.answer.all)

    def leaked(self, owner: str, done: Exchange) -> list[str]:
        """What of *owner*'s is in an answer to somebody who never sent it."""
        asker = done.actor.name
        return self.world.ledger.leaked(owner, asker, done.request.text, done.answer.all)

    def step(self, done: Exchange, about: str = "") -> WitnessStep:
        """An exchange as a step of a witness: a command to paste, its credentials as variables.

        Args:
            done: what was asked, and answered.
            about: what must be seen in the answer as it is shown.
        """
        return self._engine.step(done, about)

    def unanswered(self, tenant: str, request: Request) -> Exchange:
        """A request of which no answer is to be told."""
        return Exchange(self.world.actors[tenant], request, Answer(0))

    @asynccontextmanager
    async def crowd(self, at_once: int) -> AsyncIterator[Crowd]:
        """Connections enough for *at_once* requests under way together."""
        settings = self._engine.settings
        async with Wire(
            self.target,
            hosts=self.world.wire.hosts,
            timeout_s=settings.timeout_s,
            follow_redirects=settings.follow_redirects,
            verify=settings.verify,
            at_once=at_once,
            tolerant=True,
        ) as wire:
            try:
                yield Crowd(self, wire)
            finally:
                self.world.wire.requests += wire.requests


class Crowd:
    """Many requests under way together; who fails among them ends no run."""

    def __init__(self, drive: Drive, wire: Wire) -> None:
        self._drive, self._wire = drive, wire

    async def ask(self, asked: Sequence[tuple[str, Request]]) -> list[Exchange]:
        """Ask all of them at once, each as its tenant; the answers come in the same order."""
        return list(await asyncio.gather(*(self._ask(*one) for one in asked)))

    async def abandon(self, asked: Sequence[tuple[str, Request, float]]) -> int:
        """Ask all of them at once, and hang up on each after so many seconds.

        Returns: how many were hung up on before they were answered.
        """
        left = await asyncio.gather(*(self._abandoned(*one) for one in asked))
        return sum(left)

    async def _abandoned(self, tenant: str, request: Request, after_s: float) -> bool:
        try:
            async with asyncio.timeout(after_s):
                await self._ask(tenant, request)
        except TimeoutError:
            return True
        return False

    async def _ask(self, tenant: str, request: Request) -> Exchange:
        world = self._drive.world
        actor = world.actors[tenant]
        world.ledger.sends(tenant, request.text)
        sent = world.hooks.before_request(actor, request)
        return Exchange(actor, request, await self._wire.send(actor, sent))
