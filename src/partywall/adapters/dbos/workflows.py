"""An application's workflows of its tenants on DBOS.

Every execution waits in one queue, in a partition of its tenant. A process takes no more than a few
of each tenant at once, from the partitions in random order: who has ten thousand waiting gets its
share and no more. What sleeps, waits for a signal or for its tenant to be let in again is laid
aside, and takes nobody's place.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSClient, EnqueueOptions, WorkflowSerializationFormat
from dbos import error as errors
from psycopg import OperationalError
from sqlalchemy import make_url

from partywall.adapters.dbos.instance import NAME, Membership, quieten
from partywall.adapters.dbos.powers import AsyncDbosPowers, DbosPowers, Work
from partywall.adapters.dbos.rows import Rows, SystemDatabase
from partywall.adapters.dbos.vetting import vet
from partywall.control.database import DRIVERS
from partywall.control.provisioning.presence import Presence
from partywall.errors import ConfigurationError, WorkError
from partywall.runtime.workflows.engine import Found
from partywall.runtime.workflows.sealing import Seal
from partywall.runtime.workflows.values import Place, prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import URL

    from partywall.runtime.workflows.hosting import Host
    from partywall.runtime.workflows.values import Schedule, Status, Workflow

LOG = logging.getLogger("partywall.workflows")

QUEUE = "partywall.tenants"
DUE = "partywall.due"
"""Of the queues, and of the workflow that a schedule starts: never changed, as old rows name it."""

TYPE = "tenant/"
"""What DBOS's names of our workflows begin with."""

STATUS: dict[str, Status] = {
    "ENQUEUED": "running",
    "DELAYED": "running",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
PORTABLE = WorkflowSerializationFormat.PORTABLE
PROCESS = re.compile(r"dbos-[0-9a-f-]+\Z")
CLIENTS = 10  # connections of what only starts and reads
CLOCK_MS = 1000  # SQLite says when an execution ended in whole seconds; a server has its own clock


class DbosWorkflows:
    """The workflow engine that needs no server of its own, for the workflows of tenants.

    Args:
        url: where DBOS keeps them, PostgreSQL or a SQLite file: with a login of its own, which the
            application's other login may not become. The one of `DbosWorks`, where both work in one
            process.
        key: encrypts what is kept, 32 bytes or more; the same in all processes.
        older_keys: what `key` was before, while anything is left that it encrypted.
        concurrency: how many executions this process runs at once.
        tenant_concurrency: how many of them may be of one tenant.
        poll_s: how often to look for executions that wait; no more than `concurrency` are taken
            at a look.
        heartbeat_s: how often to look for what a process left that died.
        suspended_s: how often to ask whether a tenant may be entered again.
        grace_s: how long `close` waits for the steps that are being taken, and until what they
            did is written down.

    Raises:
        ConfigurationError: when the key is too short.
    """

    name = "dbos"

    def __init__(  # noqa: PLR0913 - one argument for each thing that can be chosen
        self,
        url: str | URL,
        *,
        key: str | bytes,
        older_keys: Sequence[str | bytes] = (),
        concurrency: int = 128,
        tenant_concurrency: int = 32,
        poll_s: float = 0.1,
        heartbeat_s: float = 5.0,
        suspended_s: float = 30.0,
        grace_s: float = 30.0,
    ) -> None:
        given = make_url(url)
        self._url = given.set(drivername=DRIVERS.get(given.drivername, given.drivername))
        self.seal = Seal(key, older_keys)
        self._limits = {
            "worker_concurrency": concurrency,
            "partition_worker_concurrency": min(tenant_concurrency, concurrency),
            "polling_interval_sec": poll_s,
        }
        self._heartbeat_s = heartbeat_s
        self._suspended_s = suspended_s
        self._grace_s = grace_s
        self._opening = threading.Lock()
        self._opened: tuple[DBOSClient, Rows] | None = None
        self._membership: Membership | None = None
        self._presence: Presence | None = None
        self._work: Work | None = None
        self._watch: threading.Thread | None = None

    def launch(self, host: Host, application: Sequence[URL]) -> None:
        """Begin to run what was started, here and by others."""
        if self._membership is not None:
            raise ConfigurationError("these workflows were launched already: launch them once")
        try:
            for login in application:
                vet(self._url, login)
        except OperationalError as error:
            raise unreachable(error) from error
        client, rows = self._connected()
        membership = self._membership = Membership("the application", self._url)
        try:
            # Before the launch, or DBOS would notice them a second after it.
            client.register_queue(QUEUE, **self._limits)  # type: ignore[arg-type]  # each is what it takes
            client.register_queue(DUE)
            self._begin(host, membership, rows)
        except BaseException as error:
            self.close()
            if isinstance(error, Exception) and not isinstance(error, ConfigurationError):
                raise unreachable(error) from error
            raise

    def _begin(self, host: Host, membership: Membership, rows: Rows) -> None:
        process = membership.process
        # What was left here when this part of DBOS was closed, and the other went on.
        left = [key for queue in (QUEUE, DUE) for key in rows.taken(queue, process)]
        work = self._work = Work(host, rows, self._suspended_s)
        for workflow in host.workflows.values():
            run = asynchronous(work, workflow) if workflow.asynchronous else plain(work, workflow)
            membership.workflow(TYPE + workflow.name, run, asynchronous=workflow.asynchronous)
        membership.workflow(DUE, due(host), asynchronous=False)
        database = SystemDatabase(self._url)
        self._presence = Presence(database, presence(process))
        membership.launch(QUEUE, DUE)
        rows.requeue(left, process)
        self._watch = threading.Thread(
            target=self._watching, args=[process, rows, work], daemon=True
        )
        self._watch.start()

    def start(self, place: Place, workflow: Workflow, sealed: str, delay_s: float) -> None:
        """Start an execution, durably once this returns; nothing for one that is there."""
        client, _ = self._connected()
        options = EnqueueOptions(
            workflow_name=TYPE + place.workflow,
            queue_name=QUEUE,
            workflow_id=place.key,
            queue_partition_key=place.tenant,
            authenticated_user=place.tenant,
            serialization_type=PORTABLE,
        )
        if delay_s > 0:
            options["delay_seconds"] = delay_s
        if workflow.timeout_s is not None:
            options["workflow_timeout"] = workflow.timeout_s
        client.enqueue(options, sealed)

    def find(self, place: Place) -> Found | None:
        """An execution, by its key alone."""
        client, _ = self._connected()
        rows = client.list_workflows(workflow_ids=[place.key], load_input=False)
        return found(rows[0]) if rows and rows[0].name.startswith(TYPE) else None

    def executions(
        self, tenant: str, workflow: str | None, before: dt.datetime | None, limit: int
    ) -> list[Found]:
        """The newest executions of a tenant."""
        client, _ = self._connected()
        earlier = None if before is None else before - dt.timedelta(milliseconds=1)
        rows = client.list_workflows(
            user=tenant,
            workflow_id_prefix=prefix(tenant),
            name=None if workflow is None else TYPE + workflow,
            end_time=None if earlier is None else earlier.isoformat(),
            limit=limit,
            sort_desc=True,
            load_input=False,
            load_output=False,
        )
        return [found(row) for row in rows if row.name.startswith(TYPE)]

    def cancel(self, place: Place) -> None:
        """End an execution before its next step."""
        self._connected()[0].cancel_workflow(place.key)

    def signal(self, place: Place, name: str, sealed: str) -> None:
        """Tell an execution something; it may begin to wait for it later."""
        client, rows = self._connected()
        client.send(place.key, sealed, topic=name, serialization_type=PORTABLE)
        rows.wake(place)

    def schedule(self, tenant: str, schedule: Schedule, sealed: str) -> None:
        """Keep a schedule, instead of one of the same name."""
        key = prefix(tenant) + schedule.name
        try:
            self._connected()[0].apply_schedules(
                [
                    {
                        "schedule_name": key,
                        "workflow_name": DUE,
                        "schedule": schedule.cron,
                        "context": {"key": key, "sealed": sealed},
                        "queue_name": DUE,
                        "cron_timezone": schedule.timezone,
                    }
                ]
            )
        except errors.DBOSException as error:
            raise ConfigurationError(f"{schedule.cron!r} is no cron") from error

    def schedules(self, tenant: str) -> list[tuple[str, str]]:
        """The keys of a tenant's schedules, and what was sealed with them."""
        kept = self._connected()[0].list_schedules(
            workflow_name=DUE, schedule_name_prefix=prefix(tenant)
        )
        return [(each["schedule_name"], each["context"]["sealed"]) for each in kept]

    def unschedule(self, tenant: str, name: str) -> None:
        """Forget a schedule; nothing where there is none."""
        self._connected()[0].delete_schedule(prefix(tenant) + name)

    def fire(self, tenant: str, name: str) -> bool:
        """Let a schedule do now what it does when it is due; False where there is none."""
        client, _ = self._connected()
        key = prefix(tenant) + name
        if client.get_schedule(key) is None:
            return False
        client.trigger_schedule(key)
        return True

    def close(self) -> None:
        """Stop running when the steps that are being taken are written down; the rest stays."""
        until_s = time.monotonic() + self._grace_s
        if self._work is not None:
            self._work.stop(self._grace_s)
        if self._watch is not None:
            self._watch.join()
        if self._membership is not None:
            self._membership.leave(max(0.0, until_s - time.monotonic()))
        if self._presence is not None:
            self._presence.close()
        self._work = self._watch = self._membership = self._presence = None
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened[0].destroy()
            opened[1].close()

    def _connected(self) -> tuple[DBOSClient, Rows]:
        """What starts and reads, whether this process runs anything or not."""
        with self._opening:
            if self._opened is None:
                quieten()
                address = self._url.render_as_string(hide_password=False)
                try:
                    DBOS.migrate(address)
                    client = DBOSClient(
                        system_database_url=address,
                        application_name=NAME,
                        system_database_pool_size=CLIENTS,
                    )
                except Exception as error:
                    raise unreachable(error) from error
                self._opened = client, Rows(SystemDatabase(self._url))
            return self._opened

    def _watching(self, process: str, rows: Rows, work: Work) -> None:
        """Put what processes were running that are dead into its queue again."""
        while not work.stopping.is_set():
            try:
                assert self._presence is not None  # noqa: S101 - this thread ends before it
                self._presence.renew()
                for queue in (QUEUE, DUE):
                    for other in rows.executors(queue) - {process}:
                        if not PROCESS.match(other):
                            continue  # it becomes the name of a lock, and is another's word
                        with self._presence.dead(presence(other)) as dead:
                            if dead:
                                rows.requeue(rows.taken(queue, other), other)
            except Exception as error:  # noqa: BLE001 - a database that is down comes back
                LOG.warning("looking for what was left failed: %s", type(error).__name__)
            work.stopping.wait(self._heartbeat_s)


def presence(process: str) -> str:
    """The name by which a process says that it runs workflows of tenants."""
    return f"{process}-tenants"


def plain(work: Work, workflow: Workflow) -> Callable[[str], str]:
    """What DBOS calls for a body that is a `def`."""

    def run(sealed: str) -> str:
        place = Place.at(str(DBOS.workflow_id), workflow.name)
        with work.turn(place):
            powers = DbosPowers(work)
            return work.host.play(place, sealed, powers, passing=(errors.DBOSException,))

    return run


def asynchronous(work: Work, workflow: Workflow) -> Callable[[str], Any]:
    """What DBOS calls for a body that is an `async def`."""

    async def run(sealed: str) -> str:
        place = Place.at(str(DBOS.workflow_id), workflow.name)
        async with work.async_turn(place):
            powers = AsyncDbosPowers(work)
            return await work.host.async_play(
                place, sealed, powers, passing=(errors.DBOSException,)
            )

    return run


def due(host: Host) -> Callable[[dt.datetime, Any], None]:
    """What DBOS calls when a schedule is due."""

    def run(_: dt.datetime, kept: Any) -> None:
        firing = str(DBOS.workflow_id)
        place = Place.at(kept["key"], "")

        def start() -> None:
            host.due(place.tenant, place.id, kept["sealed"], firing)

        DBOS.run_step({"name": "start", "retries_allowed": True}, start)

    return run


def found(row: Any) -> Found:
    """An execution as DBOS has it."""
    status = STATUS.get(row.status, "failed")
    deadline_ms = row.workflow_deadline_epoch_ms
    ended_ms = (row.completed_at or 0) + CLOCK_MS
    if status == "cancelled" and deadline_ms and ended_ms >= deadline_ms:
        status = "timed_out"
    outcome, ended_by = row.output if isinstance(row.output, str) else "", ""
    if status == "failed":
        sealed = getattr(row.error, "name", "") == "Failed"
        outcome = row.error.message if sealed else ""
        ended_by = "" if sealed else getattr(row.error, "name", row.status)
    created_at = dt.datetime.fromtimestamp(row.created_at / 1000, dt.UTC)
    workflow = row.name.removeprefix(TYPE)
    return Found(row.workflow_id, workflow, status, created_at, outcome, ended_by)


def unreachable(error: Exception) -> WorkError:
    """That DBOS's database is down."""
    return WorkError(
        "the workflow engine could not be reached: the database of DBOS may be down, or its login "
        f"may not create the schema dbos ({type(error).__name__})"
    )
