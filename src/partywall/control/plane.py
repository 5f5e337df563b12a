"""The control plane: what belongs together, in one place. It holds, and lets others do."""

from __future__ import annotations

import asyncio
from functools import cached_property, partial
from typing import TYPE_CHECKING, Self

from partywall.control import registration, works
from partywall.control.access import Access
from partywall.control.database import Database
from partywall.control.metering import Meter
from partywall.control.provisioning.acting import Saga
from partywall.control.registration import GRACE
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy import URL

    from partywall.control.provisioning.saga import Building, Works
    from partywall.control.registration import NewUser, Registered
    from partywall.control.tenants import Tenant
    from partywall.control.tokens import Tokens
    from partywall.control.works import Work
    from partywall.runtime.tenancy import Tenancy


class ControlPlane:
    """The house of the tenants; one for the life of the process.

    Nothing is opened before it is used. `migrate(plane.database)` makes its tables.

    Args:
        url: `postgresql://…` or `sqlite:///…`, of the control plane's own database.
        tenancy: the application's way to its tenants' data.
        building: what a new tenant's place is made of.
        works: the workflow engine that provisions and removes: `DbosWorks()`, `TemporalWorks(…)`.
        tokens: what signs and verifies tokens.
    """

    def __init__(
        self,
        url: str | URL,
        *,
        tenancy: Tenancy | None = None,
        building: Building | None = None,
        works: Works | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.database = Database(url)
        self.tenancy = tenancy
        self.building = building
        self.works = works
        self.tokens = tokens

    @cached_property
    def access(self) -> Access:
        """The cached reader of tenants, members and keys."""
        return Access(self.database)

    @cached_property
    def meter(self) -> Meter:
        """What counts against the quotas."""
        return Meter(self.database)

    def launch(self) -> None:
        """Begin to provision and remove, and take up what an earlier process left.

        Raises:
            ConfigurationError: without a workflow engine or a building, or when this process
                works already.
            WorkError: when the engine can't be reached.
        """
        if self.works is None or self.building is None:
            raise ConfigurationError(
                "to provision tenants, give ControlPlane both: works=DbosWorks() and building=…"
            )
        self.works.launch(Saga(self.database, self.building))

    def register(
        self,
        *,
        slug: str,
        name: str,
        owner: NewUser | str,
        source: str = "",
        placement: str = "",
        settings: Mapping[str, object] | None = None,
    ) -> Registered:
        """Make a tenant with its owner and start to provision it: `registration.register`."""
        return registration.register(
            self,
            slug=slug,
            name=name,
            owner=owner,
            source=source,
            placement=placement,
            settings=settings,
        )

    async def async_register(
        self,
        *,
        slug: str,
        name: str,
        owner: NewUser | str,
        source: str = "",
        placement: str = "",
        settings: Mapping[str, object] | None = None,
    ) -> Registered:
        """As `register`, for async code."""
        registering = partial(self.register, slug=slug, name=name, owner=owner, source=source)
        return await asyncio.to_thread(registering, placement=placement, settings=settings)

    def retry(self, tenant_id: str, *, by: str = "", source: str = "") -> str:
        """Do again what failed for a tenant: `registration.retry`."""
        return registration.retry(self, tenant_id, by=by, source=source)

    async def async_retry(self, tenant_id: str, *, by: str = "", source: str = "") -> str:
        """As `retry`, for async code."""
        return await asyncio.to_thread(self.retry, tenant_id, by=by, source=source)

    def remove(
        self, tenant_id: str, *, grace: dt.timedelta = GRACE, by: str = "", source: str = ""
    ) -> str:
        """Let nobody in, and delete the data when *grace* has passed: `registration.remove`."""
        return registration.remove(self, tenant_id, grace=grace, by=by, source=source)

    async def async_remove(
        self, tenant_id: str, *, grace: dt.timedelta = GRACE, by: str = "", source: str = ""
    ) -> str:
        """As `remove`, for async code."""
        return await asyncio.to_thread(self.remove, tenant_id, grace=grace, by=by, source=source)

    def keep(self, tenant_id: str, *, by: str = "", source: str = "") -> Tenant:
        """Revoke a removal in its grace period: `registration.keep`."""
        return registration.keep(self, tenant_id, by=by, source=source)

    async def async_keep(self, tenant_id: str, *, by: str = "", source: str = "") -> Tenant:
        """As `keep`, for async code."""
        return await asyncio.to_thread(self.keep, tenant_id, by=by, source=source)

    def work(self, tenant_id: str) -> Work | None:
        """The last work of a tenant: how far it is, why it failed, what it removed."""
        with self.database.reading() as connection:
            return works.latest(connection, tenant_id)

    async def async_work(self, tenant_id: str) -> Work | None:
        """As `work`, for async code."""
        return await asyncio.to_thread(self.work, tenant_id)

    def close(self) -> None:
        """Stop working, and close the connections; what is not finished stays for the next."""
        if self.works is not None:
            self.works.close()
        for name in ("meter", "access"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()
        self.database.close()

    def __enter__(self) -> Self:
        """This control plane; the block closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
