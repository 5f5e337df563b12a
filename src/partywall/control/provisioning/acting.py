"""Taking the acts of a saga: each alone, noted in the table `works`, and safe to take again."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from partywall.control import audit, data_keys, tenants, works
from partywall.control.database import clock, now
from partywall.control.provisioning.alone import alone
from partywall.control.provisioning.records import removed
from partywall.control.provisioning.saga import DONE, FAILED, OVER
from partywall.errors import PartywallError, WorkError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from partywall.control.database import Database
    from partywall.control.provisioning.saga import Building, Kind, Step
    from partywall.control.tenants import Tenant
    from partywall.control.works import Work

Result = TypeVar("Result")

LOG = logging.getLogger("partywall.works")

ACTOR = "partywall"
"""Who stands in the audit log for what a work does."""

ACTIVATE, DEPART, SHRED, CERTIFY = "activate", "depart", "shred", "certify"
"""The saga's own steps: the last of a provisioning, the first two and the last of a removal."""

LONGEST_REASON = 500


class Saga:
    """What a workflow engine runs, act by act.

    Args:
        database: the control plane's.
        building: which steps there are.
        pauses_s: how long to wait before a step is tried again that failed for a reason which may
            pass; after the last one the step has failed.
    """

    def __init__(
        self, database: Database, building: Building, *, pauses_s: tuple[float, ...] = (0.2, 1.0)
    ) -> None:
        self.database = database
        self._building = building
        self._pauses_s = pauses_s
        # An act keeps a connection for as long as it takes: one is left for everybody else.
        width = max(1, database.engine.pool.size() - 1)  # type: ignore[attr-defined]  # QueuePool
        self._width = threading.BoundedSemaphore(width)

    def act(self, work_id: str, kind: Kind, step: str) -> list[str]:
        """Take one act.

        Raises:
            WorkError: when it is too early for it.
            SQLAlchemyError: when the control plane's database is down.
        """
        with self._width, alone(self.database, work_id) as connection:
            if kind == "open":
                return self._open(connection, work_id)
            if kind == "do":
                return [self._do(connection, work_id, step)]
            if kind == "undo":
                return [self._undo(connection, work_id, step)]
            return [failed(connection, work_id, stuck=bool(step))]

    def unfinished(self, engine: str) -> list[tuple[str, dt.datetime | None]]:
        """The works of an engine that have begun and not ended, with when they may be opened."""
        with self.database.reading() as connection:
            return [(work.id, work.not_before) for work in works.unfinished(connection, engine)]

    def _open(self, connection: Connection, work_id: str) -> list[str]:
        with connection.begin():
            work, moment = works.get(connection, work_id), clock(connection)
        if work is None or work.state != "begun":
            return ["nothing"]
        if work.not_before is not None and work.not_before > moment:
            raise WorkError("the grace period of a removal has not ended yet")
        return [work.kind, *self._names(work)]

    def _names(self, work: Work) -> list[str]:
        names = [step.name for step in self._steps(work)]
        return [*names, ACTIVATE] if work.kind == "provision" else [DEPART, SHRED, *names, CERTIFY]

    def _steps(self, work: Work) -> tuple[Step, ...]:
        building = self._building
        return building.provisioning() if work.kind == "provision" else building.removal()

    def _do(self, connection: Connection, work_id: str, name: str) -> str:
        found = entered(connection, work_id, name, self._names)
        if isinstance(found, str):
            return found
        work, tenant = found
        own = OWN.get((work.kind, name))
        if own is not None:
            return own(connection, work, tenant)
        try:
            step = self._step(work, name)
            did = self._tried(lambda: step.do(tenant))
        except Exception as error:  # noqa: BLE001 - whatever a step raises is why it failed
            with connection.begin():
                works.note(connection, work_id, reason=reason(name, error))
            return FAILED
        if work.kind == "remove":
            with connection.begin():
                first = certify_step(connection, work_id, name, did)
                if first and step.noted:
                    told(connection, work, name, did)
        return DONE

    def _undo(self, connection: Connection, work_id: str, name: str) -> str:
        with connection.begin():
            work = works.get(connection, work_id)
            if work is None or work.state != "begun":
                return OVER
            tenant = tenants.get(connection, work.tenant_id)
        if tenant is None or (work.kind, name) in OWN:
            return DONE
        try:
            step = self._step(work, name)
            self._tried(lambda: step.undo(tenant))
        except Exception as error:  # noqa: BLE001 - as above
            words = f"{work.reason}; undo of {reason(name, error)}"[:LONGEST_REASON]
            with connection.begin():
                works.note(connection, work_id, reason=words)
            return FAILED
        return DONE

    def _step(self, work: Work, name: str) -> Step:
        for step in self._steps(work):
            if step.name == name:
                return step
        raise WorkError("this version of the application has no such step")

    def _tried(self, half: Callable[[], Result]) -> Result:
        for pause_s in self._pauses_s:
            try:
                return half()
            except PartywallError:
                raise  # it was decided, and would be again
            except Exception as error:  # noqa: BLE001 - a driver's, that may pass
                LOG.warning("a step failed and is tried again: %s", type(error).__name__)
                time.sleep(pause_s)
        return half()


def entered(
    connection: Connection, work_id: str, step: str, names: Callable[[Work], list[str]]
) -> str | tuple[Work, Tenant]:
    """Note that a step begins; FAILED or OVER where it must not, DONE where a later one has.

    An engine that has lost a work begins it anew: no step is taken where later ones were, and all
    that were taken are undone.
    """
    with connection.begin():
        work = works.get(connection, work_id, lock=True)
        if work is None or work.state != "begun":
            return OVER
        if step in (order := names(work)) and work.step in order[order.index(step) + 1 :]:
            return DONE
        if work.reason:
            return FAILED  # it is being undone already
        tenant = tenants.get(connection, work.tenant_id)
        if tenant is None:
            return OVER
        works.note(connection, work_id, step=step)
        return work, tenant


def activate(connection: Connection, work: Work, tenant: Tenant) -> str:
    """Let the tenant in, and end its provisioning; not for one that was stopped meanwhile."""
    with connection.begin():
        status = tenants.known(connection, tenant.id, lock=True).status
        if status != "provisioning":
            words = f"{ACTIVATE}: the tenant is {status} and was not activated"
            works.note(connection, work.id, reason=words)
            return FAILED
        tenants.set_status(connection, tenant.id, "active")
        works.note(connection, work.id, state="done")
        noted(connection, work, "tenant.provisioned")
    return DONE


def depart(connection: Connection, work: Work, tenant: Tenant) -> str:
    """Pass the point from which there is no return; not for a tenant that was let in again."""
    with connection.begin():
        status = tenants.known(connection, tenant.id, lock=True).status
        if status in {"active", "provisioning"}:
            words = f"{DEPART}: the tenant is {status} again and was not removed"
            works.note(connection, work.id, reason=words)
            return FAILED
        if status != "deleted":
            tenants.set_status(connection, tenant.id, "deleted", reason="removed")
    return DONE


def shred(connection: Connection, work: Work, tenant: Tenant) -> str:
    """Destroy the tenant's data keys: what is sealed for it can't be read any more, anywhere."""
    with connection.begin():
        gone = data_keys.shredded(connection, tenant.id, by=ACTOR)
        certify_step(connection, work.id, SHRED, {"data_keys": gone})
    return DONE


def certify(connection: Connection, work: Work, tenant: Tenant) -> str:
    """Remove what the control plane itself has of the tenant, and end the removal."""
    with connection.begin():
        certify_step(connection, work.id, "records", removed(connection, tenant.id))
        works.note(connection, work.id, state="done")
        noted(connection, work, "tenant.removed")
    return DONE


OWN: dict[tuple[str, str], Callable[[Connection, Work, Tenant], str]] = {
    ("provision", ACTIVATE): activate,
    ("remove", DEPART): depart,
    ("remove", SHRED): shred,
    ("remove", CERTIFY): certify,
}


def certify_step(
    connection: Connection, work_id: str, name: str, did: Mapping[str, object]
) -> bool:
    """Add what a step has removed to the certificate; what it said first stands.

    Returns:
        Whether this was the first time.
    """
    work = works.get(connection, work_id, lock=True)
    if work is None:
        return False
    steps = {name: {"at": now().isoformat(), **did}, **(work.certificate or {})}
    works.note(connection, work_id, certificate=steps)
    return name not in (work.certificate or {})


def failed(connection: Connection, work_id: str, *, stuck: bool) -> str:
    """End a work that failed."""
    with connection.begin():
        work = works.get(connection, work_id)
        if work is None or work.state != "begun":
            return OVER
        status = tenants.known(connection, work.tenant_id, lock=True).status
        state = "stuck" if stuck else "failed"
        works.note(connection, work_id, state=state)
        if work.kind == "provision" and status == "provisioning":
            tenants.set_status(connection, work.tenant_id, "failed", reason=work.reason)
        noted(connection, work, f"tenant.{work.kind}_{state}")
    return DONE


def noted(connection: Connection, work: Work, action: str) -> None:
    """Put the end of a work into the tenant's audit log."""
    detail = {"work": work.id, "step": work.step, "reason": work.reason}
    audit.record(
        connection, work.tenant_id, action, actor=ACTOR, subject=work.tenant_id, detail=detail
    )


def told(connection: Connection, work: Work, step: str, did: Mapping[str, object]) -> None:
    """Put what a step of the application's own has removed into the tenant's audit log."""
    said = ", ".join(f"{name} {value}" for name, value in did.items())
    detail = {"work": work.id, "step": step, "removed": audit.fitted(said)}
    audit.record(
        connection,
        work.tenant_id,
        "tenant.erased_elsewhere",
        actor=ACTOR,
        subject=work.tenant_id,
        detail=detail,
    )


def reason(step: str, error: Exception) -> str:
    """Why a step failed, in words that may be shown: a driver's own would quote rows."""
    name = type(error).__name__
    if isinstance(error, PartywallError):
        return f"{step}: {name}: {error}"[:LONGEST_REASON]
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return f"{step}: {name}" + (f" (SQLSTATE {state})" if isinstance(state, str) else "")
