"""The works of a control plane on DBOS."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import make_url

from partywall.adapters.dbos.instance import NAME, Membership, Stopped
from partywall.control.database import now
from partywall.control.provisioning.presence import Presence
from partywall.control.provisioning.saga import course
from partywall.errors import ConfigurationError, WorkError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from sqlalchemy import URL

    from partywall.control.provisioning.saga import Act, Acting

LOG = logging.getLogger("partywall.works")

ALIVE = {"PENDING", "ENQUEUED", "DELAYED"}
LONGEST_PAUSE_S = 30.0
RECONCILE_EVERY = 12  # heartbeats


class DbosWorks:
    """The workflow engine that needs no server of its own.

    Args:
        url: where DBOS keeps its workflows; without it, in the control plane's own PostgreSQL (in
            the schema `dbos`), or in a SQLite file beside the control plane's.
        heartbeat_s: how often to look for works that a process left which died.
        patience_s: how long the start of a work may take before it counts as failed.
    """

    name = "dbos"

    def __init__(
        self, url: str | URL | None = None, *, heartbeat_s: float = 5.0, patience_s: float = 10.0
    ) -> None:
        self._url = None if url is None else make_url(url)
        self._heartbeat_s = heartbeat_s
        self._patience_s = patience_s
        self._membership: Membership | None = None
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._acting = 0
        self._saga: Acting | None = None
        self._run: Callable[[str], None] | None = None
        self._presence: Presence | None = None
        self._watch: threading.Thread | None = None

    def launch(self, saga: Acting) -> None:
        """Begin to work, and take up what an earlier process left.

        Raises:
            ConfigurationError: when something else uses DBOS in this process.
            WorkError: when its database can't be reached.
        """
        if self._saga is not None:
            raise ConfigurationError("this workflow engine works already: launch it once")
        membership = Membership("a control plane", self._address(saga))
        try:
            self._begin(saga, membership)
        except BaseException as error:
            self._membership, self._saga = membership, saga
            self.close()
            if isinstance(error, Exception) and not isinstance(error, ConfigurationError):
                raise WorkError(
                    "the workflows could not be launched; the database of DBOS may be down, or its "
                    f"login may not create the schema dbos ({type(error).__name__})"
                ) from error
            raise

    def _begin(self, saga: Acting, membership: Membership) -> None:
        self._stopping.clear()
        self._membership, self._saga = membership, saga
        run = membership.workflow(NAME, self._workflow, asynchronous=False)
        self._presence = Presence(saga.database, membership.process)
        membership.launch(NAME)
        DBOS.register_queue(NAME)
        self._run = run
        self._watch = threading.Thread(target=self._watching, name="partywall works", daemon=True)
        self._watch.start()

    def _address(self, saga: Acting) -> URL:
        url = self._url
        if url is None:
            url = saga.database.url
            if saga.database.sqlite:
                url = url.set(database=f"{url.database}.works")
        return url

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        """Start a work, durably once this returns; again for one that was started: nothing.

        Raises:
            WorkError: when it could not be started.
        """
        self._started(work_id, work_id, not_before)

    def _started(self, workflow_id: str, work_id: str, not_before: dt.datetime | None) -> None:
        run = self._run
        if run is None:
            raise WorkError("the workflow engine was not launched: plane.launch() does it")
        delay_s = (not_before - now()).total_seconds() if not_before is not None else 0.0

        def starting() -> None:
            with SetWorkflowID(workflow_id):
                if delay_s > 0:
                    with SetEnqueueOptions(delay_seconds=delay_s):
                        DBOS.enqueue_workflow(NAME, run, work_id)
                else:
                    DBOS.start_workflow(run, work_id)

        in_time(starting, self._patience_s)

    def _workflow(self, work_id: str) -> None:
        conversation = course()
        act = next(conversation)
        while True:
            words = f"{act.kind} {act.step}".strip()
            answer = DBOS.run_step({"name": words}, partial(self._act, work_id, act))
            try:
                act = conversation.send(answer)
            except StopIteration:
                return

    def _act(self, work_id: str, act: Act) -> list[str]:
        """Take an act, again and again while the control plane's database is down."""
        pause_s = 0.5
        while True:
            with self._idle:
                if self._stopping.is_set() or self._saga is None:
                    raise Stopped
                self._acting += 1
            try:
                return self._saga.act(work_id, act.kind, act.step)
            except Exception as error:  # noqa: BLE001 - none of them ends a work
                LOG.warning("an act is taken again: %s", type(error).__name__)
            finally:
                with self._idle:
                    self._acting -= 1
                    self._idle.notify_all()
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _watching(self) -> None:
        beat = 0
        while not self._stopping.is_set():
            try:
                self._take_over()
                if beat % RECONCILE_EVERY == 0:
                    self._reconcile()
                beat += 1
            except Exception as error:  # noqa: BLE001 - a database that is down comes back
                LOG.warning("looking for works that were left failed: %s", type(error).__name__)
            self._stopping.wait(self._heartbeat_s)

    def _take_over(self) -> None:
        """Enqueue again what processes were doing that are dead."""
        assert self._presence is not None  # noqa: S101 - this thread is started after it
        assert self._membership is not None  # noqa: S101 - as above
        self._presence.renew()
        others = {found.executor_id for found in left("PENDING")} - {self._membership.process}
        for process in others - {None}:
            with self._presence.dead(str(process)) as dead:
                for found in left("PENDING", str(process)) if dead else ():
                    DBOS.resume_workflow(found.workflow_id, queue_name=NAME)

    def _reconcile(self) -> None:
        """Start works that the engine has lost, or has ended without ending them."""
        assert self._saga is not None  # noqa: S101 - as above
        for work_id, not_before in self._saga.unfinished(self.name):
            runs = DBOS.list_workflows(
                workflow_id_prefix=work_id, load_input=False, load_output=False
            )
            if not any(run.status in ALIVE for run in runs):
                again = f"{work_id}.{len(runs)}" if runs else work_id
                self._started(again, work_id, not_before)

    def close(self) -> None:
        """Stop working when the acts that are being taken have ended; the rest stays."""
        if self._saga is None:
            return
        self._stopping.set()
        with self._idle:
            self._idle.wait_for(lambda: self._acting == 0)
        if self._watch is not None:
            self._watch.join()
        if self._membership is not None:
            self._membership.leave(self._patience_s)
        if self._presence is not None:
            self._presence.close()
        self._saga = self._run = self._presence = self._watch = self._membership = None


def left(status: str, process: str | None = None) -> list[Any]:
    """The workflows in a status, of one process or of all."""
    return DBOS.list_workflows(
        status=status, executor_id=process, name=NAME, load_input=False, load_output=False
    )


def in_time(starting: Callable[[], None], patience_s: float) -> None:
    """Call *starting*, which may block for as long as a database is down.

    Raises:
        WorkError: when it fails, or has not come back after *patience_s*.
    """
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            starting()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            errors.append(error)

    thread = threading.Thread(target=attempt, name="partywall start", daemon=True)
    thread.start()
    thread.join(patience_s)
    if thread.is_alive():
        raise WorkError(
            f"the workflow could not be started in {patience_s:g} s: its database does not answer"
        )
    if errors:
        raise WorkError(
            f"the workflow could not be started ({type(errors[0]).__name__})"
        ) from errors[0]
