"""Endpoints of a tenant about itself: its name and settings, domains, quotas, audit log."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from partywall.adapters.fastapi.desk import Desk
from partywall.adapters.fastapi.models import (
    Claim,
    DomainTold,
    EntryTold,
    QuotaTold,
    TenantChange,
    TenantTold,
)
from partywall.adapters.fastapi.problems import documented
from partywall.context import TenantContext
from partywall.control import audit, domains, limits, quotas, tenants
from partywall.control.chain import canonical, document
from partywall.errors import UnknownTenant

VERIFICATIONS, WINDOW_S = 20, 600.0
"""How often a tenant may let the DNS be asked: each may take seconds of a thread that all share."""


def premises(desk: Desk) -> APIRouter:
    """The tenant itself."""
    router = APIRouter(tags=["premises"], responses=documented())
    requires, database = desk.access.requires, desk.plane.database
    reader = Annotated[TenantContext, Depends(requires("tenant:read"))]
    writer = Annotated[TenantContext, Depends(requires("tenant:write"))]
    counter = Annotated[TenantContext, Depends(requires("quotas:read"))]

    @router.get("/tenant")
    def tenant(who: reader) -> TenantTold:
        """The tenant, as its members see it."""
        with database.reading() as connection:
            found = tenants.get(connection, who.tenant_id)
        if found is None:
            raise UnknownTenant("nobody lives here any more")
        return TenantTold.of(found)

    @router.patch("/tenant")
    def change_tenant(given: TenantChange, who: writer, request: Request) -> TenantTold:
        """Change the name, or the settings as a whole."""
        with database.begin() as connection:
            found = tenants.change(
                connection, who.tenant_id, name=given.name, settings=given.settings
            )
            parts = sorted(given.model_fields_set)
            desk.noted(connection, request, who, "tenant.changed", who.tenant_id, changed=parts)
        return TenantTold.of(found)

    @router.get("/quotas")
    def usage(who: counter) -> list[QuotaTold]:
        """What the tenant may have, and has."""
        with database.reading() as connection:
            found = quotas.usage(connection, who.tenant_id)
        return [QuotaTold.of(each) for each in found]

    router.include_router(logs(desk))
    router.include_router(addresses(desk))
    return router


def logs(desk: Desk) -> APIRouter:
    """The audit log of a tenant."""
    router, database = APIRouter(responses=documented()), desk.plane.database
    auditor = Annotated[TenantContext, Depends(desk.access.requires("audit:read"))]

    @router.get("/log")
    def log(
        who: auditor,
        after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[EntryTold]:
        """The audit log, page by page."""
        with database.reading() as connection:
            found = audit.entries(connection, who.tenant_id, after=after, limit=limit)
        return [EntryTold.of(each) for each in found]

    @router.get("/log/export", response_class=StreamingResponse)
    def export_log(who: auditor) -> StreamingResponse:
        """The whole audit log with its hashes, as JSON lines."""

        def lines() -> Iterator[str]:
            last = 0
            while True:
                with database.reading() as connection:
                    page = audit.entries(connection, who.tenant_id, after=last)
                if not page:
                    return
                # Without a connection: who reads slowly would keep it from all tenants.
                yield "".join(f"{canonical(document(entry))}\n" for entry in page)
                last = page[-1].number

        return StreamingResponse(lines(), media_type="application/jsonl")

    return router


def addresses(desk: Desk) -> APIRouter:
    """Domains of a tenant's own."""
    router = APIRouter(responses=documented())
    requires, database = desk.access.requires, desk.plane.database
    reader = Annotated[TenantContext, Depends(requires("domains:read"))]
    writer = Annotated[TenantContext, Depends(requires("domains:write"))]

    @router.get("/domains")
    def listed_domains(who: reader) -> list[DomainTold]:
        """The domains, also those that are only claimed."""
        with database.reading() as connection:
            found = domains.listed(connection, who.tenant_id)
        return [DomainTold.of(each) for each in found]

    @router.post("/domains", status_code=201)
    def claim_domain(given: Claim, who: writer, request: Request) -> DomainTold:
        """Claim a domain; the answer says what the DNS must have before it is used."""
        with database.begin() as connection:
            found = domains.claim(
                connection, who.tenant_id, given.name, beside=desk.access.own_domains
            )
            desk.noted(connection, request, who, "domain.claimed", found.name)
        return DomainTold.of(found)

    @router.post("/domains/{name}/verify")
    def verify_domain(name: str, who: writer, request: Request) -> DomainTold:
        """Take a claimed domain into use, when the DNS says so."""
        with database.reading() as connection:
            claimed = domains.of_tenant(connection, who.tenant_id, name)
        if claimed.verified_at is None:
            limits.attempt(
                database, f"verification by {who.tenant_id}", limit=VERIFICATIONS, window_s=WINDOW_S
            )
        # Asked before the transaction, which would else wait for the DNS.
        said = () if claimed.verified_at else domains.txt_records(domains.record_name(claimed.name))
        with database.begin() as connection:
            found = domains.verify(connection, who.tenant_id, name, lookup=lambda _: said)
            if claimed.verified_at is None:
                desk.noted(connection, request, who, "domain.verified", found.name)
        return DomainTold.of(found)

    @router.delete("/domains/{name}", status_code=204)
    def remove_domain(name: str, who: writer, request: Request) -> None:
        """Use a domain no more."""
        with database.begin() as connection:
            found = domains.of_tenant(connection, who.tenant_id, name)
            domains.remove(connection, who.tenant_id, found.name)
            desk.noted(connection, request, who, "domain.removed", found.name)

    return router
