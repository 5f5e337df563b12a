"""Who may be entered at all: a tenant with a context, whom the directory lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.context import TenantContext, required
from partywall.runtime.directory import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.errors import TenantError
    from partywall.runtime.directory import Directory, Standing


class Admission:
    """Lets tenants in.

    Args:
        directory: knows how a tenant stands; without one every tenant is let in.
        without: what is said where there is no context.
        refused: is told whom the directory keeps out, and why.
    """

    def __init__(
        self,
        directory: Directory | None,
        without: str,
        refused: Callable[[TenantContext, TenantError], object] | None = None,
    ) -> None:
        self._directory = directory
        self._without = without
        self._refused = refused

    def admit(self, context: TenantContext) -> None:
        """Let a tenant in.

        Raises:
            MissingTenant: without a context.
            UnknownTenant, InactiveTenant, DeletedTenant: when it may not be entered.
        """
        required(context, self._without)
        if self._directory is not None:
            self._judge(context, self._directory.standing(context.tenant_id))

    async def async_admit(self, context: TenantContext) -> None:
        """As `admit`, for async code."""
        required(context, self._without)
        if self._directory is not None:
            self._judge(context, await self._directory.async_standing(context.tenant_id))

    def _judge(self, context: TenantContext, standing: Standing | None) -> None:
        error = refusal(standing)
        if error is None:
            return
        if self._refused is not None:
            self._refused(context, error)
        raise error
