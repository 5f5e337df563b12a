"""Jobs as the application starts them: asked for by another tenant, and run in turn."""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import replace
from functools import partial
from itertools import permutations
from typing import TYPE_CHECKING

from partywall.survey.driving.application import Application
from partywall.survey.http.ledger import scalars
from partywall.survey.jobs.attacks import THROUGH, named
from partywall.survey.jobs.ran import Asked, Party, Ran, Round
from partywall.survey.layers import Watch
from partywall.survey.recorded import Memory, Record
from partywall.survey.tally import Tally
from partywall.survey.trying import Trial
from partywall.survey.verdict import Undecided

if TYPE_CHECKING:
    from partywall.survey.driven import Driven, Driving
    from partywall.survey.driving.drive import Drive
    from partywall.survey.jobs.settings import Endpoints, JobsSettings
    from partywall.survey.layers import LayerReport

ENDED = re.compile(
    r"done|completed?|success(ful)?|succeeded|finished|ready|fail(ed|ure)|error|cancell?ed",
    re.IGNORECASE,
)
"""How a state is called that no job leaves."""
NOBODYS = "00000000-0000-4000-8000-00000000ffff"
ENDS = re.compile(r"[0-9A-Za-z]{2,12}$")
FIRST_S, LONGEST_S = 0.02, 0.5


async def survey(settings: JobsSettings, drive: Drive, watch: Watch | None = None) -> LayerReport:
    """Ask for other tenants' jobs, and run jobs of tenants in turn."""
    return await ran(settings, Application(drive), watch)


async def ran(settings: JobsSettings, driving: Driving, watch: Watch | None = None) -> LayerReport:
    """The same for any way to drive the application."""
    watch, tally = watch or Watch(), Tally()
    trial: Trial[Record] = Trial("jobs", Memory(), watch, tally)
    told = settings.endpoints
    found = [told] if told.start else [
        replace(told, start=start, status=told.status or status)
        for start, status in await driving.accepted()
    ]  # fmt: skip
    if not found:
        tally.left.append(
            'no operation was found that starts a job (202): name it in [jobs] start = "POST /…"'
        )
    for endpoints in found:
        if not endpoints.asked:
            tally.left.append(
                f"nothing says how to ask for what {endpoints.start} starts: write status, result, "
                'cancel or list in [jobs], as in status = "GET /exports/{id}"'
            )
            continue
        for attacker, victim in permutations(driving.tenants, 2):
            watch.stage(f"{attacker} asks for jobs of {victim}")
            one = await Runner(driving, endpoints).direction(attacker, victim)
            if one is not None:
                trial.run((attack, attack.plan(one)) for attack in named(THROUGH))
                continue
            because = f"{endpoints.start} made no job for {victim}"
            for a in named(THROUGH):
                tally.open(Undecided(a.code, a.name, a.effect, f"jobs {endpoints.start}", because))
    return tally.report("jobs", "the application", driving.tenants, {})


class Runner:
    """Starts jobs by one operation, and asks for them."""

    def __init__(self, driving: Driving, endpoints: Endpoints) -> None:
        self._driving, self._endpoints = driving, endpoints

    async def direction(self, attacker: str, victim: str) -> Ran | None:
        """All that is asked in one direction; None where no job could be started."""
        asked = [
            one
            for way in ("status", "result", "cancel", "list")
            if (one := await self._asked(way, attacker, victim)) is not None
        ]
        if not asked:
            return None
        return Ran(
            self._party(attacker), self._party(victim), self._endpoints.start, tuple(asked),
            tuple(await self._rounds(attacker, victim)),
        )  # fmt: skip

    def _party(self, tenant: str) -> Party:
        return Party(tenant, partial(self._driving.marks, tenant))

    async def _asked(self, way: str, attacker: str, victim: str) -> Asked | None:
        """One request about a new job of the victim's, by both."""
        told = self._endpoints
        operation = {"status": told.status, "result": told.result, "cancel": told.cancel,
                     "list": told.listing}[way]  # fmt: skip
        made = await self._driving.make(victim, told.start) if operation else None
        if made is None:
            return None
        if way == "cancel":
            owners = await self._ask(victim, told.status, made.id) if told.status else made.driven
        else:
            if told.status or told.result:
                await self._ended(victim, made.id)
            owners = await self._ask(victim, operation, made.id)
        nobodys = None
        if "{id}" in operation:
            nobodys = await self._ask(attacker, operation, like(made.id))
        attackers = await self._ask(attacker, operation, made.id)
        if way != "cancel":
            return Asked(way, operation, owners, attackers, nobodys)
        after = await self._ask(victim, told.status, made.id) if told.status else None
        allowed = await self._ask(victim, operation, made.id)
        return Asked(way, operation, owners, attackers, nobodys, after, allowed)

    async def _rounds(self, attacker: str, victim: str) -> list[Round]:
        """Both tenants' jobs in turn; what failed goes between."""
        told = self._endpoints
        rounds = []
        for _ in range(told.rounds if told.status or told.result else 0):
            theirs = await self._driving.make(victim, told.start)
            if theirs is None:
                break
            await self._ended(victim, theirs.id)
            if told.fail:
                await self._ask(victim, told.fail, theirs.id)
            own = await self._driving.make(attacker, told.start)
            if own is None:
                break
            answer = await self._ended(attacker, own.id)
            if told.result:
                answer = await self._ask(attacker, told.result, own.id)
            rounds.append(Round(theirs.driven, answer))
        return rounds

    async def _ended(self, tenant: str, id_: str) -> Driven:
        """What its owner is told when it has ended, or when its time is over."""
        told = self._endpoints
        deadline, pause_s = time.monotonic() + told.wait_s, FIRST_S
        while True:
            answer = await self._ask(tenant, told.status or told.result, id_)
            if (ended(answer.text) if told.status else answer.ok) or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_S)

    async def _ask(self, tenant: str, operation: str, id_: str) -> Driven:
        method, _, path = operation.partition(" ")
        return await self._driving.send(tenant, method, path.replace("{id}", id_))


def ended(text: str) -> bool:
    """Whether an answer tells of a state that no job leaves: the whole of a value, or of a word."""
    try:
        told = scalars({"": json.JSONDecoder().raw_decode(text)[0]})
    except ValueError:
        return any(map(ENDED.fullmatch, re.findall(r"\w+", text)))
    return any(ENDED.fullmatch(str(value)) for _, _, value in told)


def like(id_: str) -> str:
    """An id that nobody has, of the same kind: a number, or the same characters in another order.

    Only its end is turned, where ids are random: what stands before it may be a time or a kind.
    """
    if id_.isdigit():
        return str(int(id_) + 10**8)
    end = ENDS.search(id_)
    turned = f"{id_[: end.start()]}{end[0][::-1]}" if end else id_
    return NOBODYS if turned == id_ else turned
