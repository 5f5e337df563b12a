"""kill -9 of the database server in the middle: after its recovery all works come to their end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall import SchemaPerTenant
from partywall.adapters.dbos import DbosWorks
from partywall.control import tenants
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.building import Building
from partywall.control.registration import NewUser
from partywall.errors import WorkError
from partywall.isolation.naming import physical_name
from partywall.servers import postgres
from tests.conftest import installation
from tests.control.crashing import ended, waited
from tests.control.lodgings import ROLES, own_tables, sow
from tests.control.planes import migrated, unique
from tests.control.test_departure import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Postgres

MANY = 5


@pytest.fixture
def server() -> Iterator[Postgres]:
    """One that may crash: no other test is on it."""
    lasting = {"synchronous_commit": "on"}  # what was committed is not lost, as it could be
    with postgres(installation(embedded=False), lasting) as server:
        with psycopg.connect(server.url(), autocommit=True) as control:
            control.execute(ROLES.encode())
            control.execute(b"GRANT CREATE ON DATABASE postgres TO keeper")
        yield server


def crash(server: Postgres) -> None:
    """Kill one of its processes, whereupon it ends all others and recovers from its log."""
    with psycopg.connect(server.url()) as connection, suppress(psycopg.Error):
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        connection.execute(b"SELECT 1")
    waited(lambda: answers(server))


def answers(server: Postgres) -> bool:
    try:
        psycopg.connect(server.url()).close()
    except psycopg.OperationalError:
        return False
    return True


def test_works_come_to_their_end_after_the_server_has_crashed(server: Postgres) -> None:
    building = Building(
        SchemaPerTenant(roles=True),
        url=server.url("postgres", "app"),
        owner_url=server.url("postgres", "keeper"),
        schema=own_tables(),
        seed=sow,
    )
    works = DbosWorks(heartbeat_s=0.3)
    with ControlPlane(migrated(server.url()), building=building, works=works) as plane:
        plane.launch()
        ids = []
        for _ in range(MANY):
            slug = unique()
            owner = NewUser(f"ann@{slug}.example.com")
            ids.append(plane.register(slug=slug, name="Acme", owner=owner).tenant.id)
        crash(server)
        waited(lambda: settled(plane))
        stands = {tenant_id: status(plane, tenant_id) for tenant_id in ids}
        assert set(stands.values()) <= {"active", "failed"}
        active = {physical_name(i) for i, standing in stands.items() if standing == "active"}
        assert places(server) == active
        for tenant_id in ids:
            plane.remove(tenant_id, grace=AT_ONCE)
        crash(server)
        waited(lambda: settled(plane))
        for tenant_id in ids:
            with suppress(WorkError):
                if (work := plane.work(tenant_id)) is not None and work.state == "failed":
                    plane.retry(tenant_id)
        waited(lambda: settled(plane))
        assert {status(plane, tenant_id) for tenant_id in ids} == {"deleted"}
        assert places(server) == set()  # roles: the tombstones are schemas without one
    building.close()


def settled(plane: ControlPlane) -> bool:
    """Whether no work is left to do; not while the server recovers."""
    with suppress(Exception):
        return ended(plane)
    return False


def status(plane: ControlPlane, tenant_id: str) -> str:
    with plane.database.reading() as connection:
        return tenants.known(connection, tenant_id).status


def places(server: Postgres) -> set[str]:
    """The tenants' roles, which come and go with their schemas."""
    with psycopg.connect(server.url()) as connection:
        query = "SELECT rolname FROM pg_roles WHERE rolname LIKE 't\\_%'"
        return {name for (name,) in connection.execute(query.encode())}
