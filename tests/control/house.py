"""A control plane whose site can be told to fail, and whose works run when a test runs them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from partywall.control import audit, tenants
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.acting import Saga
from partywall.control.registration import NewUser
from tests.control.planes import Threads, unique
from tests.control.sites import Site

if TYPE_CHECKING:
    from partywall.control.tenants import Tenant
    from partywall.control.works import Work
    from partywall.runtime.directory import Standing


class House:
    """A control plane whose site can be told to fail, and whose works run when they are told to."""

    def __init__(self, url: str) -> None:
        self.errors: dict[str, list[Exception]] = {}
        self.visited: list[str] = []
        self.site = Site(url, self.inside)
        self.works = Held()
        self.plane = ControlPlane(url, building=self.site, works=self.works)
        self.saga = Saga(self.plane.database, self.site, pauses_s=(0.0, 0.0))
        self.works.launch(self.saga)

    def inside(self, step: str) -> None:
        self.visited.append(step)
        if self.errors.get(step):
            raise self.errors[step].pop(0)

    def fails(self, step: str, *errors: Exception) -> None:
        self.errors[step] = list(errors)

    def register(self) -> tuple[str, str]:
        slug = unique()
        owner = NewUser(f"ann@{slug}.example.com")
        registered = self.plane.register(slug=slug, name="Acme", owner=owner)
        return registered.tenant.id, registered.work_id

    def settled(self) -> str:
        tenant_id, work_id = self.register()
        self.works.run(work_id)
        return tenant_id

    def tenant(self, tenant_id: str) -> Tenant:
        with self.plane.database.reading() as connection:
            found = tenants.get(connection, tenant_id)
        assert found is not None
        return found

    def work(self, tenant_id: str) -> Work:
        found = self.plane.work(tenant_id)
        assert found is not None
        return found

    def actions(self, tenant_id: str) -> list[str]:
        with self.plane.database.reading() as connection:
            return [entry.action for entry in audit.entries(connection, tenant_id)]

    def status(self, tenant_id: str, status: Standing) -> None:
        with self.plane.database.begin() as connection:
            tenants.set_status(connection, tenant_id, status)


class Held(Threads):
    """Works are started, and run only when the test runs them."""

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        del not_before
        self.started.append(work_id)
