"""kill -9 at each step: what was begun completes, or ends failed with nothing left over."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from partywall.control import memberships, tables, tenants, users, works
from partywall.control.database import Database
from tests.control import crashing
from tests.control.crashing import Case
from tests.control.planes import prepared, unique
from tests.control.sites import Site
from tests.control.temporal import temporal_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerProcess

    from sqlalchemy import Connection

    from partywall.control.tenants import Tenant

STARTING = ["before start", "after start", "after commit", "before open"]
CREATING = [
    *("after open", "before do create", "inside create", "after do create"),
    *("before do seed", "inside seed", "after do seed"),
]
ACTIVATING = [
    *("before do smoke", "inside smoke", "after do smoke"),
    *("before do activate", "after do activate"),
]
UNDOING = [
    *("before undo smoke", "after undo smoke"),
    *("before undo seed", "inside empty", "after undo seed"),
    *("before undo create", "inside drop", "after undo create"),
    *("before fail", "after fail"),
]
REMOVING = [
    *("after open", "before do depart", "after do depart"),
    *("before do erase", "inside erase", "inside drop", "after do erase"),
    *("before do certify", "after do certify"),
]
EARLY = {"before start", "after start", "before open"}
"""It can die before what begins the work has committed."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.control.crashing"])


@dataclass(frozen=True, slots=True)
class Ground:
    """Where cases take place: an engine, and a database of the control plane."""

    engine: str
    url: str

    def cases(self, action: str, points: list[str], broken: str = "") -> list[Case]:
        """A case for each point, with a tenant of its own."""
        return [Case(unique(), action, point, self.engine, self.url, broken) for point in points]


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@pytest.fixture(scope="module", params=["dbos-postgresql", "dbos-sqlite", "temporal"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    engine, _, kind = request.param.partition("-")
    with prepared(kind or "postgresql", request) as url:
        yield Ground(request.getfixturevalue("temporal") if engine == "temporal" else engine, url)


def settled(case: Case) -> Case:
    """A case with a tenant that is there already."""
    site = Site(case.url)
    with closing(Database(case.url)) as database, database.begin() as connection:
        tenant = tenants.add(connection, slug=case.slug, name="Acme")
        user = users.add(connection, case.owner)
        memberships.add(connection, tenant.id, user.id, "owner")
        for step in site.provisioning():
            step.do(tenant)
        tenants.set_status(connection, tenant.id, "active")
    return replace(case, tenant_id=tenant.id)


def crashes(cases: list[Case]) -> list[str]:
    """Kill a process at each point, let another take up what they left; what is wrong then."""
    together = PROCESSES.Barrier(len(cases))
    dying = [PROCESSES.Process(target=crashing.begin, args=(case, together)) for case in cases]
    survivors = [replace(case, point="") for case in cases]
    finishing = PROCESSES.Process(target=crashing.finish, args=(survivors,))
    for process in dying:
        process.start()
    ends = [ended(process) for process in dying]
    alive = [case.point for case, end in zip(cases, ends, strict=True) if end != -signal.SIGKILL]
    finishing.start()
    if ended(finishing) != -signal.SIGKILL:
        alive.append("what was left has not come to its end")
    return alive + [f"{case.point}: {fault}" for case in cases if (fault := wrong(case))]


def ended(process: ForkServerProcess) -> int | None:
    process.join(2 * crashing.PATIENCE_S)
    if process.exitcode is None:
        process.kill()
    return process.exitcode


def wrong(case: Case) -> object:
    """What is not as it must be."""
    with closing(Database(case.url)) as database, database.reading() as connection:
        if case.action == "remove":
            return wrong_after_removal(connection, case)
        tenant = tenants.by_slug(connection, case.slug)
        if tenant is None:
            owner = users.by_email(connection, case.owner)
            return None if case.point in EARLY and owner is None else "it is not there"
        if case.point in {"before start", "after start"}:
            return "it is there"
        if case.broken:
            return wrong_after_failure(connection, case, tenant)
        counts = (len(memberships.listed(connection, tenant.id)), count(connection, tenant))
        found = (tenant.status, Site(case.url).notes(tenant.id), *counts)
        return None if found == ("active", 1, 1, 1) else found


def wrong_after_failure(connection: Connection, case: Case, tenant: Tenant) -> object:
    work = works.latest(connection, tenant.id)
    assert work is not None
    found = (tenant.status, work.state, Site(case.url).stands(tenant.id), tenant.reason)
    reason = f"{case.broken}: WorkError: this site does not hold"
    return None if found == ("failed", "failed", False, reason) else found


def wrong_after_removal(connection: Connection, case: Case) -> object:
    site = Site(case.url)
    tenant = tenants.get(connection, case.tenant_id)
    assert tenant is not None
    work = works.latest(connection, tenant.id)
    if work is None:
        found = (tenant.status, site.notes(tenant.id))
        return None if case.point in EARLY and found == ("active", 1) else found
    if case.point in {"before start", "after start"}:
        return "its removal is there"
    members = len(memberships.listed(connection, tenant.id))
    certificate = sorted(work.certificate or {})
    end = (tenant.status, work.state, site.stands(tenant.id), members, certificate)
    expected = ("deleted", "done", False, 0, ["erase", "records", "shred"])
    return None if end == expected else end


def count(connection: Connection, tenant: Tenant) -> int:
    """How many works the tenant has had."""
    query = tables.works.select().where(tables.works.c.tenant_id == tenant.id)
    return len(connection.execute(query).all())


def orphans(ground: Ground) -> int:
    """How many places are there without a tenant that is active."""
    with closing(Database(ground.url)) as database, database.reading() as connection:
        active = len(tenants.listed(connection, status="active"))
    return Site(ground.url).places() - active


def test_a_registration_killed_at_any_point_is_whole_or_never_was(ground: Ground) -> None:
    assert crashes(ground.cases("register", STARTING)) == []
    assert orphans(ground) == 0


@pytest.mark.parametrize("points", [CREATING, ACTIVATING], ids=["creating", "activating"])
def test_a_provisioning_killed_at_any_step_completes(ground: Ground, points: list[str]) -> None:
    assert crashes(ground.cases("register", points)) == []
    assert orphans(ground) == 0


def test_a_failing_provisioning_killed_at_any_step_leaves_nothing(ground: Ground) -> None:
    assert crashes(ground.cases("register", UNDOING, broken="smoke")) == []
    assert orphans(ground) == 0


@pytest.mark.parametrize("points", [STARTING, REMOVING], ids=["starting", "removing"])
def test_a_removal_killed_at_any_step_completes(ground: Ground, points: list[str]) -> None:
    assert crashes([settled(case) for case in ground.cases("remove", points)]) == []
    assert orphans(ground) == 0
