"""What the endpoints of the control router share: who asks, what it may give, what is logged."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from partywall.adapters.fastapi.access import address
from partywall.adapters.fastapi.denials import Attempt
from partywall.adapters.fastapi.models import Seat
from partywall.control import administration, audit, memberships, roles, tenants
from partywall.control.database import now
from partywall.control.tokens import opened
from partywall.errors import ConfigurationError, NotAuthenticated, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from starlette.requests import Request

    from partywall.adapters.fastapi.access import TenantAccess
    from partywall.adapters.fastapi.authenticating import Principal
    from partywall.context import TenantContext
    from partywall.control.plane import ControlPlane
    from partywall.control.tokens import Tokens
    from partywall.control.users import User


@dataclass(frozen=True, slots=True)
class Desk:
    """The control plane as its endpoints use it.

    Attributes:
        plane: the control plane.
        access: the dependency that admits to a tenant.
    """

    plane: ControlPlane
    access: TenantAccess

    @property
    def tokens(self) -> Tokens:
        """What signs tokens.

        Raises:
            ConfigurationError: when the control plane has none.
        """
        if self.plane.tokens is None:
            raise ConfigurationError(
                "this control plane issues no tokens: ControlPlane(…, tokens=Tokens(…))"
            )
        return self.plane.tokens

    def issued(self, asking: Principal, user: User, tenant_id: str, version: int) -> dict[str, Any]:
        """A new token, and the seconds it lasts.

        Args:
            asking: by what the user asks for it; a token passes on when its user logged in.
            user: who that is now.
            tenant_id: for which tenant.
            version: of the membership.

        Raises:
            NotAuthenticated: when the log-in is too long ago, or before the last password.
        """
        if asking.user_version not in {None, user.version}:
            raise NotAuthenticated("the password has changed since: log in again")
        since = asking.logged_in_at
        token = self.tokens.issue(
            user.id, tenant_id, version, user_version=user.version, since=since
        )
        left_s = opened(token)[1]["exp"] - now().timestamp()
        return {"access_token": token, "expires_in": round(left_s)}

    def noted(
        self,
        connection: Connection,
        request: Request,
        who: TenantContext,
        action: str,
        subject: str,
        **detail: Any,
    ) -> None:
        """Put what was done into the tenant's log; the last act of a transaction."""
        audit.record(
            connection,
            who.tenant_id,
            action,
            actor=who.user_id,
            subject=subject,
            source=audit.fitted(address(request)),
            detail=detail,
        )

    def permitted(self, request: Request, user_id: str, tenant_id: str | None) -> None:
        """Let an administrator act, under a grant that holds now; its use is logged.

        Raises:
            NotPermitted: for anybody else; logged too, under "".
        """
        with self.administering(request, user_id) as connection:
            administration.permitted(connection, user_id, tenant_id, address(request))

    @contextmanager
    def administering(self, request: Request, user_id: str) -> Iterator[Connection]:
        """A transaction of an administrator; when it is not permitted, that is logged under ""."""
        try:
            with self.plane.database.begin() as connection:
                yield connection
        except NotPermitted:
            self.access.denials.note(Attempt("", user_id), address(request), by="administration")
            raise


def seats(connection: Connection, user_id: str) -> list[Seat]:
    """Where a user is a member, by slug; deleted tenants left out."""
    held = {each.tenant_id: each.role for each in memberships.of_user(connection, user_id)}
    return [
        Seat(
            tenant_id=tenant.id,
            slug=tenant.slug,
            name=tenant.name,
            status=tenant.status,
            role=held[tenant.id],
        )
        for tenant in tenants.several(connection, held)
    ]


def within(connection: Connection, who: TenantContext, role: str) -> None:
    """Take a role that may do no more than who gives it, or takes it away.

    The tenant is held: who was made less since the request was let in decides no more.

    Raises:
        NotPermitted: for another. An API key is measured by its own permissions, which may be less
            than its member's.
    """
    if roles.ADMINISTRATOR not in who.roles:
        own = memberships.acting(connection, who.tenant_id, who.user_id)
        roles.allow(own, who.permissions)
    wanted = roles.permissions(connection, who.tenant_id, role)
    if not roles.includes(who.permissions, wanted):
        raise NotPermitted("this role may do more than you: somebody who has it can do that")
