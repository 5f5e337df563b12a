"""DBOS is one for a process: a control plane's works and the application's workflows share it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from partywall.adapters.dbos import DbosWorks
from partywall.control.plane import ControlPlane
from partywall.errors import ConfigurationError
from tests.adapters.test_dbos import registered, status
from tests.adapters.workflows import application as app
from tests.adapters.workflows.application import ACME, Application
from tests.control.crashing import waited
from tests.control.planes import prepared
from tests.control.sites import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def house(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared(request.param, request) as url:
        yield url


def system(house: str) -> str:
    """Where a control plane's works are kept, unless it is told otherwise."""
    return f"{house}.works" if house.startswith("sqlite") else house


def plane_of(house: str) -> ControlPlane:
    works = DbosWorks(system(house), heartbeat_s=0.2)
    return ControlPlane(house, building=Site(house), works=works)


@pytest.mark.parametrize("first", ["plane", "application"])
def test_both_work_in_one_process_and_either_may_stop_first(
    house: str, tmp_path: Path, first: str
) -> None:
    threads = set(threading.enumerate())
    made, plane = Application(["dbos", system(house)], tmp_path), plane_of(house)
    launches = [plane.launch, made.workflows.launch]
    closes = [plane.close, made.tenancy.close]
    order = 1 if first == "plane" else -1
    for launch in launches[::order]:
        launch()
    assert made.result(ACME, app.greet, "x")[2] == "x"
    tenant_id = registered(plane)
    waited(lambda: status(plane, tenant_id) == "active")
    closes[::order][0]()
    if first == "plane":
        assert made.result(ACME, app.greet_async, "y")[2] == "y"
        plane = plane_of(house)
        plane.launch()  # again, beside what went on
        again = registered(plane)
        waited(lambda: status(plane, again) == "active")
        plane.close()
    else:
        again = registered(plane)
        waited(lambda: status(plane, again) == "active")
        made = Application(["dbos", system(house)], tmp_path)
        waiting = made.workflows.start(ACME, app.greet, "z")  # nobody takes it meanwhile
        made.workflows.launch()
        assert made.workflows.result(ACME, waiting.id, timeout_s=60)[2] == "z"
        made.tenancy.close()
    closes[::order][1]()
    waited(lambda: set(threading.enumerate()) <= threads)


def test_what_was_running_when_the_application_s_part_closed_is_taken_up_again(
    house: str, tmp_path: Path
) -> None:
    with plane_of(house) as plane:
        plane.launch()
        made = Application(["dbos", system(house)], tmp_path)
        made.workflows.launch()
        started = made.workflows.start(ACME, app.slept, 0.9)
        waited(lambda: "acme" in made.standings.asked[1:])
        made.tenancy.close()
        made = Application(["dbos", system(house)], tmp_path)
        with made.tenancy:
            made.workflows.launch()
            assert made.workflows.result(ACME, started.id, timeout_s=60)[0] == "acme"


@pytest.mark.parametrize("first", ["plane", "application"])
def test_two_databases_of_dbos_in_one_process_are_refused(
    house: str, tmp_path: Path, first: str
) -> None:
    made = Application(["dbos", f"sqlite:///{tmp_path}/other.db"], tmp_path)
    with plane_of(house) as plane, made.tenancy:
        launches = [plane.launch, made.workflows.launch]
        one, other = launches if first == "plane" else launches[::-1]
        one()
        with pytest.raises(ConfigurationError, match="the same url"):
            other()
        if first == "plane":
            tenant_id = registered(plane)
            waited(lambda: status(plane, tenant_id) == "active")
        else:
            assert made.result(ACME, app.greet, "x")[2] == "x"


def test_two_applications_in_one_process_are_refused(tmp_path: Path) -> None:
    of = ["dbos", f"sqlite:///{tmp_path}/dbos.db"]
    one, other = Application(of, tmp_path), Application(of, tmp_path)
    with one.tenancy, other.tenancy:
        one.workflows.launch()
        with pytest.raises(ConfigurationError, match="already"):
            other.workflows.launch()
