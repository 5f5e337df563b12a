"""Who may use files at all: a tenant with a context, whom the directory lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.context import TenantContext
from partywall.errors import MissingTenant
from partywall.runtime.directory import refusal

if TYPE_CHECKING:
    from partywall.runtime.directory import Directory


class Admission:
    """Lets tenants in.

    Args:
        directory: knows how a tenant stands; without one every tenant is let in.
    """

    def __init__(self, directory: Directory | None) -> None:
        self._directory = directory

    def admit(self, context: TenantContext) -> None:
        """Let a tenant in.

        Raises:
            MissingTenant: without a context.
            UnknownTenant, InactiveTenant, DeletedTenant: when it may not be entered.
        """
        checked(context)
        if self._directory is not None:
            error = refusal(self._directory.standing(context.tenant_id))
            if error is not None:
                raise error

    async def async_admit(self, context: TenantContext) -> None:
        """As `admit`, for async code."""
        checked(context)
        if self._directory is not None:
            error = refusal(await self._directory.async_standing(context.tenant_id))
            if error is not None:
                raise error


def checked(context: object) -> None:
    """Take nothing but a context.

    Raises:
        MissingTenant: for None, an id, a dictionary: a context is made in one place.
    """
    if not isinstance(context, TenantContext):
        raise MissingTenant(
            "files belong to a tenant: pass the TenantContext that was made where the request is "
            "authenticated"
        )
