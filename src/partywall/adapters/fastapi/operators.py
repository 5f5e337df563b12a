"""Endpoints of administrators: each acts under a grant, with a reason, from an allowed network."""

import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from partywall.adapters.fastapi.access import address
from partywall.adapters.fastapi.authenticating import ADMINISTRATOR, Principal
from partywall.adapters.fastapi.desk import Desk
from partywall.adapters.fastapi.doorway import standing
from partywall.adapters.fastapi.models import Because, Enter, Entered, TenantTold, WorkBegun
from partywall.adapters.fastapi.problems import documented
from partywall.adapters.fastapi.routes import public
from partywall.control import administration, audit, tenants, users
from partywall.control.database import now
from partywall.control.registration import GRACE

Status = Literal["provisioning", "active", "suspended", "failed", "deleted"]


def operators(desk: Desk) -> APIRouter:
    """What administrators do with tenants."""
    router = APIRouter(prefix="/admin", tags=["operators"], responses=documented())
    user = Annotated[Principal, Depends(desk.access.user)]
    database = desk.plane.database

    @router.post("/tenants/{tenant_id}/enter", status_code=201)
    @public
    def enter_tenant(tenant_id: UUID, given: Enter, asking: user, request: Request) -> Entered:
        """Be let into a tenant, for a reason and for a while; the token is shown this once."""
        source = address(request)
        with desk.administering(request, asking.user_id) as connection:
            grant = administration.grant(
                connection,
                asking.user_id,
                str(tenant_id),
                reason=given.reason,
                until=now() + dt.timedelta(minutes=given.minutes),
            )
            administration.permitted(connection, asking.user_id, str(tenant_id), source)
            user = standing(users.get(connection, asking.user_id))
        issued = desk.issued(asking, user, str(tenant_id), ADMINISTRATOR)
        return Entered(**issued, grant_id=grant.id, until=grant.expires_at)

    @router.get("/tenants")
    @public
    def listed_tenants(
        asking: user,
        request: Request,
        status: Status | None = None,
        after: Annotated[str, Query(max_length=63)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[TenantTold]:
        """The tenants, by slug; under a grant for all of them."""
        desk.permitted(request, asking.user_id, None)
        with database.reading() as connection:
            found = tenants.listed(connection, status=status, after=after, limit=limit)
        return [TenantTold.of(each) for each in found]

    @router.post("/tenants/{tenant_id}/suspend")
    @public
    def suspend(tenant_id: UUID, given: Because, asking: user, request: Request) -> TenantTold:
        """Let nobody into a tenant."""
        return changed(desk, request, asking, str(tenant_id), "suspended", given.reason)

    @router.post("/tenants/{tenant_id}/resume")
    @public
    def resume(tenant_id: UUID, given: Because, asking: user, request: Request) -> TenantTold:
        """Let its members into a suspended tenant again."""
        return changed(desk, request, asking, str(tenant_id), "active", given.reason)

    router.include_router(removals(desk))
    return router


def removals(desk: Desk) -> APIRouter:
    """What administrators do with the works of tenants."""
    router = APIRouter(responses=documented())
    user = Annotated[Principal, Depends(desk.access.user)]

    @router.post("/tenants/{tenant_id}/remove", status_code=202)
    @public
    def remove(
        tenant_id: UUID,
        asking: user,
        request: Request,
        grace_days: Annotated[int, Query(ge=0, le=365)] = GRACE.days,
    ) -> WorkBegun:
        """Let nobody in, and delete the tenant's data when the grace period has passed."""
        desk.permitted(request, asking.user_id, str(tenant_id))
        grace = dt.timedelta(days=grace_days)
        work_id = desk.plane.remove(str(tenant_id), grace=grace, **by(asking, request))
        return WorkBegun(work_id=work_id)

    @router.post("/tenants/{tenant_id}/keep")
    @public
    def keep(tenant_id: UUID, asking: user, request: Request) -> TenantTold:
        """Revoke a removal in its grace period."""
        desk.permitted(request, asking.user_id, str(tenant_id))
        kept = desk.plane.keep(str(tenant_id), **by(asking, request))
        return TenantTold.of(kept)

    @router.post("/tenants/{tenant_id}/retry", status_code=202)
    @public
    def retry(tenant_id: UUID, asking: user, request: Request) -> WorkBegun:
        """Do again what failed for a tenant."""
        desk.permitted(request, asking.user_id, str(tenant_id))
        return WorkBegun(work_id=desk.plane.retry(str(tenant_id), **by(asking, request)))

    return router


def by(asking: Principal, request: Request) -> dict[str, Any]:
    """Who does it, and from where, for the log."""
    return {"by": asking.user_id, "source": audit.fitted(address(request))}


def changed(
    desk: Desk, request: Request, asking: Principal, tenant_id: str, status: Status, reason: str
) -> TenantTold:
    """Suspend a tenant, or take that back; the log says why."""
    desk.permitted(request, asking.user_id, tenant_id)
    with desk.plane.database.begin() as connection:
        because = reason if status == "suspended" else ""
        found = tenants.set_status(connection, tenant_id, status, reason=because)
        audit.record(
            connection,
            tenant_id,
            "tenant.suspended" if status == "suspended" else "tenant.resumed",
            actor=asking.user_id,
            subject=tenant_id,
            source=audit.fitted(address(request)),
            detail={"reason": audit.fitted(reason, 500)},
        )
    return TenantTold.of(found)
