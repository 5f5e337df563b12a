"""What the runtime tells whoever measures it: `Tenancy(observer=…)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from partywall.context import TenantContext
    from partywall.errors import PartywallError


class Observer:
    """Is told what the walls do; each method may be overridden, and none may raise.

    `partywall.runtime.telemetry.OpenTelemetryObserver` makes metrics and spans of it.
    """

    def entered(self, context: TenantContext | None, duration_s: float) -> None:
        """A transaction began in a tenant; None for every tenant."""

    def refused(self, context: TenantContext | None, error: PartywallError) -> None:
        """A statement, an object or a tenant was refused."""

    def waited(self, duration_s: float, *, timed_out: bool) -> None:
        """A connection was asked of the pool, and came, or did not, after so long."""

    def opened_to_all(self, reason: str, by: str) -> None:
        """`Tenancy.every_tenant` was entered; also logged by `partywall.audit`."""
