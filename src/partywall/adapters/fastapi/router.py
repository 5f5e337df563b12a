"""The control plane's own endpoints: `app.include_router(control_router(plane, access))`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from partywall.adapters.fastapi.desk import Desk
from partywall.adapters.fastapi.doorway import doorway
from partywall.adapters.fastapi.household import household
from partywall.adapters.fastapi.operators import operators
from partywall.adapters.fastapi.premises import premises

if TYPE_CHECKING:
    from partywall.adapters.fastapi.access import TenantAccess
    from partywall.control.plane import ControlPlane


def control_router(
    plane: ControlPlane, access: TenantAccess, *, sign_ups_an_hour: int = 20
) -> APIRouter:
    """Sign-up, log-in, tenants' people, keys, domains and settings, and what administrators do.

    Args:
        plane: the control plane.
        access: what admits to a tenant.
        sign_ups_an_hour: how many companies may be signed up from one address, or by one user.
    """
    desk = Desk(plane, access)
    router = APIRouter()
    router.include_router(doorway(desk, sign_ups=sign_ups_an_hour))
    router.include_router(household(desk))
    router.include_router(premises(desk))
    router.include_router(operators(desk))
    return router
