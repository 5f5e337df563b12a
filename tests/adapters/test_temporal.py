"""Works on Temporal, with its real server."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from partywall.adapters.temporal.works import NAME, TemporalWorks
from partywall.control import tenants
from partywall.control.plane import ControlPlane
from partywall.control.registration import NewUser
from partywall.errors import ConfigurationError, WorkError
from tests.control.crashing import ended, waited
from tests.control.planes import Threads, prepared, unique
from tests.control.sites import Site
from tests.control.temporal import temporal_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from partywall.control.registration import Registered


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with temporal_server(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@pytest.fixture(scope="module")
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared("sqlite", request) as url:
        yield url


@pytest.fixture
def plane(url: str, server: str) -> Iterator[ControlPlane]:
    works = TemporalWorks(server, heartbeat_s=1.0)
    with ControlPlane(url, building=Site(url), works=works) as plane:
        yield plane


def registered(plane: ControlPlane) -> Registered:
    slug = unique()
    owner = NewUser(f"ann@{slug}.example.com")
    return plane.register(slug=slug, name="Acme", owner=owner)


def status(plane: ControlPlane, tenant_id: str) -> str:
    with plane.database.reading() as connection:
        tenant = tenants.get(connection, tenant_id)
    assert tenant is not None
    return tenant.status


def test_a_removal_waits_for_its_grace_period(plane: ControlPlane) -> None:
    plane.launch()
    tenant_id = registered(plane).tenant.id
    waited(lambda: status(plane, tenant_id) == "active")
    begun = time.monotonic()
    plane.remove(tenant_id, grace=dt.timedelta(seconds=1.5))
    waited(lambda: status(plane, tenant_id) == "deleted")
    assert time.monotonic() - begun > 1.5


def test_a_work_that_the_server_has_lost_is_started_again(url: str, plane: ControlPlane) -> None:
    forgetful = Threads()
    forgetful.name = "temporal"
    forgetful.start = lambda *_, **__: None  # type: ignore[method-assign]  # as a restored server
    with ControlPlane(url, building=Site(url), works=forgetful) as other:
        tenant_id = registered(other).tenant.id
    plane.launch()
    waited(lambda: status(plane, tenant_id) == "active")


def test_a_step_may_take_longer_than_a_heartbeat(url: str, server: str) -> None:
    calls: list[str] = []

    def inside(step: str) -> None:
        calls.append(step)
        if step == "seed":
            time.sleep(2.5)

    works = TemporalWorks(server, queue=unique(), heartbeat_s=1.0)
    with ControlPlane(url, building=Site(url, inside), works=works) as plane:
        plane.launch()
        tenant_id = registered(plane).tenant.id
        waited(lambda: status(plane, tenant_id) == "active")
    assert calls.count("seed") == 1


def test_what_is_being_done_when_a_plane_closes_is_finished_by_the_next(
    url: str, server: str
) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def inside(step: str) -> None:
        if step == "create":
            reached.set()
            assert go_on.wait(10)

    queue = unique()
    first = TemporalWorks(server, queue=queue, heartbeat_s=1.0)
    with ControlPlane(url, building=Site(url, inside), works=first) as plane:
        plane.launch()
        tenant_id = registered(plane).tenant.id
        assert reached.wait(10)
        threading.Timer(0.2, go_on.set).start()
    second = TemporalWorks(server, queue=queue, heartbeat_s=1.0)
    with ControlPlane(url, building=Site(url), works=second) as plane:
        plane.launch()
        waited(lambda: status(plane, tenant_id) == "active")


def test_the_server_keeps_no_words_of_a_driver(url: str, server: str, plane: ControlPlane) -> None:
    plane.launch()
    assert plane.works is not None
    with plane.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE works RENAME TO works_hidden")
    work_id = unique()
    try:
        plane.works.start(work_id)
        waited(lambda: "taken again" in history(server, work_id))
    finally:
        with plane.database.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE works_hidden RENAME TO works")
    told = history(server, work_id)
    assert "OperationalError" in told
    assert "SELECT" not in told
    assert url not in told
    waited(lambda: "WORKFLOW_EXECUTION_COMPLETED" in history(server, work_id))


def history(server: str, work_id: str) -> str:
    """All that the server keeps of a workflow, with what it says of acts that failed."""

    async def asking() -> str:
        client = await Client.connect(server)
        handle = client.get_workflow_handle(f"{NAME}-{work_id}")
        described = await handle.describe()
        return f"{described.raw_description} {(await handle.fetch_history()).to_json()}"

    return asyncio.run(asking())


def test_it_works_once(plane: ControlPlane) -> None:
    plane.launch()
    with pytest.raises(ConfigurationError, match="already"):
        plane.launch()


def test_a_server_that_is_not_there_is_said_at_launch(url: str) -> None:
    works = TemporalWorks("127.0.0.1:1")
    with ControlPlane(url, building=Site(url), works=works) as plane:
        with pytest.raises(WorkError, match=r"127\.0\.0\.1:1 could not be reached"):
            plane.launch()
        with pytest.raises(WorkError, match="not launched"):
            registered(plane)


def test_a_server_that_goes_away_fails_the_start_and_takes_nothing_with_it(
    url: str, tmp_path: Path
) -> None:
    with temporal_server(tmp_path) as address:
        works = TemporalWorks(address, patience_s=2.0)
        plane = ControlPlane(url, building=Site(url), works=works)
        plane.launch()
    before = Site(url).places()
    with plane:
        with pytest.raises(WorkError, match="could not be started"):
            registered(plane)
        assert (ended(plane), Site(url).places()) == (True, before)
