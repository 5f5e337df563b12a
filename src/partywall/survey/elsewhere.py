"""The same tenants on another server or in another database."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from partywall.survey.connecting import connect

if TYPE_CHECKING:
    from partywall.survey.configuration import Configuration, TenantSettings

PLACE = ("host", "hostaddr", "port", "service")


def moved(configuration: Configuration) -> Configuration:
    """The configuration with its tenants' addresses turned to where its `url` leads.

    Host and port are those of `url`, roles and all else stay. So does the database where each
    tenant has one of its own; where all use the same, it becomes that of `url`.

    Raises:
        ConfigurationError: nobody answers at `url`.
    """
    with connect(configuration.url) as admin:
        there = {"host": admin.info.host, "port": str(admin.info.port)}
        database = admin.info.dbname
    databases = {_database(tenant) for tenant in configuration.tenants}
    inside = {"dbname": database} if len(databases) == 1 else {}

    def turned(tenant: TenantSettings) -> TenantSettings:
        known = {k: v for k, v in conninfo_to_dict(tenant.url).items() if k not in PLACE}
        known.setdefault("dbname", _database(tenant))
        return replace(tenant, url=make_conninfo("", **(known | there | inside)))

    nobody = configuration.anonymous
    return replace(
        configuration,
        tenants=tuple(turned(tenant) for tenant in configuration.tenants),
        anonymous=turned(nobody) if nobody else None,
    )


def _database(tenant: TenantSettings) -> str:
    """What the tenant's address leads to; where it names none, that is called as the role."""
    known = conninfo_to_dict(tenant.url)
    return str(known.get("dbname") or known.get("user") or "")
