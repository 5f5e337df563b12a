"""How tenants come, and go: the record, its audit entry and the start of the work in one piece.

The start of a workflow can't be part of a transaction of the control plane. So the transaction
takes a lock named after the work, starts the workflow, and commits last; the workflow's first act
waits for that lock, and does nothing when there is no such work then.
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from partywall.control import audit, memberships, passwords, tenants, users, works
from partywall.control.database import clock, new_id
from partywall.control.provisioning.alone import hold
from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    RecordConflict,
    UnknownRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from partywall.control.plane import ControlPlane
    from partywall.control.provisioning.saga import Works
    from partywall.control.tenants import Tenant
    from partywall.control.users import User

GRACE = dt.timedelta(days=30)
"""How long a tenant that is to be removed can still be kept."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who signs up; without a password where the application itself logs people in."""

    email: str
    password: str | None = field(default=None, repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """A tenant that is being provisioned, its owner, and the work."""

    tenant: Tenant
    user: User
    work_id: str


def register(
    plane: ControlPlane,
    *,
    slug: str,
    name: str,
    owner: NewUser | str,
    source: str = "",
    placement: str = "",
    settings: Mapping[str, object] | None = None,
) -> Registered:
    """Make a tenant with its owner, and start to provision it: all of it, or nothing.

    Args:
        plane: the control plane.
        slug: what people type.
        name: what people read.
        owner: somebody new, or the id of a user who is logged in.
        source: from where, for the audit log.
        placement: the name of the tenant's server, where there are several.
        settings: the application's own.

    Raises:
        TenantExists: when the slug, or one that looks like it, is taken.
        InvalidRecord: for a slug or an address that can't be.
        RecordConflict: when a user has the address of the new one already.
        UnknownRecord: when there is no such user.
        WorkError: when the provisioning could not be started.
    """
    with plane.database.reading() as connection:
        tenants.free(connection, slug)
    password_hash = hashed(owner)  # neither in vain, nor while others wait for the transaction
    work_id = new_id()
    with plane.database.begin() as connection:
        hold(connection, work_id)
        tenant = tenants.add(
            connection, slug=slug, name=name, placement=placement, settings=settings
        )
        user = signed_up(connection, owner, password_hash)
        memberships.add(connection, tenant.id, user.id, "owner")
        audit.record(
            connection,
            tenant.id,
            "tenant.registered",
            actor=user.id,
            subject=tenant.id,
            source=source,
            detail={"slug": tenant.slug, "work": work_id},
        )
        begun(connection, engine(plane), work_id, tenant.id, "provision")
    return Registered(tenant, user, work_id)


def retry(plane: ControlPlane, tenant_id: str, *, by: str = "", source: str = "") -> str:
    """Do again what failed for a tenant, its provisioning or its removal; the id of the new work.

    Raises:
        UnknownTenant: when there is no such tenant.
        RecordConflict: when nothing of it has failed, or it is being worked on.
        WorkError: when the work could not be started.
    """
    with changing(plane, tenant_id) as (connection, tenant, work_id):
        last = works.latest(connection, tenant_id)
        if last is None or last.state not in {"failed", "stuck"}:
            raise RecordConflict("nothing of this tenant has failed: there is nothing to retry")
        if last.kind == "provision":
            tenants.set_status(connection, tenant_id, "provisioning")
        elif tenant.status != "deleted":
            raise RecordConflict(f"the tenant is {tenant.status}: remove it anew")
        detail = {"work": work_id, "kind": last.kind}
        audit.record(
            connection,
            tenant_id,
            "tenant.retried",
            actor=by,
            subject=tenant_id,
            source=source,
            detail=detail,
        )
        begun(connection, engine(plane), work_id, tenant_id, last.kind)
    return work_id


def remove(
    plane: ControlPlane,
    tenant_id: str,
    *,
    grace: dt.timedelta = GRACE,
    by: str = "",
    source: str = "",
) -> str:
    """Let nobody into a tenant from now on, and delete its data when *grace* has passed.

    Until then `keep` takes it back. The id of the work: its certificate says what was removed.

    Raises:
        UnknownTenant: when there is no such tenant.
        DeletedTenant: when it is gone already.
        RecordConflict: when it is being provisioned or removed.
        WorkError: when the removal could not be started.
    """
    with changing(plane, tenant_id) as (connection, tenant, work_id):
        not_before = clock(connection) + grace
        if tenant.status == "active":
            reason = suspending(work_id)
            tenants.set_status(connection, tenant_id, "suspended", reason=reason)
        elif tenant.status == "deleted":
            raise DeletedTenant("the tenant was removed already: a removal that failed is retried")
        elif tenant.status not in {"suspended", "failed"}:
            raise RecordConflict(f"the tenant is {tenant.status} and can't be removed now")
        detail = {"work": work_id, "not_before": not_before.isoformat()}
        audit.record(
            connection,
            tenant_id,
            "tenant.removal_begun",
            actor=by,
            subject=tenant_id,
            source=source,
            detail=detail,
        )
        begun(connection, engine(plane), work_id, tenant_id, "remove", not_before)
    return work_id


def keep(plane: ControlPlane, tenant_id: str, *, by: str = "", source: str = "") -> Tenant:
    """Revoke a removal in its grace period: the tenant stands again as it stood before.

    It is active, failed, or suspended for the reason for which somebody had suspended it.

    Raises:
        UnknownTenant: when there is no such tenant.
        RecordConflict: when it is not to be removed, or that has begun.
    """
    with changing(plane, tenant_id) as (connection, tenant, _):
        last = works.latest(connection, tenant_id)
        if last is None or last.kind != "remove" or not works.keep(connection, last.id):
            raise RecordConflict("there is no removal of this tenant that could still be revoked")
        kept = tenant
        if tenant.reason == suspending(last.id):
            kept = tenants.set_status(connection, tenant_id, "active")
        audit.record(
            connection,
            tenant_id,
            "tenant.kept",
            actor=by,
            subject=tenant_id,
            source=source,
            detail={"work": last.id},
        )
    return kept


def suspending(work_id: str) -> str:
    """The reason of a tenant that a removal has suspended, and nobody else."""
    return f"to be removed by the work {work_id}"


@contextmanager
def changing(plane: ControlPlane, tenant_id: str) -> Iterator[tuple[Connection, Tenant, str]]:
    """A transaction about a tenant, and the id of a work that it may begin.

    Raises:
        UnknownTenant: when there is no such tenant.
    """
    work_id = new_id()
    with plane.database.begin() as connection:
        hold(connection, work_id)
        # Always in this order: tenant, work, audit log. So that no two wait for each other.
        yield connection, tenants.known(connection, tenant_id, lock=True), work_id


def begun(
    connection: Connection,
    engine: Works,
    work_id: str,
    tenant_id: str,
    kind: Literal["provision", "remove"],
    not_before: dt.datetime | None = None,
) -> None:
    """Note a work and start it, as the last thing before the commit."""
    works.begin(connection, work_id, tenant_id, kind, engine=engine.name, not_before=not_before)
    engine.start(work_id, not_before=not_before)


def engine(plane: ControlPlane) -> Works:
    """The plane's workflow engine.

    Raises:
        ConfigurationError: when it has none.
    """
    if plane.works is None:
        raise ConfigurationError(
            "this control plane has no workflow engine, and can't make or remove tenants: "
            "ControlPlane(…, works=DbosWorks())"
        )
    return plane.works


def hashed(owner: NewUser | str) -> str:
    """What is kept of the password of who signs up; "" where there is none."""
    if isinstance(owner, str) or owner.password is None:
        return ""
    return passwords.hashed(owner.password)


def signed_up(connection: Connection, owner: NewUser | str, password_hash: str) -> User:
    """The owner of a new tenant.

    Raises:
        UnknownRecord: when there is no such user, or it was disabled.
    """
    if isinstance(owner, NewUser):
        return users.add(connection, owner.email, password_hash=password_hash, name=owner.name)
    user = users.get(connection, owner)
    if user is None or user.disabled_at is not None:
        raise UnknownRecord("there is no such user, or it was disabled")
    return user
