"""Works: durable workflows of tenants, one row each. How far they are is read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from partywall.control import tables
from partywall.control.database import now
from partywall.errors import RecordConflict

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row

State = Literal["begun", "done", "failed", "stuck", "kept"]

WORKS = tables.works


@dataclass(frozen=True, slots=True)
class Work:
    """A workflow of a tenant.

    Attributes:
        kind: provision, remove.
        engine: the name of the workflow engine that has it.
        state: begun; done; failed, and undone again; stuck, when it could not even be undone;
            kept, when a removal was revoked.
        step: the last one that was begun, "" before the first.
        reason: why it failed, "" while it has not.
        certificate: what a removal has removed.
        not_before: of a removal, the end of its grace period.
    """

    id: str
    tenant_id: str
    kind: Literal["provision", "remove"]
    engine: str
    state: State
    step: str
    reason: str
    certificate: Mapping[str, object] | None
    not_before: dt.datetime | None
    created_at: dt.datetime
    changed_at: dt.datetime


COLUMNS = [WORKS.c[name] for name in Work.__slots__]


def begin(
    connection: Connection,
    work_id: str,
    tenant_id: str,
    kind: Literal["provision", "remove"],
    *,
    engine: str,
    not_before: dt.datetime | None = None,
) -> None:
    """Note that a work begins.

    Raises:
        RecordConflict: when another one of the tenant has not ended.
    """
    moment = now()
    row = {
        "id": work_id,
        "tenant_id": tenant_id,
        "kind": kind,
        "engine": engine,
        "state": "begun",
        "not_before": not_before,
        "created_at": moment,
        "changed_at": moment,
    }
    try:
        with connection.begin_nested():
            connection.execute(WORKS.insert(), row)
    except IntegrityError as error:
        raise RecordConflict(
            "the tenant is being provisioned or removed at this moment: wait until that has "
            "ended, or keep the tenant that is to be removed"
        ) from error


def get(connection: Connection, work_id: str, *, lock: bool = False) -> Work | None:
    """A work; None when there is none, as after a registration that was rolled back."""
    query = select(*COLUMNS).where(WORKS.c.id == work_id)
    return one(connection.execute(query.with_for_update() if lock else query).one_or_none())


def latest(connection: Connection, tenant_id: str) -> Work | None:
    """The last work of a tenant, ended or not."""
    query = (
        select(*COLUMNS)
        .where(WORKS.c.tenant_id == tenant_id)
        .order_by(WORKS.c.created_at.desc())
        .limit(1)
    )
    return one(connection.execute(query).one_or_none())


def unfinished(connection: Connection, engine: str) -> list[Work]:
    """The works of an engine that have not ended, oldest first."""
    query = (
        select(*COLUMNS)
        .where(WORKS.c.engine == engine, WORKS.c.state == "begun")
        .order_by(WORKS.c.created_at)
    )
    return [Work(*row) for row in connection.execute(query)]


def note(connection: Connection, work_id: str, **values: object) -> None:
    """Note how far a work is."""
    changed = {**values, "changed_at": now()}
    connection.execute(update(WORKS).where(WORKS.c.id == work_id).values(changed))


def keep(connection: Connection, work_id: str) -> bool:
    """End a removal whose first step has not begun; False when it is too late."""
    taken = connection.execute(
        update(WORKS)
        .where(WORKS.c.id == work_id, WORKS.c.state == "begun", WORKS.c.step == "")
        .values(state="kept", changed_at=now())
    )
    return taken.rowcount == 1


def one(row: Row[Any] | None) -> Work | None:
    """A row as a work; its columns are in the order of the attributes."""
    return None if row is None else Work(*cast("tuple[Any, ...]", row))
