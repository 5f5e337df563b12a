"""The flow of a survey of a pool through the application's API: storms, and who is answered what.

Only requests that promise to change nothing are sent, of which each tenant was shown its own alone
while the API was quiet. What counts is what comes back: a canary of another tenant is a breach,
and that both see their own again afterwards is the control.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice
from typing import TYPE_CHECKING

from partywall.survey.layers import LayerReport, Tried, Watch
from partywall.survey.pool.attacks import every_attack
from partywall.survey.pool.attempt import Storm
from partywall.survey.verdict import Finding, Undecided, explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from partywall.survey.driving.drive import Crowd, Drive, Look
    from partywall.survey.http.resources import Exchange
    from partywall.survey.http.wire import Request
    from partywall.survey.pool.attempt import Attack
    from partywall.survey.pool.settings import PoolSettings
    from partywall.survey.verdict import State, WitnessStep

MOST = 24
"""So many operations of each tenant are asked: they share their connections with all others."""
ROUNDS = 3
WAVES = 8
"""So many times requests are hung up on, each time later: from a quarter of the time that an answer
takes to twice of it, since a storm slows them."""
IMPOSSIBLE = ("%00", "9" * 40, "%27", "%ff%fe", "-1")
"""Ids that many a database refuses, or that break a statement."""
UNAUTHENTICATED, BROKEN = 401, 500
FEWEST_S = 0.001
PAUSE_S = 0.2


@dataclass
class Weather:
    """What came of one storm.

    Attributes:
        leaks: what of another tenant's an answer held, at an operation, and that answer.
        shown: operations at which the victim was shown its own afterwards.
        silent: those at which it was not, with what came instead.
        struck: whether the storm was one: requests hung up on, failed within, or answered to both.
    """

    leaks: list[tuple[Look, str, Exchange]] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)
    silent: dict[str, Exchange] = field(default_factory=dict)
    struck: bool = False


async def survey(settings: PoolSettings, drive: Drive, watch: Watch) -> LayerReport:
    """Let each tenant storm, and see what it and its neighbour are answered."""
    return await _Survey(settings, drive, watch).run()


@dataclass
class _Survey:
    settings: PoolSettings
    drive: Drive
    watch: Watch
    findings: dict[tuple[str, ...], Finding] = field(default_factory=dict)
    undecided: list[Undecided] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    controls: Counter[str] = field(default_factory=Counter)
    down: str = ""
    """Since which storm the application answers no more, in words."""

    async def run(self) -> LayerReport:
        """Every attack for every pair: the stormer, and who asks after it."""
        began = time.perf_counter()
        attacks = [one for one in every_attack() if one.storms]
        for stormer, other in self.drive.pairs:
            self.watch.stage(f"{stormer} storms, {other} asks")
            theirs, own = await self._looks(stormer), await self._looks(other)
            self._crossing(other)
            if not theirs or not own:
                self._blind(stormer if not theirs else other)
                continue
            seen: dict[Storm, Weather] = {}
            for attack in attacks:
                for storm in attack.plan():  # type: ignore[call-arg] # those that storm take none
                    assert isinstance(storm, Storm)  # noqa: S101 - as above
                    blown = replace(storm, lasting=False)
                    if blown not in seen and not self.down:
                        seen[blown] = await self._storm(storm, theirs, own)
                        if any(map(_down, seen[blown].silent.values())):
                            self.down = f"{stormer}'s requests that were {storm.mode}"
                    if blown in seen:
                        self._told(attack, storm, (stormer, other), seen[blown], theirs, own)
                    else:
                        self._undone(attack, storm)
        return LayerReport(
            "pool",
            f"{self.drive.target} (through the API)",
            tuple(self.findings.values()),
            tuple(dict.fromkeys(self.undecided)),
            tuple(self.tried),
            {name: self.controls[name] for name in ("proved", "failed")},
            self.drive.tenants,
            time.perf_counter() - began,
            left=tuple(dict.fromkeys(self.left)),
        )

    async def _looks(self, tenant: str) -> tuple[Look, ...]:
        """The quickest first: of those most are under way at once."""
        every = sorted(await self.drive.looks(tenant), key=lambda one: one.took_s)
        if len(every) > MOST:
            self.left.append(
                f"storms ask {MOST} of the {len(every)} operations that show {tenant} its own: "
                "all of an application's operations share its connections"
            )
        return tuple(every[:MOST])

    def _crossing(self, tenant: str) -> None:
        """What shows another tenant's though nobody storms can't show what a storm does."""
        attack = next(one for one in every_attack() if one.storms)
        for at, other in self.drive.crossing.get(tenant, {}).items():
            because = (
                f"{tenant} is shown what is {other}'s, though nobody else asks: probe the API to "
                f'see whether that is a breach, or declare it: [[public]] operation = "{at}"'
            )
            told = Undecided(attack.code, attack.name, attack.effect, f"pool {at}", because)
            self.undecided.append(told)

    def _blind(self, tenant: str) -> None:
        because = f"no GET shows {tenant} anything that is its alone: nothing could be told apart"
        for attack in every_attack():
            if attack.storms:
                told = Undecided(attack.code, attack.name, attack.effect, "pool API", because)
                self.undecided.append(told)

    def _undone(self, attack: Attack, storm: Storm) -> None:
        """A storm on what is down already would prove nothing, and do harm."""
        because = f"{storm.mode}: not tried, since the application was down after {self.down}"
        told = Undecided(attack.code, attack.name, attack.effect, "pool API", because)
        self.undecided.append(told)

    async def _storm(self, storm: Storm, theirs: Sequence[Look], own: Sequence[Look]) -> Weather:
        """One storm of *theirs*, and what the owner of *own* is answered during and after it."""
        weather = Weather()
        for one in (theirs[0], own[0]):  # whose log-in has ended meanwhile is let in again
            await self.drive.ask(one.owner, one.request)
        async with self.drive.crowd(self.settings.at_once) as crowd:
            for turn in range(WAVES if storm.abandoned else ROUNDS):
                await self._blow(storm, crowd, theirs, own, weather, turn)
                between = list(islice(cycle(own), self.settings.at_once))
                done = await crowd.ask([(one.owner, one.request) for one in between])
                for look, exchange in zip(between, done, strict=True):
                    self._judged(look, exchange, weather)
            await self._after(crowd, own, weather)
        return weather

    async def _blow(
        self,
        storm: Storm,
        crowd: Crowd,
        theirs: Sequence[Look],
        own: Sequence[Look],
        weather: Weather,
        turn: int,
    ) -> None:
        many = self.settings.at_once
        if storm.abandoned:
            asked = [
                (one.owner, one.request, self._half_way_s(one, turn, number / many))
                for number, one in enumerate(islice(cycle(theirs), many))
            ]
            weather.struck |= await crowd.abandon(asked) > 0
            return
        if storm.failing:
            bent = list(self._bent(theirs))
            failed = await crowd.ask(list(islice(cycle(bent), many))) if bent else []
            weather.struck |= any(one.answer.status >= BROKEN for one in failed)
            return
        sides = (theirs, own) if turn % 2 else (own, theirs)
        turns = zip(cycle(sides[0]), cycle(sides[1]), strict=False)  # without an end
        looks = list(islice(chain.from_iterable(turns), many))
        done = await crowd.ask([(one.owner, one.request) for one in looks])
        answered = set()
        for look, exchange in zip(looks, done, strict=True):
            self._judged(look, exchange, weather)
            answered |= {look.owner} if self._own(look, exchange) else set()
        weather.struck |= answered == {theirs[0].owner, own[0].owner}

    def _half_way_s(self, look: Look, turn: int, part: float) -> float:
        return max(look.took_s * (turn + 1) / (WAVES / 2) * (0.5 + part), FEWEST_S)

    def _bent(self, looks: Sequence[Look]) -> Iterator[tuple[str, Request]]:
        for value in IMPOSSIBLE:
            for look in looks:
                request = self.drive.bent(look, value)
                if request is not None:
                    yield look.owner, request

    async def _after(self, crowd: Crowd, own: Sequence[Look], weather: Weather) -> None:
        """Ask as the other on as many connections as there are; then until it is right again."""
        for look in own:
            asked = [(look.owner, look.request)] * self.settings.at_once
            for exchange in await crowd.ask(asked):
                self._judged(look, exchange, weather)
        end = asyncio.get_running_loop().time() + self.settings.patience_s
        waiting = list(own)
        while waiting:
            for look in tuple(waiting):
                [exchange] = await crowd.ask([(look.owner, look.request)])
                if exchange.answer.status == UNAUTHENTICATED:  # its log-in has ended meanwhile
                    exchange = await self.drive.ask(look.owner, look.request)
                self._judged(look, exchange, weather)
                if self._own(look, exchange):
                    weather.shown.add(look.at)
                    weather.silent.pop(look.at, None)
                    waiting.remove(look)
                else:
                    weather.silent[look.at] = exchange
            if asyncio.get_running_loop().time() > end:
                return
            if waiting:
                await asyncio.sleep(PAUSE_S)

    def _own(self, look: Look, exchange: Exchange) -> bool:
        shown = set(self.drive.shown(look.owner, exchange))
        return exchange.answer.ok and bool(shown & set(look.shown))

    def _judged(self, look: Look, exchange: Exchange, weather: Weather) -> None:
        for other in self.drive.tenants:
            if other != look.owner and self.drive.leaked(other, exchange):
                weather.leaks.append((look, other, exchange))

    def _told(
        self,
        attack: Attack,
        storm: Storm,
        pair: tuple[str, str],
        weather: Weather,
        theirs: Sequence[Look],
        own: Sequence[Look],
    ) -> None:
        """Note how it ended, for each operation at which somebody was asked."""
        stormer, other = pair
        blown = self._blown(storm, theirs)
        leaked: set[tuple[str, str]] = set()
        for look, victim, exchange in () if storm.lasting else weather.leaks:
            leaked.add((look.at, look.owner))
            because = (
                f"{storm.mode}: {look.owner} asked for its own, and was answered with {victim}'s"
            )
            proof = next(iter(self.drive.leaked(victim, exchange)))
            steps = (blown, self.drive.step(exchange, proof))
            self._found(attack, look, (look.owner, victim), because, steps)
        for look in own:
            if (look.at, look.owner) in leaked:
                continue
            who = (stormer, other) if storm.lasting else (other, stormer)
            state, because = self._state(attack, storm, look, weather)
            if state == "breached":
                steps = (blown, self.drive.step(weather.silent[look.at]))
                self._found(attack, look, who, because, steps)
                continue
            self.controls["proved" if state == "held" else "failed"] += state != "closed"
            self._record(Tried(_at(look), *who, attack.name, state, because))
            if state == "undecided":
                self.undecided.append(
                    Undecided(attack.code, attack.name, attack.effect, _at(look), because)
                )

    def _state(
        self, attack: Attack, storm: Storm, look: Look, weather: Weather
    ) -> tuple[State, str]:
        if look.at in weather.shown and weather.struck:
            return "held", ""
        if look.at in weather.silent:
            last = weather.silent[look.at]
            if storm.lasting and _down(last):
                return "breached", (
                    f"{look.owner} was answered before, and {self.settings.patience_s:g} s after "
                    f"the last of many requests {storm.mode} still not: {last.answer.words}"
                )
            told = f", but answered {last.answer.status}" if last.answer.status else ""
            return "undecided", f"{look.owner} was not shown its own again after the storm{told}"
        if storm.failing:
            return "closed", "no request could be made to fail within: none was answered with 5xx"
        if storm.abandoned:
            return "undecided", f"{attack.name}: all was answered before anybody could hang up"
        return "undecided", (
            f"{attack.name}: of many requests at once none showed a tenant its own, so nothing "
            "could cross: let fewer be sent at once ([pool] at_once)"
        )

    def _found(
        self,
        attack: Attack,
        look: Look,
        who: tuple[str, str],
        because: str,
        steps: tuple[WitnessStep, ...],
    ) -> None:
        key = (attack.name, look.at, *who)
        if key in self.findings:
            return
        self.findings[key] = Finding(
            attack.code, attack.name, "pool", attack.effect, _at(look), *who, steps, because,
            attack.fix, explained(attack.name),
        )  # fmt: skip
        self.controls["proved"] += 1
        self._record(Tried(_at(look), *who, attack.name, "breached"))

    def _record(self, tried: Tried) -> None:
        self.tried.append(tried)
        self.watch.judged(tried)

    def _blown(self, storm: Storm, theirs: Sequence[Look]) -> WitnessStep:
        """The storm as a command: one of its requests, as often and as fast."""
        look, many = theirs[0], self.settings.at_once
        request, limit = look.request, ""
        if storm.abandoned:
            limit = f" --max-time {max(look.took_s / 2, FEWEST_S):.3f}"
        if storm.failing:
            request = next((one for _, one in self._bent(theirs)), request)
        step = self.drive.step(self.drive.unanswered(look.owner, request))
        command = step.request.replace("curl ", f"curl{limit} ", 1)
        told = f"for _ in $(seq {many}); do {command} -o /dev/null & done; wait"
        times = WAVES if storm.abandoned else ROUNDS
        said = f"{times} times, with {look.owner}'s other requests among them; {storm.mode}"
        return replace(step, request=told, returned=said)


def _down(exchange: Exchange) -> bool:
    """Whether nobody is served; who is refused, or told to come later, is."""
    return not 0 < exchange.answer.status < BROKEN


def _at(look: Look) -> str:
    return f"pool {look.at}"
