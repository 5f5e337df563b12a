"""What every isolation model must be able to do with a tenant's place, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from partywall.context import TenantContext
from partywall.control.provisioning.alone import still_alone
from partywall.isolation.naming import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Table
    from sqlalchemy.orm import Session

    from partywall.control.provisioning.blueprint import Blueprint
    from partywall.control.provisioning.owner import Owner
    from partywall.control.tenants import Tenant
    from partywall.runtime.tenancy import Tenancy

    Seed: TypeAlias = Callable[[Session, Tenant], object]
    Canary: TypeAlias = Callable[[Connection], str]
    Facts: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Design:
    """What a site builds with.

    Attributes:
        tenancy: the application's own way in, with its login: seeds and smoke surveys take it.
        owners: the owner's connections, by the name of the server; "" for the only one.
        login: the role that the application logs in as, "" on SQLite.
        blueprint: the tables.
        seed: fills a new tenant's place, in one transaction of the tenant.
        canary: inserts a row of its own for the smoke survey and returns the name of its table.
    """

    tenancy: Tenancy
    owners: Mapping[str, Owner]
    login: str
    blueprint: Blueprint
    seed: Seed | None = None
    canary: Canary | None = None
    known: dict[str, str] = field(default_factory=dict)
    """The canary that was found for a digest, so that it is not looked for again."""

    @property
    def owner(self) -> Owner:
        """The owner's connections, where there is one server."""
        return self.owners[""]

    def sow(self, tenant: Tenant) -> None:
        """Run the seed as the application would: with its login, behind the tenant's walls."""
        if self.seed is not None:
            with self.tenancy.session(TenantContext(tenant.id)) as session:
                still_alone()
                self.seed(session, tenant)


def qualified(table: Table) -> str:
    """A table's name as statements write it, with its schema."""
    return f"{identifier(table.schema or 'public')}.{identifier(table.name)}"


class Site(Protocol):
    """How places of one isolation model are made and removed.

    Each function may run again after a crash at any point inside of it.
    """

    def create(self, tenant: Tenant) -> Facts:
        """Make the tenant's place, empty.

        Raises:
            TenantExists: when what stands there was made by somebody else.
            DeletedTenant: when its name was another tenant's.
        """
        ...

    def migrate(self, tenant: Tenant) -> Facts:
        """Make the tables in it."""
        ...

    def seed(self, tenant: Tenant) -> Facts:
        """Fill them, once."""
        ...

    def smoke(self, tenant: Tenant) -> Facts:
        """Survey the walls.

        Raises:
            WorkError: when a wall does not hold, or that could not be shown.
        """
        ...

    def demolish(self, tenant: Tenant) -> None:
        """Take back what create and migrate made, and nothing of another's; no tombstone."""
        ...

    def clear(self, tenant: Tenant) -> None:
        """Take back what seed made, where `demolish` does not."""
        ...

    def close(self, tenant: Tenant) -> Facts:
        """Keep the application's login out of the place from now on."""
        ...

    def count(self, tenant: Tenant) -> Facts:
        """What there is to remove: tables, rows, bytes."""
        ...

    def erase(self, tenant: Tenant) -> Facts:
        """Remove it, look whether anything is left, and leave a tombstone."""
        ...
