"""Whether a tenant exists and may be entered: asked before every session."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal, Protocol

from partywall.errors import DeletedTenant, InactiveTenant, UnknownTenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.errors import TenantError

Standing = Literal["active", "provisioning", "suspended", "failed", "deleted"]


class Directory(Protocol):
    """Knows the tenants."""

    def standing(self, tenant_id: str) -> Standing | None:
        """How the tenant stands; None when nobody has that id."""

    async def async_standing(self, tenant_id: str) -> Standing | None:
        """The same, for async code."""


class CachedDirectory:
    """A directory made of any function that looks a tenant up, asked once every few seconds.

    A suspension is therefore noticed at most *ttl_s* later. What is not active is never cached.

    Args:
        lookup: tenant id -> standing, None for nobody. Async code runs it in a thread.
        ttl_s: how long an active tenant is taken for active.
        size: how many tenants are remembered; the oldest is forgotten first.
    """

    def __init__(
        self,
        lookup: Callable[[str], Standing | None],
        *,
        ttl_s: float = 5.0,
        size: int = 10_000,
    ) -> None:
        self._lookup = lookup
        self._ttl_s = ttl_s
        self._size = size
        self._active_until: dict[str, float] = {}

    def standing(self, tenant_id: str) -> Standing | None:
        """How the tenant stands; None when nobody has that id."""
        if self._active_until.get(tenant_id, 0.0) > time.monotonic():
            return "active"
        return self._remember(tenant_id, self._lookup(tenant_id))

    async def async_standing(self, tenant_id: str) -> Standing | None:
        """The same; a lookup runs in a thread."""
        if self._active_until.get(tenant_id, 0.0) > time.monotonic():
            return "active"
        return self._remember(tenant_id, await asyncio.to_thread(self._lookup, tenant_id))

    def forget(self, tenant_id: str) -> None:
        """Ask again before the next session; call it when a tenant was suspended."""
        self._active_until.pop(tenant_id, None)

    def _remember(self, tenant_id: str, found: Standing | None) -> Standing | None:
        self._active_until.pop(tenant_id, None)
        if found == "active":
            while len(self._active_until) >= self._size:
                self._active_until.pop(next(iter(self._active_until)), None)
            self._active_until[tenant_id] = time.monotonic() + self._ttl_s
        return found


def refusal(standing: Standing | None) -> TenantError | None:
    """Why a tenant that stands so may not be entered; None when it may."""
    if standing == "active":
        return None
    if standing is None:
        return UnknownTenant("the directory knows no tenant by this id")
    if standing == "deleted":
        return DeletedTenant("the tenant was deleted, and its id is never given out again")
    return InactiveTenant(f"the tenant may not be entered: it is {standing}")
