"""What a connection is lent for: a tenant that was let in, or every tenant, which is logged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError
from partywall.isolation.scoped_queries import ScopedQueries
from partywall.runtime.admission import Admission
from partywall.runtime.lease import Lease

if TYPE_CHECKING:
    from partywall.context import TenantContext
    from partywall.isolation.plan import IsolationModel
    from partywall.runtime.directory import Directory
    from partywall.runtime.events import Observer
    from partywall.runtime.grounds import Grounds
    from partywall.runtime.lease import Wishes

LEASES = 1024
"""How many are kept: a lease is a value, and most requests ask for one that was asked before."""

AUDIT = logging.getLogger("partywall.audit")


class Leasing:
    """Gives leases.

    Args:
        isolation: how a tenant is entered.
        grounds: on what, which says how transactions begin there.
        directory: says whether a tenant may be entered.
        observer: is told of refusals, and of who sees every tenant.
    """

    def __init__(
        self,
        isolation: IsolationModel,
        grounds: Grounds,
        directory: Directory | None,
        observer: Observer | None,
    ) -> None:
        self._isolation = isolation
        self._framing = grounds.framing
        self._usual = grounds.framing({})
        self._observer = observer
        self._leases: dict[TenantContext, Lease] = {}
        self._admission = Admission(
            directory,
            "a session needs a TenantContext: make it where the request is authenticated, "
            "TenantContext(tenant_id), and pass it on",
            refused=None if observer is None else observer.refused,
        )

    def lease(self, context: TenantContext, wishes: Wishes) -> Lease:
        """A lease of a tenant, once the directory has let it in.

        Raises:
            MissingTenant: without a context.
            UnknownTenant, InactiveTenant, DeletedTenant: when it may not be entered.
        """
        self._admission.admit(context)
        return self._lease(context, wishes)

    async def async_lease(self, context: TenantContext, wishes: Wishes) -> Lease:
        """As `lease`, for async code."""
        await self._admission.async_admit(context)
        return self._lease(context, wishes)

    def unscoped(self, reason: str, by: str) -> Lease:
        """A lease of every tenant, written to the log before it is used.

        Raises:
            ConfigurationError: where the database itself keeps the tenants apart, or when nobody
                says why, or who asks.
        """
        if not isinstance(self._isolation, ScopedQueries):
            raise ConfigurationError(
                f"{type(self._isolation).__name__} keeps the tenants apart in the database, and "
                "this login can't see them all: connect with a login of its own for such work"
            )
        if not reason.strip() or not by.strip():
            raise ConfigurationError(
                'every_tenant needs a reason and who asks: every_tenant(reason="…", by="…")'
            )
        AUDIT.warning("every tenant opened", extra={"reason": reason, "by": by})
        if self._observer is not None:
            self._observer.opened_to_all(reason, by)
        begin, ending = self._usual
        return Lease(self._isolation, None, begin, ending, reason, self._observer)

    def _lease(self, context: TenantContext, wishes: Wishes) -> Lease:
        if wishes:
            begin, ending = self._framing(wishes)
            return Lease(self._isolation, context, begin, ending, observer=self._observer)
        known = self._leases.get(context)
        if known is None:
            if len(self._leases) >= LEASES:
                self._leases.clear()
            begin, ending = self._usual
            known = Lease(self._isolation, context, begin, ending, observer=self._observer)
            self._leases[context] = known
        return known
