"""The flow of a survey of sockets: two members listen, one leaves, and something is published."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from partywall.errors import TargetError
from partywall.survey.http.answers import returned
from partywall.survey.http.curl import curl
from partywall.survey.http.doors import actor_of
from partywall.survey.http.ears import listening, until
from partywall.survey.http.events import EventEar
from partywall.survey.http.hearing import GRACE_S
from partywall.survey.http.hiding import hidden, variables
from partywall.survey.http.ledger import Ledger
from partywall.survey.http.signing_in import sign_in
from partywall.survey.http.sockets import SocketEar
from partywall.survey.http.wire import Request, Wire, host_of, loopback
from partywall.survey.layers import LayerReport, Tried, Watch
from partywall.survey.sockets.attacks import every_attack
from partywall.survey.sockets.attempt import Heard, judged
from partywall.survey.verdict import Finding, Undecided, WitnessStep, explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.ears import Ear
    from partywall.survey.http.settings import Credentials
    from partywall.survey.http.wire import Answer
    from partywall.survey.sockets.attempt import Attack, Attempt
    from partywall.survey.sockets.settings import Asked, Member, SocketsSettings

FORMER = "former member of {}"
LATE = "it did not open in time"


@dataclass
class Run:
    """What became of one tenant's members.

    Attributes:
        steps: what was asked and heard, in order.
        left: sentences on what stays.
    """

    heard: dict[str, Heard] = field(default_factory=dict)
    steps: list[WitnessStep] = field(default_factory=list)
    ears: dict[str, WitnessStep] = field(default_factory=dict)
    controls: list[bool] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def survey(settings: SocketsSettings, watch: Watch | None = None) -> LayerReport:
    """Let a member of each tenant leave with a socket open, and see what is heard; give it back.

    Raises:
        TargetError: the application doesn't answer, or a member can't sign in.
    """
    return asyncio.run(Survey(settings, watch).report())


class Survey:
    """One run over all tenants."""

    def __init__(self, settings: SocketsSettings, watch: Watch | None) -> None:
        self._settings, self._watch = settings, watch or Watch()
        names = [member.name for member in settings.members]
        self._ledger = Ledger(secrets.randbelow(2**31), names)
        self._findings: list[Finding] = []
        self._undecided: list[Undecided] = []
        self._tried: list[Tried] = []
        self._left: list[str] = []
        self._controls = {"proved": 0, "failed": 0}

    async def report(self) -> LayerReport:
        """Run it."""
        settings, began_s = self._settings, time.monotonic()
        bases = [settings.base, *(m.stays.base for m in settings.members)]
        hosts = [host_of(at) for base in bases if base for at in (base, loopback(base)[0])]
        async with Wire(
            settings.base,
            hosts=(*settings.hosts, *hosts),
            timeout_s=settings.timeout_s,
            verify=settings.verify,
        ) as wire:
            for member in settings.members:
                await self._of(member, wire)
        if not settings.members:
            self._open("no tenant is declared: write [tenants.NAME], with its credentials")
        return LayerReport(
            "sockets",
            settings.base,
            tuple(self._findings),
            tuple(dict.fromkeys(self._undecided)),
            tuple(self._tried),
            self._controls,
            tuple(member.name for member in settings.members),
            time.monotonic() - began_s,
            left=tuple(self._left),
        )

    async def _of(self, member: Member, wire: Wire) -> None:
        """One tenant."""
        self._watch.stage(f"a member leaves {member.name}")
        attempts = [(attack, attempt) for attack in every_attack() for attempt in attack.plan()]
        missing = lacking(member)
        run = Run()
        if missing:
            run.heard = {a.mode: Heard(missing, after=False, stayed=False) for _, a in attempts}
        else:
            await Scene(self._settings, wire, self._ledger, member, run).play(
                [attempt for _, attempt in attempts]
            )
        for proved in run.controls:
            self._controls["proved" if proved else "failed"] += 1
        self._left += run.left
        for attack, attempt in attempts:
            self._judge(member, run, attack, attempt)

    def _judge(self, member: Member, run: Run, attack: Attack, attempt: Attempt) -> None:
        at, former = self._settings.at, FORMER.format(member.name)
        state, because = judged(run.heard[attempt.mode])
        tried = Tried(at, former, member.name, attack.name, state, because)
        self._tried.append(tried)
        self._watch.judged(tried)
        if state == "undecided":
            self._open(f"{member.name}: {because}", attack)
        if state == "breached":
            told = (
                f"after the membership has ended, what {member.name} publishes is heard on a "
                f"socket that was {attempt.mode}"
            )
            self._findings.append(
                Finding(
                    attack.code, attack.name, "sockets", attack.effect, at, former, member.name,
                    (*run.steps, run.ears[attempt.mode]), told, attack.fix, explained(attack.name),
                )
            )  # fmt: skip

    def _open(self, because: str, attack: Attack | None = None) -> None:
        one = attack or every_attack()[0]
        self._undecided.append(
            Undecided(one.code, one.name, one.effect, self._settings.at, because)
        )


def lacking(member: Member) -> str:
    """What the configuration doesn't say, and nothing can be tried without; "" for nothing."""
    where = f"tenants.{member.name}.sockets"
    if member.leaves is None:
        return f"nobody is declared who leaves: write [{where}] with a second member's credentials"
    if member.leave is None:
        return f"nothing ends a membership: write [{where}.leave] with method and path"
    if member.join is None:
        return f"nothing would give the membership back: write [{where}.join] with method and path"
    return ""


@dataclass
class Scene:
    """Two members of a tenant, and what they hear.

    Raises (when played):
        TargetError: the application doesn't answer, or a member can't sign in.
    """

    settings: SocketsSettings
    wire: Wire
    ledger: Ledger
    member: Member
    run: Run

    async def play(self, attempts: Sequence[Attempt]) -> None:
        """Listen, leave, publish, and come back."""
        member, settings = self.member, self.settings
        assert member.leaves is not None and member.leave is not None  # noqa: S101, PT018 - `lacking`
        self.stays = await self._let_in(member.stays)
        self.leaves = await self._let_in(member.leaves)
        staying, leaving, again = (self._ear(who) for who in (self.stays, self.leaves, self.leaves))
        async with listening([staying, leaving]):
            why = await self._controlled(staying, leaving)
            if why:
                self._all(attempts, Heard(why, after=False, stayed=False))
                return
            try:
                answer = await self._ask(member.leave)
                if not answer.accepted:
                    why = f"the membership could not be ended: {self._words(answer)}"
                    self._all(attempts, Heard(why, after=False, stayed=False))
                    return
                await until(lambda: bool(leaving.refusal), settings.within_s)
                async with listening([again]):
                    canary = await self._published()
                    stayed = await until(lambda: canary in staying.text, settings.patience_s)
                    await asyncio.sleep(GRACE_S)
            finally:
                await asyncio.shield(self._back())
        self.run.controls.append(stayed)
        for attempt in attempts:
            ear = again if attempt.reopened else leaving
            late = "" if ear.opened or ear.refusal else f"as {ear.actor.name}: {LATE}"
            self.run.heard[attempt.mode] = Heard(late, after=canary in ear.text, stayed=stayed)
            self.run.ears[attempt.mode] = self._heard(ear, canary)

    async def _controlled(self, staying: Ear, leaving: Ear) -> str:
        """Whether both hear what is published, as long as both are members; why not."""
        for ear in (staying, leaving):
            if not ear.opened:
                self.run.controls.append(False)
                return f"as {ear.actor.name}: {ear.refusal or LATE}"
        canary = await self._published()
        both = await until(
            lambda: canary in staying.text and canary in leaving.text, self.settings.patience_s
        )
        self.run.controls.append(both)
        if both:
            return ""
        deaf = next(ear.actor.name for ear in (staying, leaving) if canary not in ear.text)
        return f"{deaf} heard nothing of what was published while it was a member"

    async def _let_in(self, credentials: Credentials) -> Actor:
        actor = actor_of(credentials)
        if credentials.log_in is not None:
            await sign_in(actor, credentials.log_in, self.wire)
        return actor

    def _ear(self, actor: Actor) -> Ear:
        kind = EventEar if self.settings.events else SocketEar
        said = [self.settings.message] if self.settings.message else []
        return kind(self.wire, actor, request("GET", self.settings.path, actor.own), said)

    async def _published(self) -> str:
        """Have a canary published; it."""
        canary = self.ledger.canary(self.member.name)
        answer = await self._ask(self.settings.publish, canary)
        if not answer.status:
            raise TargetError(f"nothing answers at {self.wire.base}: {answer.error}")
        return canary

    async def _ask(self, asked: Asked, canary: str = "") -> Answer:
        actor = self.leaves if asked.leaves else self.stays
        known = {**actor.own, "canary": canary} if canary else actor.own
        sent = request(asked.method, asked.path, known)
        if asked.json is not None:
            sent = sent.but(media="application/json", body=filled(asked.json, known))
        answer = await self.wire.send(actor, sent)
        shown = curl(actor, sent, self.wire.base, others=self._both, verify=self.wire.verify)
        told = returned(answer, self._secrets)
        self.run.steps.append(WitnessStep(actor.name, "", told, shown))
        return answer

    async def _back(self) -> None:
        """Give the membership back."""
        assert self.member.join is not None  # noqa: S101 - `lacking`
        shown = [*self.run.steps]
        answer = await self._ask(self.member.join)
        self.run.steps = shown
        if not answer.accepted:
            self.run.left.append(
                f"the membership of {self.leaves.name} could not be given back: "
                f"{self._words(answer)}"
            )

    def _heard(self, ear: Ear, canary: str) -> WitnessStep:
        told = returned(ear.exchange.answer, self._secrets, canary)
        return WitnessStep(ear.actor.name, "", told, ear.command())

    def _all(self, attempts: Sequence[Attempt], heard: Heard) -> None:
        self.run.heard = {attempt.mode: heard for attempt in attempts}

    def _words(self, answer: Answer) -> str:
        return hidden(answer.words, self._secrets)

    @property
    def _both(self) -> tuple[Actor, Actor]:
        return self.stays, self.leaves

    @property
    def _secrets(self) -> list[str]:
        return [secret for actor in self._both for secret in variables(actor).values()]


def request(method: str, path: str, known: dict[str, Any]) -> Request:
    """A request by its path, in which names in braces stand for values."""
    parts = urlsplit(filled(path, known))
    return Request(method, parts.path, tuple(parse_qsl(parts.query, keep_blank_values=True)))


def filled(value: Any, known: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """A JSON value with what is known in place of names in braces."""
    if isinstance(value, dict):
        return {key: filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, known) for inner in value]
    if isinstance(value, str):
        for name, told in known.items():
            value = value.replace(f"{{{name}}}", str(told))
    return value
