"""The flow of a probe: description, sign-in, resources, reads, writes, clearing up, report."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from partywall.errors import TargetError
from partywall.survey.acceptance import sort_out
from partywall.survey.http import existence
from partywall.survey.http.actors import Actor
from partywall.survey.http.bodies import Composer
from partywall.survey.http.clearing import emptied
from partywall.survey.http.doors import Doors, actor_of
from partywall.survey.http.engine import Engine, matches
from partywall.survey.http.graph import Graph
from partywall.survey.http.hooks import load as load_hooks
from partywall.survey.http.journal import Journal
from partywall.survey.http.ledger import Ledger
from partywall.survey.http.order import dangerous
from partywall.survey.http.rehearsing import rehearse
from partywall.survey.http.report import HttpReport, settled
from partywall.survey.http.sources import api_of
from partywall.survey.http.surveying import furnished, survey
from partywall.survey.http.views import Views
from partywall.survey.http.watching import Watch
from partywall.survey.http.wire import Request, Wire, host_of, loopback
from partywall.survey.http.world import World

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from partywall.survey.http.operations import Api, Operation
    from partywall.survey.http.settings import ApiSettings

LARGEST_SEED = 2**31


def probe(
    settings: ApiSettings,
    watch: Watch | None = None,
    *,
    besides: Callable[[Engine], Awaitable[None]] | None = None,
    attacking: bool = True,
) -> HttpReport:
    """Attack an API as each of its tenants, and say what got through.

    Args:
        settings: what is probed, and as whom.
        watch: is told what goes on.
        besides: what else is done as the tenants, once each has something of everything.
        attacking: whether the API itself is attacked; without, there is only what is done besides.

    Raises:
        ConfigurationError: the description can't be read, a host isn't declared.
        TargetError: the API stopped answering, or a tenant can't sign in.
    """
    watch = watch or Watch()
    with ExitStack() as stack:
        api, base = api_of(settings, stack)
        journal = stack.enter_context(closing(Journal(settings.journal, base)))
        return asyncio.run(_probe(settings, watch, api, base, journal, besides, attacking))


async def _probe(
    settings: ApiSettings,
    watch: Watch,
    api: Api,
    base: str,
    journal: Journal,
    besides: Callable[[Engine], Awaitable[None]] | None,
    attacking: bool,  # noqa: FBT001 - named where it is asked for
) -> HttpReport:
    began = time.monotonic()
    seed = settings.seed or journal.seed or random.randrange(1, LARGEST_SEED)  # noqa: S311 - no secret
    journal.begin(seed)
    async with Wire(
        base,
        hosts=(*settings.hosts, *_hosts(settings)),
        rate=settings.rate,
        timeout_s=settings.timeout_s,
        follow_redirects=settings.follow_redirects,
        verify=settings.verify,
    ) as wire:
        engine = await _engine(settings, watch, api, wire, journal, seed)
        journal.restored(engine)
        try:
            await furnished(engine)
            if besides is not None:
                await besides(engine)
            if attacking:
                await survey(engine, journal)
        finally:
            watch.stage("removing what was made")
            stays = await _removed(engine)
            engine.left += stays
        if attacking and await rehearse(engine):
            engine.left += [one for one in await _removed(engine) if one not in stays]
        journal.end()
    return _report(engine, settings, api, seed, time.monotonic() - began)


async def _engine(
    settings: ApiSettings, watch: Watch, api: Api, wire: Wire, journal: Journal, seed: int
) -> Engine:
    watch.stage("signing in")
    hooks = load_hooks(settings.hook)
    doors = Doors(settings, wire, hooks)
    tenants = {one.name: actor_of(one) for one in settings.tenants}
    await answering(wire, api)
    for actor in tenants.values():
        await doors.enter(actor)
    actors = {**tenants, "nobody": Actor("nobody")}
    if settings.stranger is not None:
        actors["stranger"] = actor_of(settings.stranger)
    own = {name: value for actor in tenants.values() for name, value in actor.own.items()}
    graph = Graph(api, own)
    ledger = Ledger(seed, tenants)
    denied = {
        one.at
        for one in api.operations
        if any(matches(pattern, one) for pattern in settings.deny)
        or dangerous(one)
        or one.at in journal.killers
        or hooks.ignores(one)
    }

    def left_out(operation: Operation) -> bool:
        return operation.at in denied or (settings.read_only and not operation.safe)

    composer = Composer(api.document, ledger)
    world = World(api, graph, ledger, wire, doors, hooks, journal, actors, composer, left_out)
    return Engine(world, settings, watch, Views(world))


async def _removed(engine: Engine) -> list[str]:
    """Remove all that was made; say what stays."""
    try:
        return await emptied(engine.world)
    except TargetError as error:
        return [f"what was made could not be removed: {error}"]


async def answering(wire: Wire, api: Api) -> None:
    """See that anything answers at all.

    Raises:
        TargetError: nothing does.
    """
    first = next((one for one in api.operations if one.method == "GET" and not one.names), None)
    answer = await wire.send(
        Actor("nobody"), Request("GET", first.prefix + first.path if first else "/")
    )
    if not answer.status:
        raise TargetError(
            f"nothing answers at {wire.base}: {answer.error}; start the API, or say where it is: "
            '[api] base = "http://…"'
        )


def _hosts(settings: ApiSettings) -> list[str]:
    """Where the tenants' own addresses lead."""
    bases = [settings.base, *(one.base for one in settings.tenants)]
    return [host_of(at) for base in bases if base for at in (base, loopback(base)[0])]


def _report(
    engine: Engine, settings: ApiSettings, api: Api, seed: int, duration_s: float
) -> HttpReport:
    found = [*engine.strongest(), *existence.judged(engine)]
    today = datetime.now(tz=UTC).date()
    findings, excepted, remarks = sort_out(found, settings.exceptions, today)
    accused = {one.at for one in found}
    undecided = [one for one in dict.fromkeys(engine.undecided) if one.at not in accused]
    accepted = {one.finding.at for one in excepted} - {one.at for one in findings}
    return HttpReport(
        findings=findings,
        undecided=tuple(undecided),
        excepted=excepted,
        advice=(),
        public=tuple(engine.public.values()),
        shared=tuple(engine.shared.values()),
        tried=settled(engine.tried, accepted, "excepted"),
        controls={name: engine.controls[name] for name in ("proved", "failed")},
        requests=engine.world.wire.requests,
        target=engine.world.wire.base,
        tenants=tuple(engine.world.tenants),
        seed=seed,
        versions={"partywall": version("partywall")},
        duration_s=duration_s,
        left=(*_left_out(engine, api), *engine.left),
        killers=tuple(engine.killers),
        remarks=remarks,
    )


def _left_out(engine: Engine, api: Api) -> Iterator[str]:
    """Operations that were not attacked, by their name or by the configuration."""
    named, denied, writing = [], [], 0
    for one in api.operations:
        if not engine.world.left_out(one):
            continue
        if any(matches(pattern, one) for pattern in engine.settings.deny):
            denied.append(one.at)
        elif dangerous(one):
            named.append(one.at)
        else:
            writing += 1
    if killers := [one.at for one in api.operations if one.at in engine.world.journal.killers]:
        yield f"left out, since they locked a tenant out before: {', '.join(killers)}"
    if named:
        yield f"left out, since they sign in or out, or change a credential: {', '.join(named)}"
    if denied:
        yield f"left out by [api] deny: {', '.join(denied)}"
    if writing:
        yield f"{writing} operations that change something (--read-only)"
