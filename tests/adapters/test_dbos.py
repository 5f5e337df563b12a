"""Works on DBOS: taken over from the dead, started when they were lost, one for the process."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import signal
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from dbos import DBOS, DBOSConfig
from sqlalchemy import create_engine

from partywall.adapters.dbos import DbosWorks
from partywall.control import tenants
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.presence import Presence
from partywall.control.registration import NewUser
from partywall.errors import ConfigurationError, WorkError
from tests.control import crashing
from tests.control.crashing import Case, ended, waited
from tests.control.planes import Threads, prepared, unique
from tests.control.sites import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.control.crashing"])


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared(request.param, request) as url:
        yield url


@pytest.fixture
def plane(url: str) -> Iterator[ControlPlane]:
    with ControlPlane(url, building=Site(url), works=DbosWorks(heartbeat_s=0.2)) as plane:
        yield plane


def registered(plane: ControlPlane) -> str:
    slug = unique()
    owner = NewUser(f"ann@{slug}.example.com")
    return plane.register(slug=slug, name="Acme", owner=owner).tenant.id


def status(plane: ControlPlane, tenant_id: str) -> str:
    with plane.database.reading() as connection:
        tenant = tenants.get(connection, tenant_id)
    assert tenant is not None
    return tenant.status


def test_a_removal_waits_for_its_grace_period(plane: ControlPlane) -> None:
    plane.launch()
    tenant_id = registered(plane)
    waited(lambda: status(plane, tenant_id) == "active")
    begun = time.monotonic()
    plane.remove(tenant_id, grace=dt.timedelta(seconds=1.5))
    waited(lambda: status(plane, tenant_id) == "deleted")
    assert time.monotonic() - begun > 1.5


def test_a_process_takes_over_what_another_was_doing_that_died(
    url: str, plane: ControlPlane
) -> None:
    plane.launch()
    case = Case(unique(), "register", "inside create", "dbos", url)
    together = PROCESSES.Barrier(1)
    dying = PROCESSES.Process(target=crashing.begin, args=(case, together))
    dying.start()
    dying.join(crashing.PATIENCE_S)
    assert dying.exitcode == -signal.SIGKILL
    with plane.database.reading() as connection:
        tenant = tenants.by_slug(connection, case.slug)
    assert tenant is not None
    waited(lambda: status(plane, tenant.id) == "active")


def test_a_work_that_the_engine_has_lost_is_started_again(url: str, plane: ControlPlane) -> None:
    forgetful = Threads()
    forgetful.name = "dbos"
    forgetful.start = lambda *_, **__: None  # type: ignore[method-assign]  # as a restored database
    with ControlPlane(url, building=Site(url), works=forgetful) as other:
        tenant_id = registered(other)
    plane.launch()
    waited(lambda: status(plane, tenant_id) == "active")


def test_a_plane_can_be_launched_again_after_it_was_closed(url: str) -> None:
    threads = set(threading.enumerate())
    works = DbosWorks(heartbeat_s=0.2)
    for _ in range(2):
        with ControlPlane(url, building=Site(url), works=works) as plane:
            plane.launch()
            tenant_id = registered(plane)
            waited(lambda: ended(plane))
            assert status(plane, tenant_id) == "active"
    waited(lambda: not {thread for thread in threading.enumerate() if thread not in threads})


def test_what_is_being_done_when_a_plane_closes_is_finished_by_the_next(url: str) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def inside(step: str) -> None:
        if step == "create":
            reached.set()
            assert go_on.wait(10)

    with ControlPlane(url, building=Site(url, inside), works=DbosWorks()) as plane:
        plane.launch()
        tenant_id = registered(plane)
        assert reached.wait(10)
        threading.Timer(0.2, go_on.set).start()
    with ControlPlane(url, building=Site(url), works=DbosWorks(heartbeat_s=0.2)) as plane:
        assert status(plane, tenant_id) == "provisioning"
        plane.launch()
        waited(lambda: status(plane, tenant_id) == "active")


def test_only_one_can_work_in_a_process(url: str, plane: ControlPlane) -> None:
    plane.launch()
    second = ControlPlane(url, building=Site(url), works=DbosWorks())
    with second, pytest.raises(ConfigurationError, match="already"):
        second.launch()
    tenant_id = registered(plane)  # the first one works on
    waited(lambda: status(plane, tenant_id) == "active")


def test_an_application_that_uses_dbos_itself_is_left_alone(
    plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> None:
    address = f"sqlite:///{tmp_path_factory.mktemp('own')}/own.db"
    DBOS(config=DBOSConfig(name="own", system_database_url=address, executor_id="own"))
    try:
        with pytest.raises(ConfigurationError, match="something else"):
            plane.launch()
        plane.close()
        assert DBOS.executor_id == "own"
        DBOS.launch()
        assert DBOS.list_workflows() == []
    finally:
        DBOS.destroy(destroy_registry=True)
    plane.launch()


def test_a_database_that_is_not_there_is_said_at_launch(url: str) -> None:
    works = DbosWorks("sqlite:////nowhere/at/all.db")
    with ControlPlane(url, building=Site(url), works=works) as plane:
        with pytest.raises(WorkError, match="could not be launched"):
            plane.launch()
        with pytest.raises(WorkError, match="not launched"):
            registered(plane)


def test_a_start_that_takes_too_long_has_failed(url: str) -> None:
    works = DbosWorks(patience_s=0.2)
    with ControlPlane(url, building=Site(url), works=works) as plane:
        plane.launch()
        before = Site(url).places()
        with blocked(plane), pytest.raises(WorkError, match=r"in 0\.2 s"):
            registered(plane)
        time.sleep(0.5)  # the work begins all the same
        waited(lambda: ended(plane))
        assert Site(url).places() == before


@contextmanager
def blocked(plane: ControlPlane) -> Iterator[None]:
    """Nobody else writes to the database of DBOS."""
    url = plane.database.url
    lock = "LOCK TABLE dbos.workflow_status IN EXCLUSIVE MODE"
    if plane.database.sqlite:
        url, lock = url.set(database=f"{url.database}.works"), "BEGIN IMMEDIATE"
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql(lock)
        yield
    engine.dispose()


def test_who_lives_is_not_taken_for_dead(plane: ControlPlane) -> None:
    name = f"dbos-{uuid.uuid4()}"
    living, other = Presence(plane.database, name), Presence(plane.database, f"{name}-other")
    assert not seen_dead(other, name)
    living.close()
    waited(lambda: seen_dead(other, name))  # the server hears of it a moment later
    other.close()


def test_a_presence_whose_connection_was_lost_is_renewed(plane: ControlPlane) -> None:
    if plane.database.sqlite:
        return  # a file is not lost
    name = f"dbos-{uuid.uuid4()}"
    living, other = Presence(plane.database, name), Presence(plane.database, f"{name}-other")
    cut = f"SELECT pg_terminate_backend({backend(living)})"
    engine = create_engine(plane.database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(cut)
    engine.dispose()
    waited(lambda: seen_dead(other, name))
    living.renew()
    assert not seen_dead(other, name)
    living.close()
    other.close()


def backend(presence: Presence) -> int:
    connection = presence._connection  # noqa: SLF001 - the one that is to be cut
    assert connection is not None
    pid: int = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    return pid


def seen_dead(presence: Presence, name: str) -> bool:
    with presence.dead(name) as dead:
        return dead
