"""How actors come in, and come in again: fixed credentials, a declared log-in, a hook."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from partywall.survey.http.actors import Actor
from partywall.survey.http.asking import asking
from partywall.survey.http.signing_in import sign_in

if TYPE_CHECKING:
    from partywall.survey.http.hooks import Hooks
    from partywall.survey.http.settings import ApiSettings, Credentials, LogIn
    from partywall.survey.http.wire import Answer, Request, Wire

RECENT_S = 2.0
"""Who was answered so lately is let in: a 401 is that operation's own."""
UNAUTHENTICATED, FORBIDDEN, BROKEN = 401, 403, 500


class Doors:
    """Lets actors in, and keeps them in: a session that ended, or was ended, is begun again."""

    def __init__(self, settings: ApiSettings, wire: Wire, hooks: Hooks) -> None:
        self._wire, self._hooks = wire, hooks
        self._log_ins: dict[str, LogIn] = {
            one.name: one.log_in for one in settings.tenants if one.log_in is not None
        }
        self._pulse: dict[str, Request] = {}
        self._heard_s: dict[str, float] = {}
        self._lock = asyncio.Lock()

    async def enter(self, actor: Actor) -> bool:
        """Give *actor* credentials; whether there was anything to do.

        Raises:
            TargetError: the log-in was refused.
        """
        log_in = self._log_ins.get(actor.name)
        if log_in is not None:
            await sign_in(actor, log_in, self._wire)
        hooked = await self._hooks.sign_in(actor, asking(self._wire, actor))
        return hooked or log_in is not None

    async def send(self, actor: Actor, request: Request) -> Answer:
        """Ask as *actor*; where its session has ended meanwhile, let it in and ask again."""
        request = self._hooks.before_request(actor, request)
        answer = await self._wire.send(actor, request)
        if answer.ok and request.method == "GET":
            known = self._pulse.get(actor.name)
            if known is None or len(request.target) < len(known.target):
                self._pulse[actor.name] = request
        if answer.ok:
            self._heard_s[actor.name] = time.monotonic()
        silent_s = time.monotonic() - self._heard_s.get(actor.name, 0.0)
        if answer.status == UNAUTHENTICATED and actor.name in self._pulse and silent_s > RECENT_S:
            before = dict(actor.headers), dict(actor.cookies)
            if not await self.alive(actor, again=before):
                return answer
            if before != (actor.headers, actor.cookies):
                return await self._wire.send(actor, request)
        return answer

    async def alive(
        self, actor: Actor, again: tuple[dict[str, str], dict[str, str]] | None = None
    ) -> bool:
        """Whether *actor* is still let in where it was before; a log-in is tried where not."""
        pulse = self._pulse.get(actor.name)
        if pulse is None:
            return True
        async with self._lock:
            if again is not None and again != (actor.headers, actor.cookies):
                return True  # somebody else has just let it in
            if self._lives(await self._wire.send(actor, pulse)):
                return True
            if not await self.enter(actor):
                return False
            return self._lives(await self._wire.send(actor, pulse))

    def _lives(self, answer: Answer) -> bool:
        return answer.status not in {UNAUTHENTICATED, FORBIDDEN} and 0 < answer.status < BROKEN


def actor_of(one: Credentials) -> Actor:
    """A tenant as it asks."""
    return Actor(one.name, dict(one.headers), dict(one.cookies), dict(one.own), one.base)
