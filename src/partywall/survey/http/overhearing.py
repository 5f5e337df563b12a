"""One channel in one direction: everybody listens, the owner changes something, and is told of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from partywall.survey.http.answers import returned
from partywall.survey.http.attacks.foreign_channel import foreign_channel
from partywall.survey.http.attempt import Attempt
from partywall.survey.http.channel_names import spelled
from partywall.survey.http.channels import OWN_CHANNEL, bent
from partywall.survey.http.ears import listening, until
from partywall.survey.http.hearing import GRACE_S, HEAR_S, REPLAY_S, SPEAK_S, carries, news
from partywall.survey.http.hiding import variables
from partywall.survey.http.report import Open
from partywall.survey.verdict import WitnessStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.attack import Effect
    from partywall.survey.http.aim import Aim
    from partywall.survey.http.channels import Channel
    from partywall.survey.http.ears import Ear
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.graph import Slot
    from partywall.survey.http.hearing import Control
    from partywall.survey.verdict import State

PULLED = 3
"""So many of the triggers that worked are pulled while the attacker listens."""


@dataclass
class Round:
    """Who listens, and what the owner did meanwhile.

    Attributes:
        own: two connections of the owner's, of which the second may speak.
        ears: the attacker's, by the mode they were opened in.
        bent: the attacker's and the owner's, by the name of the channel as it is written otherwise.
        anybody: somebody without credentials.
        done: the owner's changes, as steps of a witness.
    """

    engine: Engine
    channel: Channel
    aimed: Aim
    control: Control
    own: tuple[Ear, Ear] = field(init=False)
    ears: dict[str, Ear] = field(init=False)
    bent: dict[str, tuple[Ear, Ear]] = field(init=False)
    anybody: Ear = field(init=False)
    done: list[WitnessStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let nobody listen yet, but know who will."""
        world, theirs = self.engine.world, self.aimed.theirs
        owner, attacker = (world.actors[n] for n in (self.aimed.victim, self.aimed.attacker))
        one, other = (self.channel.ear(world, owner, theirs) for _ in range(2))
        self.own = one, other
        self.bound: dict[str, dict[Slot, Any]] = dict(bent(self.aimed))
        self.ears = {
            mode: self.channel.ear(world, attacker, bound) for mode, bound in self.bound.items()
        }
        names = spelled(self.aimed) if self.channel.attack is foreign_channel else ()
        self.bent = {
            mode: (self.channel.ear(world, attacker, ids), self.channel.ear(world, owner, ids))
            for mode, ids in names
        }
        self.anybody = self.channel.ear(world, world.actors["nobody"], theirs)

    async def play(self) -> None:
        """Listen, change, judge."""
        owner, attacker = self.aimed.victim, self.aimed.attacker
        ledger = self.engine.world.ledger
        speaking = self.own if self.control.said else self.own[:1]
        otherwise = [ear for both in self.bent.values() for ear in both]
        async with listening([*speaking, *self.ears.values(), *otherwise, self.anybody]):
            await asyncio.sleep(REPLAY_S)
            if texts := await self._changed():
                await until(lambda: carries(texts, *self.own, *self.ears.values()), HEAR_S)
                await asyncio.sleep(GRACE_S)
            leaks = {
                mode: ledger.leaked(owner, attacker, one.asked, one.text)
                for mode, one in self.ears.items()
            }
            written = await self._written()
        self._judge_bent(plain=any(leaks.values()))
        for mode, ear in self.ears.items():
            if leaks[mode] and not self._public(leaks[mode]):
                about = leaks[mode][0]
                because = f"{attacker} heard {about}, which only {owner} has ({mode})"
                steps = [self._step(self.control.ear), *self._told(about), self._step(ear, about)]
                self._breach(mode, "read", because, steps)
            elif mode not in written:
                operation, attack = self.channel.operation, self.channel.attack
                self.engine.record(operation, attacker, owner, attack, mode, "held")

    def _judge_bent(self, *, plain: bool) -> None:
        """What was heard by another spelling; where the plain name lets in there is no detour."""
        owner, attacker = self.aimed.victim, self.aimed.attacker
        ledger, operation, attack = (
            self.engine.world.ledger, self.channel.operation, self.channel.attack,
        )  # fmt: skip
        for mode, (ear, theirs) in self.bent.items() if not plain else ():
            leaked = ledger.leaked(owner, attacker, ear.asked, ear.text)
            if leaked and not self._public(leaked):
                about = leaked[0]
                because = f"{attacker} heard {about}, which only {owner} has ({mode})"
                steps = [self._step(theirs), *self._told(about), self._step(ear, about)]
                self._breach(mode, "read", because, steps)
                continue
            asked = theirs.asked.lower()
            heard = [one for one in ledger.evidence(owner, theirs.text) if one.lower() not in asked]
            state: State = "held" if heard else "closed"
            self.engine.record(operation, attacker, owner, attack, mode, state)

    def _told(self, about: str) -> list[WitnessStep]:
        """The first change that told of it."""
        return [one for one in self.done if about in one.request + one.returned.lower()][:1]

    async def _changed(self) -> set[str]:
        """Let the owner do what it hears of; the texts by which that is recognised."""
        world, owner, (ear, speaker) = self.engine.world, self.aimed.victim, self.own
        texts = set()
        for trigger in self.control.working[:PULLED]:
            if done := await trigger.pulled(world, owner):
                texts |= news(world.ledger, owner, done, ear.asked)
                self.done.append(self.engine.step(done))
        for text in self.control.said:
            canary = world.ledger.canary(owner)
            said = self.channel.message(text, self.aimed.theirs, canary)
            await speaker.say(said)
            texts.add(canary)
            self.done.append(WitnessStep(owner, "", "", speaker.command([said])))
        return texts

    async def _written(self) -> set[str]:
        """The modes in which the owner hears what the attacker says into its channel."""
        sent = {}
        for mode, ear in self.ears.items():
            if ear.opened and mode != OWN_CHANNEL and self.control.said:
                canary = self.engine.world.ledger.canary(self.aimed.attacker)
                text = self.channel.message(self.control.said[0], self.bound[mode], canary)
                await ear.say(text)
                sent[mode] = canary, text
        if not sent:
            return set()
        await until(lambda: carries([canary for canary, _ in sent.values()], *self.own), SPEAK_S)
        found = set()
        for mode, (canary, text) in sent.items():
            heard = next((one for one in self.own if carries([canary], one)), None)
            if heard is not None:
                attacker, owner = self.aimed.attacker, self.aimed.victim
                because = f"{owner} heard {canary} on its own channel: {attacker} sent it ({mode})"
                said = WitnessStep(attacker, "", "", self.ears[mode].command([text]))
                self._breach(mode, "write", because, [self._step(heard, canary), said])
                found.add(mode)
        return found

    def _public(self, leaked: Sequence[str]) -> bool:
        """Whether it is declared, or was heard without any credential too: reported apart."""
        operation, owner, public = self.channel.operation, self.aimed.victim, self.engine.public
        if self.engine.declared(operation):
            public.setdefault(
                operation.at, Open(operation.at, "nobody", "declared", (), declared=True)
            )
            return True
        ear = self.anybody
        found = self.engine.world.ledger.leaked(owner, "nobody", ear.asked, ear.text)
        seen = [one for one in found if one in leaked]
        if seen:
            because = f"without any credential {seen[0]} of {owner} is heard"
            step = self._step(ear, seen[0])
            public.setdefault(operation.at, Open(operation.at, "nobody", because, (step,)))
        return bool(seen)

    def _breach(
        self, mode: str, effect: Effect, because: str, steps: Sequence[WitnessStep]
    ) -> None:
        operation, attack = self.channel.operation, self.channel.attack
        direction = self.aimed.attacker, self.aimed.victim
        self.engine.breach(operation, *direction, attack, Attempt(mode), effect, because, *steps)

    def _step(self, ear: Ear, about: str = "") -> WitnessStep:
        """What was opened, and what was heard there."""
        actors = self.engine.world.actors.values()
        secrets = [secret for actor in actors for secret in variables(actor).values()]
        shown = returned(ear.exchange.answer, secrets, about)
        return WitnessStep(ear.actor.name, "", shown, ear.command())
