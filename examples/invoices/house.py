"""The house: who may come in, and the session of the company they come in to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, HTTPException
from sqlalchemy import create_engine, make_url

from partywall import RowSecurity, Tenancy, TenantContext
from partywall.adapters.dbos import DbosWorks
from partywall.adapters.fastapi import (
    CustomDomain,
    Header,
    OnlyMembership,
    Subdomain,
    TenantAccess,
)
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
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import URL
    from sqlalchemy.orm import Session as SyncSession

    from partywall.control.tenants import Tenant

T = TypeVar("T", bound=Base)
MEMBER = {*roles.BUILT_IN["member"], "invoices:write"}


def furnish(session: SyncSession, tenant: Tenant) -> None:
    """What a new company begins with: its invoices count from 1, and its members may write."""
    session.add(Counter(name="invoices", last=0))
    with plane.database.begin() as connection:
        roles.define(connection, tenant.id, "member", MEMBER)


key = SigningKey("invoices", settings.key) if settings.key else SigningKey.generate("invoices")
building = Building(
    walls,
    url=settings.url,
    owner_url=settings.owner_url,
    schema=Base.metadata,
    seed=furnish,
)
plane = ControlPlane(
    settings.control,
    building=building,
    works=DbosWorks(),
    tokens=Tokens([key], issuer="invoices", audience="invoices"),
)
tenancy = Tenancy(
    settings.url,
    walls,
    connections=settings.connections,
    directory=plane.access,
    observer=AuditObserver(plane.database),
)
access = TenantAccess(
    tenancy,
    plane,
    resolve=[Subdomain(settings.domain), CustomDomain(), Header("X-Tenant"), OnlyMembership()],
)

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
    if settings.keeps_files:
        Path(settings.folder).mkdir(mode=0o700, parents=True, exist_ok=True)
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
