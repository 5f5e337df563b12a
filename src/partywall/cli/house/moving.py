"""What `partywall tenants create` and `delete` do: with the application's own control plane."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from partywall.cli.ending import HELD, INTERRUPTED, USAGE, say
from partywall.cli.house.opening import plane, tenant_named, whence, who
from partywall.cli.house.pages import cell, confirmed, put, put_json
from partywall.cli.house.tenants import told
from partywall.control import tenants, users
from partywall.control.registration import NewUser
from partywall.errors import WorkError

if TYPE_CHECKING:
    from partywall.cli.where import Where
    from partywall.control.plane import ControlPlane
    from partywall.control.works import Work

POLL_S = 0.05
"""How often the progress of a work is read."""


def create(where: Where, slug: str, name: str, owner: str, *, placement: str, wait: bool) -> int:
    """Register a tenant, and wait for its place."""
    with plane(where) as house:
        house.launch()
        with house.database.reading() as connection:
            known = users.by_email(connection, owner)
        made = house.register(
            slug=slug,
            name=name,
            owner=known.id if known else NewUser(owner),
            source=whence(),
            placement=placement,
        )
        if wait and not ended(house, made.tenant.id):
            return INTERRUPTED
        with house.database.reading() as connection:
            tenant = tenants.get(connection, made.tenant.id)
    return told(where, tenant or made.tenant)


def delete(where: Where, name: str, grace_days: int, *, wait: bool, yes: bool) -> int:
    """Remove a tenant."""
    with plane(where) as house:
        with house.database.reading() as connection:
            tenant = tenant_named(connection, name)
        when = f"in {grace_days} days" if grace_days else "now"
        question = f"All data of {tenant.slug} ({tenant.name}) will be deleted {when}."
        if not confirmed(question, yes=yes, word=tenant.slug):
            return USAGE
        house.launch()
        house.remove(tenant.id, grace=dt.timedelta(days=grace_days), by=who(), source=whence())
        if wait and not grace_days and not ended(house, tenant.id):
            return INTERRUPTED
        work = house.work(tenant.id)
    if where.json:
        put_json({"tenant_id": tenant.id, "slug": tenant.slug, "work": work})
    elif work is not None and work.state == "done":
        put(f"{tenant.slug} is deleted; `partywall tenants show {tenant.id}` has the certificate")
    else:
        moment = cell(work.not_before if work else None)
        put(f"{tenant.slug} is closed, and will be deleted from {moment} on; until then")
        put(f"`partywall tenants resume {tenant.slug}` takes it back")
    return HELD


def ended(house: ControlPlane, tenant_id: str) -> bool:
    """Wait until the last work of a tenant has ended; False when somebody interrupts the waiting.

    Raises:
        WorkError: when it failed; the message has the reason.
    """
    try:
        while (work := house.work(tenant_id)) is not None and work.state == "begun":
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        say("the waiting was interrupted; the work goes on with the next process that works")
        return False
    if work is not None and work.state in {"failed", "stuck"}:
        raise WorkError(failure(work))
    return True


def failure(work: Work) -> str:
    """Why a work has failed."""
    left = (
        "nothing half-made is left"
        if work.state == "failed"
        else "it could not be undone, and something is left"
    )
    return f"the tenant could not be {work.kind}d, at the step {work.step}: {work.reason}; {left}"
