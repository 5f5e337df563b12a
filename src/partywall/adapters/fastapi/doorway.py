"""Endpoints without a tenant: sign up, log in, change the tenant, see how far a new one is."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection

from partywall.adapters.fastapi.access import address, enter
from partywall.adapters.fastapi.authenticating import Principal
from partywall.adapters.fastapi.desk import Desk, seats
from partywall.adapters.fastapi.models import (
    Accept,
    Join,
    LogIn,
    Me,
    NewPassword,
    NewTenant,
    Registered,
    Seat,
    SignUp,
    Switch,
    TenantTold,
    Token,
    WorkTold,
)
from partywall.adapters.fastapi.problems import documented
from partywall.adapters.fastapi.resolving import Named, nobody
from partywall.adapters.fastapi.routes import public
from partywall.control import (
    audit,
    invitations,
    limits,
    memberships,
    passwords,
    tenants,
    users,
    works,
)
from partywall.control.registration import NewUser
from partywall.errors import NotAuthenticated, UnknownRecord, UnknownTenant

HOUR_S = 3600.0


def doorway(desk: Desk, *, sign_ups: int) -> APIRouter:
    """Where people come in.

    Args:
        desk: the control plane.
        sign_ups: how many an hour, from one address or by one user.
    """
    router = APIRouter(tags=["doorway"])
    for part in (signing_up(desk, sign_ups), logging_in(desk), knowing(desk)):
        router.include_router(part)
    return router


def signing_up(desk: Desk, sign_ups: int) -> APIRouter:
    """New companies."""
    router, database = APIRouter(), desk.plane.database
    user = Annotated[Principal, Depends(desk.access.user)]

    @router.post("/sign-up", status_code=202, responses=documented(409, 422, 429, 503))
    @public
    def sign_up(given: SignUp, request: Request) -> Registered:
        """Sign a company up, with its owner; the tenant is then being provisioned."""
        source = address(request)
        key = f"sign-up from {users.place(source)}"
        limits.attempt(database, key, limit=sign_ups, window_s=HOUR_S)
        owner = NewUser(given.email, given.password.get_secret_value(), given.owner_name)
        made = desk.plane.register(
            slug=given.slug, name=given.name, owner=owner, source=audit.fitted(source)
        )
        told = TenantTold.of(made.tenant)
        return Registered(tenant=told, user_id=made.user.id, work_id=made.work_id)

    @router.post("/tenants", status_code=202, responses=documented(401, 403, 409, 422, 429, 503))
    @public
    def add_tenant(given: NewTenant, asking: user, request: Request) -> Registered:
        """Sign another company up."""
        key = f"sign-up of {asking.user_id}"
        limits.attempt(database, key, limit=sign_ups, window_s=HOUR_S)
        made = desk.plane.register(
            slug=given.slug,
            name=given.name,
            owner=asking.user_id,
            source=audit.fitted(address(request)),
        )
        told = TenantTold.of(made.tenant)
        return Registered(tenant=told, user_id=made.user.id, work_id=made.work_id)

    @router.post(
        "/invitations/join", status_code=201, responses=documented(403, 404, 409, 422, 429, 503)
    )
    @public
    def join(given: Join, request: Request) -> Seat:
        """Become a user and a member where one was invited: the token came to that address."""
        key = f"sign-up from {users.place(address(request))}"
        limits.attempt(database, key, limit=sign_ups, window_s=HOUR_S)
        token = given.token.get_secret_value()
        password_hash = passwords.hashed(given.password.get_secret_value())
        with database.begin() as connection:
            invited = invitations.found(connection, token)
            if invited is None:
                raise UnknownRecord(invitations.REFUSED)
            user = users.add(
                connection, invited.email, password_hash=password_hash, name=given.name
            )
            return accepted(connection, token, user.id, address(request))

    return router


def logging_in(desk: Desk) -> APIRouter:
    """Tokens, and the keys that they are signed with."""
    router, database = APIRouter(), desk.plane.database
    user = Annotated[Principal, Depends(desk.access.user)]

    @router.post("/log-in", responses=documented(401, 403, 404, 422, 429, 503))
    @public
    def log_in(given: LogIn, request: Request) -> Token:
        """A token for a tenant: the one that is named, or the only one there is."""
        password = given.password.get_secret_value()
        found = users.log_in(database, given.email, password, source=address(request))
        with database.reading() as connection:
            mine = seats(connection, found.id)
        asking = Principal(found.id, user_version=found.version)
        if given.tenant is not None:
            named = Named("slug", given.tenant, "log-in")
            return entered(desk, asking, named, request)
        if len(mine) == 1 and mine[0].status == "active":
            named = Named("slug", mine[0].slug, "log-in")
            return entered(desk, asking, named, request)
        return Token(**desk.issued(asking, found, "", 0), tenant=None, tenants=mine)

    @router.post("/switch-tenant", responses=documented(401, 403, 404, 422, 503))
    @public
    def switch_tenant(given: Switch, asking: user, request: Request) -> Token:
        """A token for another tenant that the user is a member of."""
        return entered(desk, asking, Named("slug", given.tenant, "switch"), request)

    @router.get("/.well-known/jwks.json", responses=documented(503))
    @public
    def jwks() -> dict[str, list[dict[str, Any]]]:
        """The public keys of the tokens (RFC 7517)."""
        return desk.tokens.jwks()

    return router


def knowing(desk: Desk) -> APIRouter:
    """What concerns a user, and no tenant that is entered."""
    router, database = APIRouter(), desk.plane.database
    user = Annotated[Principal, Depends(desk.access.user)]

    @router.get("/me", responses=documented(401, 403, 503))
    @public
    def me(asking: user) -> Me:
        """Who one is, and where."""
        with database.reading() as connection:
            found = standing(users.get(connection, asking.user_id))
            mine = seats(connection, found.id)
        return Me(id=found.id, email=found.email, name=found.name, tenants=mine)

    @router.put("/me/password", status_code=204, responses=documented(401, 403, 422, 429, 503))
    @public
    def change_password(given: NewPassword, asking: user, request: Request) -> None:
        """Choose another password; every token from before is void, also the one that asks."""
        with database.reading() as connection:
            found = standing(users.get(connection, asking.user_id))
        current, password = given.current.get_secret_value(), given.password.get_secret_value()
        users.log_in(database, found.email, current, source=address(request))
        with database.begin() as connection:
            users.set_password(connection, found.id, password)
            source = audit.fitted(address(request))
            audit.record(
                connection, "", "user.password_changed", actor=found.id, subject=found.id,
                source=source,
            )  # fmt: skip

    @router.post("/invitations/accept", responses=documented(401, 403, 404, 409, 422, 503))
    @public
    def accept_invitation(given: Accept, asking: user, request: Request) -> Seat:
        """Become a member where one was invited."""
        with database.begin() as connection:
            standing(users.get(connection, asking.user_id))
            token = given.token.get_secret_value()
            return accepted(connection, token, asking.user_id, address(request))

    @router.get("/works/{work_id}", responses=documented(401, 403, 404, 422, 503))
    @public
    def work(work_id: UUID, asking: user) -> WorkTold:
        """How far a tenant's provisioning or removal is."""
        with database.reading() as connection:
            found = works.get(connection, str(work_id))
            if (
                found is None
                or memberships.get(connection, found.tenant_id, asking.user_id) is None
            ):
                raise UnknownRecord("there is no such work of a tenant of yours")
        return WorkTold.of(found)

    return router


def entered(desk: Desk, asking: Principal, named: Named, request: Request) -> Token:
    """A token of a member for a tenant.

    Raises:
        UnknownTenant: when there is no such tenant, or the user is no member; the logs are told.
        InactiveTenant, Unavailable: when it may not be entered.
        NotAuthenticated: when the user was disabled, or logged in too long ago.
    """
    with desk.plane.database.reading() as connection:
        user = standing(users.get(connection, asking.user_id))
        tenant = tenants.by_slug(connection, named.value)
        tenant_id = nobody(named) if tenant is None else tenant.id
        member = memberships.get(connection, tenant_id, asking.user_id)
        mine = seats(connection, asking.user_id)
    if tenant is None or member is None:
        desk.access.denied(asking, named, tenant, request)
        raise UnknownTenant("nobody lives here whom the caller may know of")
    enter(tenant)
    issued = desk.issued(asking, user, tenant.id, member.version)
    return Token(**issued, tenant=tenant.slug, tenants=mine)


def accepted(connection: Connection, token: str, user_id: str, source: str) -> Seat:
    """Make a user a member by an invitation, and put it into the tenant's log.

    Raises:
        UnknownRecord: when there is no such invitation for this user.
        NotPermitted, RecordConflict: as `invitations.accept`.
    """
    made = invitations.accept(connection, token, user_id)
    (seat,) = (each for each in seats(connection, user_id) if each.tenant_id == made.tenant_id)
    audit.record(
        connection,
        made.tenant_id,
        "invitation.accepted",
        actor=user_id,
        subject=user_id,
        source=audit.fitted(source),
        detail={"role": made.role},
    )
    return seat


def standing(user: users.User | None) -> users.User:
    """Take a user who may act.

    Raises:
        NotAuthenticated: when it is gone, or was disabled since the token was issued.
    """
    if user is None or user.disabled_at is not None:
        raise NotAuthenticated("there is no such user any more")
    return user
