"""The house: who may come in, and the session of the company they come in to."""

from __future__ import annotations

import secrets
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, HTTPException
from sqlalchemy import create_engine, make_url

from partywall import RowSecurity, Tenancy, TenantContext
from partywall.adapters.caching import MemoryStore
from partywall.adapters.channels import Channels, MemoryBroker
from partywall.adapters.dbos import DbosWorkflows, DbosWorks
from partywall.adapters.fastapi import (
    CustomDomain,
    Header,
    OnlyMembership,
    Subdomain,
    TenantAccess,
)
from partywall.adapters.files import Folder, TenantFiles
from partywall.control import roles
from partywall.control.audit import AuditObserver
from partywall.control.migrations import migrate
from partywall.control.plane import ControlPlane
from partywall.control.provisioning.building import Building
from partywall.control.tokens import SigningKey, Tokens
from partywall.runtime.session import AsyncTenantSession

from .models import Base, Counter, walls
from .settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import URL
    from sqlalchemy.orm import Session as SyncSession

    from partywall.adapters.caching import AsyncCache
    from partywall.adapters.channels import Broker
    from partywall.control.tenants import Tenant

T = TypeVar("T", bound=Base)
MEMBER = {*roles.BUILT_IN["member"], "invoices:write"}


def furnish(session: SyncSession, tenant: Tenant) -> None:
    """What a new company begins with: its invoices count from 1, and its members may write."""
    session.add(Counter(name="invoices", last=0))
    with plane.database.begin() as connection:
        roles.define(connection, tenant.id, "member", MEMBER)


def erase(tenant: Tenant) -> Mapping[str, object]:
    """What a company that is removed leaves beside its database: attachments and exports."""
    return files.erase(tenant)


def kept() -> Folder:
    """Where attachments and exports are; nobody else on the machine may look into it."""
    for folder in (Path(settings.folder), path := Path(settings.folder, "files")):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Folder(path)


def shared() -> tuple[Callable[[TenantContext], AsyncCache], Broker]:
    """Where answers are kept, and what carries live comments: this process's memory, or a Redis."""
    if not settings.redis:
        return MemoryStore().asynchronous, MemoryBroker()
    from redis.asyncio import Redis  # noqa: PLC0415 - an extra, and so are those that follow

    from partywall.adapters.channels import RedisBroker  # noqa: PLC0415
    from partywall.adapters.redis import AsyncTenantCache  # noqa: PLC0415

    client = Redis.from_url(settings.redis)
    return partial(AsyncTenantCache, client, namespace="invoices"), RedisBroker(settings.redis)


key = SigningKey("invoices", settings.key) if settings.key else SigningKey.generate("invoices")
building = Building(
    walls,
    url=settings.url,
    owner_url=settings.owner_url,
    schema=Base.metadata,
    seed=furnish,
    removing={"files": erase},
)
plane = ControlPlane(
    settings.control,
    building=building,
    works=DbosWorks(settings.works),
    tokens=Tokens([key], issuer="invoices", audience="invoices"),
)
tenancy = Tenancy(
    settings.url,
    walls,
    connections=settings.connections,
    directory=plane.access,
    observer=AuditObserver(plane.database),
    workflows=DbosWorkflows(settings.works, key=settings.secret or secrets.token_bytes(32)),
)
files = TenantFiles(kept(), directory=plane.access)
access = TenantAccess(
    tenancy,
    plane,
    resolve=[Subdomain(settings.domain), CustomDomain(), Header("X-Tenant"), OnlyMembership()],
)

store, broker = shared()
channels = Channels(broker, access, directory=plane.access)

Context = Annotated[TenantContext, Depends(access)]
Session = Annotated[AsyncTenantSession, Depends(access.async_session)]
MAY_WRITE = Depends(access.requires("invoices:write"))


async def found(session: AsyncTenantSession, entity: type[T], id_: UUID) -> T:
    """A row of the company; 404 for the id of another company's as for one that nobody has."""
    row = await session.get(entity, id_)
    if row is None:
        raise HTTPException(404)
    return row


def prepare() -> None:
    """Make what stands before the first company comes; again, it does nothing."""
    migrate(plane.database)
    if not settings.shared_tables:
        return
    owner = create_engine(settings.owner_url)
    with owner.begin() as connection:
        Base.metadata.create_all(connection)
        for statement in granted(make_url(settings.url)):
            connection.exec_driver_sql(statement)
    owner.dispose()


def granted(login: URL) -> Sequence[str]:
    """The SQL that gives requests' login its rights to the tables; a file has no logins."""
    if isinstance(walls, RowSecurity):
        rights: Sequence[str] = Base.metadata.info["partywall"].grants(login.username)
        return rights
    if login.get_backend_name() == "sqlite":
        return ()
    tables = ", ".join(Base.metadata.tables)
    return (f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {login.username}",)
