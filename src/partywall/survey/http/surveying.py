"""The order of a probe: furnish, read, listen, write; what may let tenants mix comes last."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from partywall.errors import PartywallError, TargetError
from partywall.survey.http.aim import removes
from partywall.survey.http.clearing import cleared
from partywall.survey.http.engine import learned_identities, selectors
from partywall.survey.http.furnishing import furnish
from partywall.survey.http.graphql import endpoints, graphql
from partywall.survey.http.live import live
from partywall.survey.http.moving import counted
from partywall.survey.http.order import in_order, principal_last
from partywall.survey.http.reading import read
from partywall.survey.http.recognising import inherited
from partywall.survey.http.remaining import lost
from partywall.survey.http.sharing import shared
from partywall.survey.http.timing import timed
from partywall.survey.http.wiping import wiped
from partywall.survey.http.writing import write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from partywall.survey.http.engine import Engine
    from partywall.survey.http.journal import Journal
    from partywall.survey.http.operations import Operation

Pair = tuple[str, str]


class StoppedError(Exception):
    """The run can't go on: what was not reached is undecided, and the message says why."""


async def furnished(engine: Engine) -> None:
    """Let each tenant make one of everything, and see by what each is known."""
    world = engine.world
    engine.watch.stage("making what each tenant is to have")
    await inherited(world)
    for tenant in world.tenants:
        await furnish(engine, tenant)
    engine.identities = learned_identities(world)
    engine.selectors = selectors(world)


async def survey(engine: Engine, journal: Journal) -> None:
    """Attack every operation for every pair of tenants; each has something of everything."""
    world, watch = engine.world, engine.watch
    pairs = paired(list(world.tenants), every=engine.settings.every_pair)
    spoken = await endpoints(engine)
    asked = [one for one in world.api.operations if not world.left_out(one) and one not in spoken]
    reads = [one for one in asked if one.safe]
    early, late = principal_last(in_order([one for one in asked if not one.safe]), world.graph)
    watch.planned((len(reads) + len(early) + len(late)) * len(pairs))
    try:
        await _reads(engine, journal, pairs, reads)
        watch.stage("listening")
        await live(engine, pairs)
        await graphql(engine, pairs, spoken)
        watch.stage("writing")
        for chosen in (early, late):
            await _writes(engine, journal, pairs, chosen)
    except (StoppedError, TargetError) as stopped:
        told = {(one.at, one.attacker, one.victim) for one in engine.tried}
        for attacker, victim in pairs:
            for operation in (*reads, *early, *late):
                if (operation.at, attacker, victim) not in told:
                    engine.open(operation, attacker, victim, str(stopped))


async def _reads(
    engine: Engine, journal: Journal, pairs: Sequence[Pair], reads: Sequence[Operation]
) -> None:
    engine.watch.stage("reading")
    for attacker, victim in pairs:
        for operation in reads:
            if (operation.at, attacker, victim) in journal.done:
                continue
            _in_time(engine)
            await _guarded(engine, read, operation, attacker, victim)
            await _guarded(engine, wiped, operation, attacker, victim)
            await _after(engine, journal, operation, attacker, victim)
        await counted(engine, attacker, victim)
        await shared(engine, attacker, victim)
        for operation in reads if engine.settings.timing else ():
            await _guarded(engine, timed, operation, attacker, victim)


async def _writes(
    engine: Engine, journal: Journal, pairs: Sequence[Pair], writes: Sequence[Operation]
) -> None:
    world = engine.world
    for attacker, victim in pairs:
        for operation in writes:
            if (operation.at, attacker, victim) in journal.done:
                continue
            _in_time(engine)
            since = len(world.made)
            await _guarded(engine, write, operation, attacker, victim)
            await cleared(world, since, keep=True)
            await _after(engine, journal, operation, attacker, victim)
            if removes(operation) or not operation.names:
                for tenant in (attacker, victim):
                    await lost(world, tenant, operation)


def _in_time(engine: Engine) -> None:
    """Go on as long as there is time.

    Raises:
        StoppedError: there is none left.
    """
    limit_s = engine.settings.time_limit_s
    if limit_s and time.monotonic() - engine.began_s > limit_s:
        raise StoppedError(
            f"the time is up ([api] time_limit_s = {limit_s:g}): give more, or go on in a next "
            "run (--journal FILE)"
        )


async def _guarded(
    engine: Engine,
    step: Callable[[Engine, Operation, str, str], Awaitable[None]],
    operation: Operation,
    attacker: str,
    victim: str,
) -> None:
    """One operation; what we did not foresee there leaves it undecided, and ends no run."""
    try:
        await step(engine, operation, attacker, victim)
    except (PartywallError, asyncio.CancelledError):
        raise
    except Exception as error:  # noqa: BLE001 - any API may answer what nobody foresaw
        because = f"partywall failed here, which is its own fault: {type(error).__name__}: {error}"
        engine.open(operation, attacker, victim, because)


async def _after(
    engine: Engine, journal: Journal, operation: Operation, attacker: str, victim: str
) -> None:
    """See that both are still let in, and write down what was done.

    Raises:
        StoppedError: one of them isn't.
    """
    world = engine.world
    engine.watch.asked(world.wire.requests)
    for tenant in (attacker, victim):
        risky = not operation.safe or not operation.names
        if risky and not await world.doors.alive(world.actors[tenant]):
            journal.killed(operation.at)
            engine.killers.append(operation.at)
            raise StoppedError(
                f"{tenant} is no longer let in since {operation.at} was attacked: sign in again, "
                f'and leave it out ([api] deny = ["{operation.at}"])'
            )
    journal.finished(operation, attacker, victim, engine)


def paired(tenants: Sequence[str], *, every: bool) -> list[Pair]:
    """Who attacks whom: each its neighbour in a ring, both ways; or everybody everybody."""
    if every:
        return [(a, b) for a in tenants for b in tenants if a != b]
    ring = [(one, tenants[(i + 1) % len(tenants)]) for i, one in enumerate(tenants)]
    both = [pair for a, b in ring for pair in ((a, b), (b, a))]
    return list(dict.fromkeys(both))
