"""Whether the time of an answer tells that another tenant has an id (`--timing`)."""

from __future__ import annotations

import time
from statistics import NormalDist, median
from typing import TYPE_CHECKING

from partywall.survey.http.aim import aim
from partywall.survey.http.attempt import VICTIM, Attempt
from partywall.survey.http.compared import TIME, TIME_FIX
from partywall.survey.verdict import Finding, explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from partywall.survey.http.actors import Actor
    from partywall.survey.http.engine import Engine
    from partywall.survey.http.operations import Operation
    from partywall.survey.http.wire import Request

SAMPLES = 60
WARM_UP = 5
SURE = 1e-6
"""A difference is one that chance makes less often than this, twice in a row and the same way."""
LEAST_MS = 0.5


async def timed(engine: Engine, operation: Operation, attacker: str, victim: str) -> None:
    """Ask for the victim's id and for nobody's by turns, twice, and compare the times.

    The test is the one of Mann and Whitney: it compares ranks, so that a slow answer now and then
    counts as one. Only operations that answer both ids alike are timed.
    """
    world, at = engine.world, operation.at
    path = [slot for slot in world.graph.slots[at] if slot.place == "path"]
    if not path or at not in engine.alike or at in engine.tells:
        return
    aimed = await aim(world, operation, attacker, victim, fresh=False)
    if isinstance(aimed, str):
        return
    attempt = Attempt("times", {path[-1]: VICTIM})
    theirs, nobodys = aimed.request(attempt), aimed.request(attempt, "nobody")
    if theirs is None or nobodys is None:
        return
    signs, gap_ms = set(), 0.0
    for _ in range(2):
        times = await _times(engine, world.actors[attacker], theirs[0], nobodys[0])
        chance, sign = mann_whitney(*times)
        gap_ms = (median(times[0]) - median(times[1])) * 1000
        if chance > SURE or abs(gap_ms) < LEAST_MS:
            return
        signs.add(sign)
    if len(signs) > 1:
        return
    because = (
        f"to {attacker} the id of {victim} is answered {gap_ms:+.1f} ms later than one that nobody "
        f"has (medians of {SAMPLES}; by chance less often than once in a million)"
    )
    actor = world.actors[attacker]
    steps = [engine.step(await world.ask(actor, one[0])) for one in (theirs, nobodys)]
    engine.tells[at] = Finding(
        *TIME,
        "http",
        "detect",
        at,
        attacker,
        victim,
        tuple(steps),
        because,
        TIME_FIX,
        explained(TIME[1]),
    )


async def _times(
    engine: Engine, actor: Actor, one: Request, other: Request
) -> tuple[list[float], list[float]]:
    """The times of both in seconds, asked for by turns, one at a time."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(SAMPLES + WARM_UP):
        for into, request in zip(taken, (one, other), strict=True):
            began = time.perf_counter()
            await engine.world.wire.send(actor, request)
            if turn >= WARM_UP:
                into.append(time.perf_counter() - began)
    return taken


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> tuple[float, int]:
    """How often chance alone makes such a difference of ranks, and which is the larger.

    The two-sided test of Mann and Whitney, by its normal approximation: for samples of twenty and
    more (https://doi.org/10.1214/aoms/1177730491).
    """
    ranked = sorted([*((value, 0) for value in one), *((value, 1) for value in other)])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5
    return 2 * NormalDist().cdf(-abs(z)), 1 if z > 0 else -1
