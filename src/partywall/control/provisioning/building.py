"""What a tenant's place is made of, step by step: the port `Building` for all isolation models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from sqlalchemy import create_engine, make_url

from partywall.control.provisioning.blueprint import Blueprint
from partywall.control.provisioning.owner import Owner
from partywall.control.provisioning.saga import Step
from partywall.control.provisioning.sites.database_per_tenant import DatabaseSite
from partywall.control.provisioning.sites.file_per_tenant import FileSite
from partywall.control.provisioning.sites.row_security import RowSecuritySite
from partywall.control.provisioning.sites.schema_per_tenant import SchemaSite
from partywall.control.provisioning.sites.scoped_queries import ScopedQueriesSite
from partywall.control.provisioning.sites.site import Design
from partywall.errors import ConfigurationError, WorkError
from partywall.isolation import (
    DatabasePerTenant,
    FilePerTenant,
    RowSecurity,
    SchemaPerTenant,
    ScopedQueries,
)
from partywall.runtime.tenancy import Tenancy

if TYPE_CHECKING:
    from sqlalchemy import URL, Dialect, Engine

    from partywall.control.provisioning.blueprint import Schema
    from partywall.control.provisioning.sites.site import Canary, Facts, Seed, Site
    from partywall.control.tenants import Tenant
    from partywall.isolation.plan import IsolationModel

    Removing: TypeAlias = Callable[[Tenant], Facts | None]

Result = TypeVar("Result")

STEP = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
TAKEN = frozenset({"close", "count", "erase", "depart", "certify", "records"})
"""Steps of every removal, and what the certificate has besides."""

NEW = frozenset({"provisioning", "failed"})
"""What a tenant is while its place is made or taken back: nobody was ever let in."""


class Building:
    """Makes and removes the places of tenants of one application.

    Each step may run again after a crash at any point inside of it. What was made by somebody else
    is never taken over. Places are named by the tenant's id alone.

    Args:
        isolation: how the tenants are kept apart.
        url: of the application, with its login: seeds and the smoke survey take it.
        owner_url: of the role that owns what is made; on SQLite *url* will do. It may create
            schemas, for `DatabasePerTenant` databases and roles.
        schema: the tables of a tenant: SQLAlchemy's metadata, or a function that makes them on a
            connection, a migration. Of models with shared tables, those that are there.
        seed: fills a new tenant's tables, with a session and the tenant, in one transaction.
        servers: for tenants on several servers: name -> url of the application.
        owners: name -> url of the owner, for the same servers.
        ahead: of `SchemaPerTenant`, how many schemas are held ready.
        version: names what a function makes: with *ahead*, another version makes other schemas.
        canary: inserts a row for the smoke survey on a connection and returns its table's name,
            where no row can be made up from the catalog.
        connections: how many of the application's may be open at once.
        removing: what else a tenant's removal removes, elsewhere than in the database: the name
            of a step and a function of the tenant, `{"files": files.erase}`. They run after the
            tenant was closed and before its data is erased, for a tenant in removal alone, and may
            run again. What they return, words and numbers, goes into the certificate and into the
            tenant's audit log.
        guards: as `Tenancy`'s, for what the seed writes: `keyring.guard`.

    Raises:
        ConfigurationError: when these can't go together.
    """

    def __init__(  # noqa: PLR0913 - one argument for each thing that can be chosen
        self,
        isolation: IsolationModel,
        *,
        url: str | URL,
        owner_url: str | URL | None = None,
        schema: Schema,
        seed: Seed | None = None,
        servers: Mapping[str, str | URL] | None = None,
        owners: Mapping[str, str | URL] | None = None,
        ahead: int = 0,
        version: str = "",
        canary: Canary | None = None,
        connections: int = 4,
        removing: Mapping[str, Removing] | None = None,
        guards: Iterable[Callable[[Engine], None]] = (),
    ) -> None:
        self._removing = elsewhere(removing or {})
        self._owners = opened(isolation, url, owner_url, servers or {}, owners or {})
        self._tenancy = Tenancy(
            url, isolation, servers=servers, connections=connections, guards=guards
        )
        login = make_url(url).username or ""
        first = next(iter(self._owners.values()), None)
        dialect = (lambda: first.dialect) if first is not None else sqlite
        own = isinstance(isolation, (SchemaPerTenant, FilePerTenant))
        blueprint = Blueprint(schema, dialect, own=own, version=version)
        design = Design(self._tenancy, self._owners, login, blueprint, seed, canary)
        if ahead and not isinstance(isolation, SchemaPerTenant):
            raise ConfigurationError(
                f"only schemas can be made ahead, and {type(isolation).__name__} has none: "
                "leave ahead= out"
            )
        self._ahead = None
        self._site = site_of(isolation, design, ahead)
        if isinstance(self._site, SchemaSite):
            self._ahead = self._site.ahead

    def provisioning(self) -> tuple[Step, ...]:
        """Create, migrate, seed, smoke."""
        site = self._site
        return (
            Step("create", new(site.create), new(site.demolish)),
            Step("migrate", new(site.migrate), nothing),
            Step("seed", new(site.seed), new(site.clear)),
            Step("smoke", new(site.smoke), nothing),
        )

    def removal(self) -> tuple[Step, ...]:
        """Close, what is removed elsewhere, count, erase: in numbers, never in data."""
        site = self._site
        return (
            Step("close", removed(site.close), nothing),
            *self._removing,
            Step("count", removed(site.count), nothing),
            Step("erase", removed(site.erase), nothing),
        )

    def replenish(self) -> int:
        """Make ahead what is missing of the stock, now; how many were made.

        Each tenant that takes one has it replenished in the background.
        """
        return self._ahead.replenish() if self._ahead is not None else 0

    def close(self) -> None:
        """Close the idle connections, and wait for what is being made ahead."""
        if self._ahead is not None:
            self._ahead.close()
        self._tenancy.close()
        for owner in self._owners.values():
            owner.close()


def elsewhere(removing: Mapping[str, Removing]) -> tuple[Step, ...]:
    """The steps of a removal that are the application's own.

    Raises:
        ConfigurationError: for a name that can't be, or is a step's already.
    """
    for name in removing:
        if not STEP.match(name) or name in TAKEN:
            raise ConfigurationError(
                f"{name!r} can't be a step of a removal: use a word of small letters that is none "
                f"of {', '.join(sorted(TAKEN))}"
            )
    return tuple(
        Step(name, removed(facts(do)), nothing, noted=True) for name, do in removing.items()
    )


def facts(do: Removing) -> Callable[[Tenant], Facts]:
    """*do*, which may also return nothing; what it returns is words and numbers afterwards."""

    def told(tenant: Tenant) -> Facts:
        said = do(tenant) or {}
        return {str(k): v if isinstance(v, (int, float)) else str(v) for k, v in said.items()}

    return told


def opened(
    isolation: IsolationModel,
    url: str | URL,
    owner_url: str | URL | None,
    servers: Mapping[str, str | URL],
    owners: Mapping[str, str | URL],
) -> dict[str, Owner]:
    """The owner's connections, by the name of the server; none for files.

    Raises:
        ConfigurationError: when the owner is the application's own login, or has no url for a
            server.
    """
    if isinstance(isolation, FilePerTenant):
        return {}
    address = make_url(url)
    if owner_url is None and address.get_backend_name() != "sqlite":
        raise ConfigurationError(
            "tenants' tables belong to another role than the application's login: "
            "Building(owner_url=…)"
        )
    if servers.keys() != owners.keys():
        raise ConfigurationError("servers and owners name the same servers, with a url each")
    pairs = {"": (address, make_url(owner_url or url))}
    pairs |= {name: (make_url(servers[name]), make_url(owners[name])) for name in servers}
    for theirs, ours in pairs.values():
        own_login = getattr(isolation, "logins", False) or isinstance(isolation, ScopedQueries)
        if theirs.username == ours.username and not own_login:
            raise ConfigurationError(
                f"the application logs in as {ours.username}, who owns the tenants' tables, and "
                "no wall holds an owner: give it a login of its own"
            )
    return {name: Owner(ours) for name, (_, ours) in pairs.items()}


def site_of(isolation: IsolationModel, design: Design, ahead: int) -> Site:
    """What makes the places of a model.

    Raises:
        ConfigurationError: for a model of somebody else's.
    """
    match isolation:
        case SchemaPerTenant():
            return SchemaSite(design, isolation, ahead)
        case DatabasePerTenant():
            return DatabaseSite(design, isolation)
        case FilePerTenant():
            return FileSite(design, isolation)
        case RowSecurity():
            return RowSecuritySite(design, isolation)
        case ScopedQueries():
            return ScopedQueriesSite(design, isolation)
        case _:
            raise ConfigurationError(f"{type(isolation).__name__} has no places we could make")


def sqlite() -> Dialect:
    """SQLite's dialect, which knows its library."""
    return create_engine("sqlite://").dialect


def new(half: Callable[[Tenant], Result]) -> Callable[[Tenant], Result]:
    """Half of a step, for tenants that nobody was let in to."""

    def checked(tenant: Tenant) -> Result:
        unused(tenant)
        return half(tenant)

    return checked


def removed(do: Callable[[Tenant], Facts]) -> Callable[[Tenant], Facts]:
    """*do*, for tenants past the point of no return.

    Raises (when called):
        WorkError: for others.
    """

    def checked(tenant: Tenant) -> Facts:
        if tenant.status != "deleted":
            raise WorkError(f"the tenant is {tenant.status}: nothing of it is removed")
        return do(tenant)

    return checked


def unused(tenant: Tenant) -> None:
    """Hold a tenant to be new.

    Raises:
        WorkError: when somebody may have been let in: its place is not made anew, nor taken back.
    """
    if tenant.status not in NEW:
        raise WorkError(f"the tenant is {tenant.status}: its place is not touched")


def nothing(tenant: Tenant) -> None:
    """What a step leaves to another's undo, or never takes back."""
    del tenant
