"""Works on Temporal: workflows kept by a server of its own, run by the application's processes."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from partywall.adapters.temporal.connection import Server
from partywall.control.database import now
from partywall.control.provisioning.saga import Kind, course
from partywall.errors import ConfigurationError, WorkError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from temporalio.client import Client

    from partywall.control.provisioning.saga import Acting

LOG = logging.getLogger("partywall.works")

NAME = "partywall"
"""Of the workflow, its activity and its task queue: never changed, for old workflows name it."""

LONGEST_ACT = dt.timedelta(hours=6)
RETRY = RetryPolicy(
    initial_interval=dt.timedelta(seconds=0.5), maximum_interval=dt.timedelta(seconds=30)
)
TASK_TIMEOUT = dt.timedelta(seconds=5)  # a worker that died had the workflow for so long
RECONCILE_EVERY_S = 60.0
WIDTH = 8  # acts at once


@workflow.defn(name=NAME, sandboxed=False)  # it runs `course` alone, which is pure
class TenantWork:
    """A work of a tenant, as Temporal sees it: nothing but ids and names of steps."""

    @workflow.run
    async def run(self, work_id: str, heartbeat_s: float) -> None:
        """Take the acts of the course, one after the other."""
        conversation = course()
        act = next(conversation)
        while True:
            answer: list[str] = await workflow.execute_activity(
                NAME,
                args=[work_id, act.kind, act.step, heartbeat_s],
                result_type=list[str],
                summary=f"{act.kind} {act.step}".strip(),
                start_to_close_timeout=LONGEST_ACT,
                heartbeat_timeout=dt.timedelta(seconds=heartbeat_s),
                retry_policy=RETRY,
            )
            try:
                act = conversation.send(answer)
            except StopIteration:
                return


class TemporalWorks:
    """The workflow engine for those who run a Temporal server already.

    Args:
        target: the server, `127.0.0.1:7233`.
        namespace: in which the workflows are.
        queue: the task queue; of one control plane only.
        heartbeat_s: when an act whose process died is taken by another.
        patience_s: how long the start of a work, or a launch, may take before it has failed.
        options: passed on to `temporalio.client.Client.connect`: `tls=`, `api_key=`.
    """

    name = "temporal"

    def __init__(
        self,
        target: str = "127.0.0.1:7233",
        *,
        namespace: str = "default",
        queue: str = NAME,
        heartbeat_s: float = 10.0,
        patience_s: float = 10.0,
        **options: Any,
    ) -> None:
        self._server = Server(target, namespace, options)
        self._queue = queue
        self._heartbeat_s = heartbeat_s
        self._patience_s = patience_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Client | None = None
        self._stopping: asyncio.Event | None = None

    def launch(self, saga: Acting) -> None:
        """Begin to work, and take up what an earlier process left.

        Raises:
            ConfigurationError: when this engine works already.
            WorkError: when the server can't be reached.
        """
        if self._thread is not None:
            raise ConfigurationError("this workflow engine works already: launch it once")
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._working(saga, ready)),
            name="partywall works",
            daemon=True,
        )
        self._thread.start()
        try:
            ready.result(self._patience_s)
        except Exception as error:
            self.close()
            raise self._server.unreached(error) from error

    async def _working(self, saga: Acting, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        stopping = self._stopping = asyncio.Event()
        with ThreadPoolExecutor(WIDTH + 1, thread_name_prefix="partywall-act") as threads:
            try:
                client = await self._server.connect()
                worker = Worker(
                    client,
                    task_queue=self._queue,
                    workflows=[TenantWork],
                    activities=[Activity(saga, threads).act],
                    max_concurrent_activities=WIDTH,
                    max_cached_workflows=0,  # or tasks wait for the worker that died
                    graceful_shutdown_timeout=dt.timedelta(minutes=1),
                )
                async with worker:
                    self._client = client
                    ready.set_result(None)
                    while not stopping.is_set():
                        await self._reconcile(saga, threads)
                        await elapsed(stopping, RECONCILE_EVERY_S)
            except Exception as error:
                if ready.done():
                    LOG.exception("the workflow engine has stopped")
                    raise
                ready.set_exception(error)
            finally:
                self._client = None

    async def _reconcile(self, saga: Acting, threads: ThreadPoolExecutor) -> None:
        """Start works that the server has lost, or has ended without ending them."""
        loop = asyncio.get_running_loop()
        try:
            begun = await loop.run_in_executor(threads, saga.unfinished, self.name)
            for work_id, not_before in begun:
                await self._started(work_id, not_before)
        except Exception as error:  # noqa: BLE001 - a server that is down comes back
            LOG.warning("looking for works that were left failed: %s", type(error).__name__)

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        """Start a work, durably once this returns; again for one that was started: nothing.

        Raises:
            WorkError: when it could not be started.
        """
        if self._client is None or self._loop is None:
            raise WorkError("the workflow engine was not launched: plane.launch() does it")
        starting = self._started(work_id, not_before)
        try:
            in_loop(self._loop, starting).result(self._patience_s)
        except Exception as error:
            raise WorkError(
                f"the workflow could not be started ({type(error).__name__})"
            ) from error

    async def _started(self, work_id: str, not_before: dt.datetime | None) -> None:
        assert self._client is not None  # noqa: S101 - started when there is one
        delay = not_before - now() if not_before is not None else dt.timedelta()
        await self._client.start_workflow(
            TenantWork.run,
            args=[work_id, self._heartbeat_s],
            id=f"{NAME}-{work_id}",
            task_queue=self._queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_delay=delay if delay > dt.timedelta() else None,
            task_timeout=TASK_TIMEOUT,
            rpc_timeout=dt.timedelta(seconds=self._patience_s),
        )

    def close(self) -> None:
        """Stop working when the acts that are being taken have ended; the rest stays."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is None:
            return
        if loop is not None and stopping is not None and thread.is_alive():
            loop.call_soon_threadsafe(stopping.set)
        thread.join()
        self._thread = self._loop = self._stopping = None


class Activity:
    """Takes acts in threads, and tells the server meanwhile that it is still at it."""

    def __init__(self, saga: Acting, threads: ThreadPoolExecutor) -> None:
        self._saga = saga
        self._threads = threads

    @activity.defn(name=NAME)
    async def act(self, work_id: str, kind: Kind, step: str, heartbeat_s: float) -> list[str]:
        """Take one act.

        Raises:
            ApplicationError: when it is to be taken again; it says no more than the class of the
                error, for the server keeps it.
        """
        loop = asyncio.get_running_loop()
        acting = loop.run_in_executor(self._threads, self._saga.act, work_id, kind, step)
        try:
            while not acting.done():
                await asyncio.wait({acting}, timeout=heartbeat_s / 4)
                activity.heartbeat()
            return acting.result()
        except Exception as error:  # noqa: BLE001 - none of them ends a work
            words = f"the act is taken again: {type(error).__name__}"
            raise ApplicationError(words) from None


def in_loop(loop: asyncio.AbstractEventLoop, starting: Coroutine[Any, Any, None]) -> Future[None]:
    """Run *starting* in the loop of another thread.

    Raises:
        RuntimeError: when the loop has ended.
    """
    try:
        return asyncio.run_coroutine_threadsafe(starting, loop)
    except RuntimeError:
        starting.close()
        raise


async def elapsed(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
