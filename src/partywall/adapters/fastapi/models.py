"""What the control router takes and gives. No answer holds a secret, except what is shown once."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from partywall.control import domains
from partywall.control.api_keys import ApiKey
from partywall.control.audit import Entry
from partywall.control.domains import Domain
from partywall.control.invitations import Invitation
from partywall.control.quotas import Quota
from partywall.control.tenants import Tenant
from partywall.control.works import Work

Name = Annotated[str, Field(min_length=1, max_length=200)]
Slug = Annotated[str, Field(min_length=1, max_length=63)]
Email = Annotated[str, Field(min_length=3, max_length=254)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
RoleName = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Permission = Annotated[str, Field(min_length=1, max_length=100)]


class Given(BaseModel):
    """A request: nothing beyond what is declared, and no value in an error's text."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Told(BaseModel):
    """An answer, made of the attributes of a record."""

    model_config = ConfigDict(from_attributes=True)


class SignUp(Given):
    """A new company and its owner."""

    slug: Slug
    name: Name
    email: Email
    password: Password
    owner_name: Annotated[str, Field(max_length=200)] = ""


class NewTenant(Given):
    """A new company of somebody who is logged in."""

    slug: Slug
    name: Name


class LogIn(Given):
    """Who somebody is; with *tenant* its slug, where they want to."""

    email: Email
    password: Password
    tenant: Slug | None = None


class NewPassword(Given):
    """The password that one has, and the one that one wants."""

    current: Password
    password: Password


class Switch(Given):
    """The slug of the tenant that a token is wanted for."""

    tenant: Slug


class RoleChange(Given):
    """A member's new role."""

    role: RoleName


class Invite(Given):
    """Who is to be a member, and as what."""

    email: Email
    role: RoleName = "member"


class Accept(Given):
    """What the invitation said."""

    token: Annotated[SecretStr, Field(min_length=1, max_length=500)]


class Join(Accept):
    """The same of somebody who is no user yet, and chooses a password."""

    password: Password
    name: Annotated[str, Field(max_length=200)] = ""


class NewApiKey(Given):
    """What an API key may do, of what its maker may."""

    name: Name
    permissions: Annotated[list[Permission], Field(min_length=1, max_length=100)]
    expires_at: dt.datetime | None = None


class Claim(Given):
    """A domain of the tenant's own."""

    name: Annotated[str, Field(min_length=1, max_length=253)]


class TenantChange(Given):
    """What is to be changed of a tenant; settings as a whole."""

    name: Name | None = None
    settings: dict[str, Any] | None = None


class Because(Given):
    """Why an administrator acts; it goes into the log, so it names no person's data."""

    reason: Reason


class Enter(Because):
    """For how long an administrator wants to be let in, and why."""

    minutes: Annotated[int, Field(ge=1, le=480)] = 30


class TenantTold(Told):
    """A tenant."""

    id: str
    slug: str
    name: str
    status: str
    settings: dict[str, Any]
    created_at: dt.datetime

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        """As its own members see it."""
        return cls.model_validate(tenant)


class Seat(Told):
    """A tenant that the user is a member of."""

    tenant_id: str
    slug: str
    name: str
    status: str
    role: str


class Registered(Told):
    """A tenant that is being provisioned: `GET /works/{work_id}` says how far it is."""

    tenant: TenantTold
    user_id: str
    work_id: str


class Token(Told):
    """A token, shown once; without *tenant* it says who the user is and opens none."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6750's name of the kind
    expires_in: int
    tenant: str | None
    tenants: list[Seat]


class Me(Told):
    """The user, and where they are a member."""

    id: str
    email: str
    name: str
    tenants: list[Seat]


class MemberTold(Told):
    """A member of the tenant."""

    user_id: str
    email: str
    name: str
    role: str


class InvitationTold(Told):
    """An invitation."""

    id: str
    email: str
    role: str
    expires_at: dt.datetime

    @classmethod
    def of(cls, invitation: Invitation) -> Self:
        """Without its token."""
        return cls.model_validate(invitation)


class InvitationMade(InvitationTold):
    """A new invitation with its token, shown once: send it to the one who is invited."""

    token: str


class ApiKeyTold(Told):
    """An API key."""

    id: str
    user_id: str
    name: str
    permissions: list[str]
    expires_at: dt.datetime | None

    @classmethod
    def of(cls, key: ApiKey, **more: Any) -> Self:
        """Without its secret."""
        names = ("id", "user_id", "name", "expires_at")
        told = {name: getattr(key, name) for name in names}
        return cls(**told, permissions=sorted(key.permissions), **more)


class ApiKeyMade(ApiKeyTold):
    """A new API key with its secret, shown once."""

    secret: str


class DomainTold(Told):
    """A domain, and the TXT record that proves it."""

    name: str
    verified_at: dt.datetime | None
    record_name: str
    record_value: str

    @classmethod
    def of(cls, domain: Domain) -> Self:
        """With the record that the DNS must have."""
        return cls(
            name=domain.name,
            verified_at=domain.verified_at,
            record_name=domains.record_name(domain.name),
            record_value=domains.record_value(domain),
        )


class WorkTold(Told):
    """How far the provisioning or the removal of a tenant is."""

    id: str
    tenant_id: str
    kind: str
    state: str
    step: str
    reason: str
    not_before: dt.datetime | None
    created_at: dt.datetime
    changed_at: dt.datetime

    @classmethod
    def of(cls, work: Work) -> Self:
        """As its tenant's members see it."""
        return cls.model_validate(work)


class WorkBegun(Told):
    """A work that was begun."""

    work_id: str


class QuotaTold(Told):
    """What a tenant may have, and has."""

    kind: str
    limit: int | None
    used: int

    @classmethod
    def of(cls, quota: Quota) -> Self:
        """As it is now."""
        return cls.model_validate(quota)


class EntryTold(Told):
    """An entry of the audit log."""

    number: int
    at: dt.datetime
    actor: str
    action: str
    subject: str
    source: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Without its hashes, which the export has."""
        return cls.model_validate(entry)


class Entered(Told):
    """A token of an administrator for a tenant, which each use of is logged under the grant."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - RFC 6750's name of the kind
    expires_in: int
    grant_id: str
    until: dt.datetime
