"""Endpoints of a tenant about its people: members, invitations, API keys."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from partywall.adapters.fastapi.desk import Desk, within
from partywall.adapters.fastapi.models import (
    ApiKeyMade,
    ApiKeyTold,
    InvitationMade,
    InvitationTold,
    Invite,
    MemberTold,
    NewApiKey,
    RoleChange,
)
from partywall.adapters.fastapi.problems import documented
from partywall.context import TenantContext
from partywall.control import api_keys, invitations, memberships, roles
from partywall.errors import NotPermitted


def household(desk: Desk) -> APIRouter:
    """Members of a tenant, and what they let others in with."""
    router = APIRouter(tags=["household"], responses=documented())
    requires, database = desk.access.requires, desk.plane.database
    reader = Annotated[TenantContext, Depends(requires("members:read"))]
    writer = Annotated[TenantContext, Depends(requires("members:write"))]
    member = Annotated[TenantContext, Depends(desk.access)]

    @router.get("/members")
    def members(who: reader) -> list[MemberTold]:
        """The members, those longest in the tenant first."""
        with database.reading() as connection:
            found = memberships.people(connection, who.tenant_id)
        return [
            MemberTold(user_id=user.id, email=user.email, name=user.name, role=each.role)
            for each, user in found
        ]

    @router.patch("/members/{user_id}", status_code=204)
    def change_role(user_id: UUID, given: RoleChange, who: writer, request: Request) -> None:
        """Give a member another role."""
        target = str(user_id)
        with database.begin() as connection:
            before = memberships.standing(connection, who.tenant_id, target)
            within(connection, who, before.role)
            within(connection, who, given.role)
            after = memberships.change_role(connection, who.tenant_id, target, given.role)
            changed = {"before": before.role, "role": after.role}
            desk.noted(connection, request, who, "member.role_changed", target, **changed)

    @router.delete("/members/{user_id}", status_code=204)
    def remove_member(user_id: UUID, who: member, request: Request) -> None:
        """End a membership; one's own without a permission."""
        target = str(user_id)
        may = roles.includes(who.permissions, frozenset({"members:write"}))
        if not may and target != who.user_id:
            raise NotPermitted("this needs the permission members:write")
        with database.begin() as connection:
            before = memberships.standing(connection, who.tenant_id, target)
            within(connection, who, before.role)
            memberships.end(connection, who.tenant_id, target)
            action = "member.left" if target == who.user_id else "member.removed"
            desk.noted(connection, request, who, action, target, role=before.role)

    router.include_router(invited(desk))
    router.include_router(keys(desk))
    return router


def invited(desk: Desk) -> APIRouter:
    """Invitations into a tenant."""
    router = APIRouter(responses=documented())
    requires, database = desk.access.requires, desk.plane.database
    reader = Annotated[TenantContext, Depends(requires("members:read"))]
    inviter = Annotated[TenantContext, Depends(requires("invitations:write"))]

    @router.get("/invitations")
    def listed_invitations(who: reader) -> list[InvitationTold]:
        """The open invitations."""
        with database.reading() as connection:
            found = invitations.listed(connection, who.tenant_id)
        return [InvitationTold.of(each) for each in found]

    @router.post("/invitations", status_code=201)
    def invite(given: Invite, who: inviter, request: Request) -> InvitationMade:
        """Invite somebody; the answer's token is shown this once."""
        with database.begin() as connection:
            within(connection, who, given.role)
            made, token = invitations.invite(
                connection, who.tenant_id, given.email, given.role, by=who.user_id
            )
            desk.noted(connection, request, who, "invitation.made", made.id, role=made.role)
        return InvitationMade(**InvitationTold.of(made).model_dump(), token=token)

    @router.delete("/invitations/{invitation_id}", status_code=204)
    def revoke_invitation(invitation_id: UUID, who: inviter, request: Request) -> None:
        """Take an invitation back."""
        with database.begin() as connection:
            invitations.revoke(connection, who.tenant_id, str(invitation_id))
            desk.noted(connection, request, who, "invitation.revoked", str(invitation_id))

    return router


def keys(desk: Desk) -> APIRouter:
    """API keys of a tenant."""
    router = APIRouter(responses=documented())
    requires, database = desk.access.requires, desk.plane.database
    reader = Annotated[TenantContext, Depends(requires("api_keys:read"))]
    writer = Annotated[TenantContext, Depends(requires("api_keys:write"))]

    @router.get("/api-keys")
    def listed_keys(who: reader) -> list[ApiKeyTold]:
        """The keys that are not revoked."""
        with database.reading() as connection:
            found = api_keys.listed(connection, who.tenant_id)
        return [ApiKeyTold.of(each) for each in found]

    @router.post("/api-keys", status_code=201)
    def make_key(given: NewApiKey, who: writer, request: Request) -> ApiKeyMade:
        """Make a key; the answer's secret is shown this once."""
        if not roles.includes(who.permissions, frozenset(given.permissions)):
            raise NotPermitted("a key may do no more than who makes it")
        with database.begin() as connection:
            made, secret = api_keys.create(
                connection,
                who.tenant_id,
                who.user_id,
                given.name,
                permissions=given.permissions,
                expires_at=given.expires_at,
            )
            may = sorted(made.permissions)
            desk.noted(connection, request, who, "api_key.made", made.id, permissions=may)
        return ApiKeyMade.of(made, secret=secret)

    @router.delete("/api-keys/{key_id}", status_code=204)
    def revoke_key(key_id: UUID, who: writer, request: Request) -> None:
        """Let nobody in with a key from now on."""
        with database.begin() as connection:
            api_keys.revoke(connection, who.tenant_id, str(key_id))
            desk.noted(connection, request, who, "api_key.revoked", str(key_id))

    return router
