"""The one DBOS of a process, which several parts share: launched by the first, ended by the last.

DBOS keeps its configuration, its workflows and its queues in globals. A part (a control plane's
works, the application's workflows) joins with the url of its system database, names its workflows,
launches, and leaves.
"""

from __future__ import annotations

import logging
import math
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSConfig

from partywall.control.database import DRIVERS, new_id
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import URL

NAME = "partywall"
"""Of DBOS's application: never changed, for old workflows name it."""

VERSION = "1"
"""Of its workflows: what an earlier release of the application began is taken up by the next."""

CONNECTIONS = 8
"""Of DBOS to its database, at most. Its threads share one interpreter: with more connections they
get in each other's way, and take a sixth longer with the 20 that DBOS has by itself."""

CONNECTING = {"pool_pre_ping": False, "hide_parameters": True}
"""DBOS tries again what a lost connection broke off, so none is asked first whether it is still
there: that is a round trip for every transaction. What it logs of such an error shows no
parameters."""

_sharing = threading.RLock()
_shared: _Shared | None = None


class Stopped(BaseException):
    """The process stops working: the workflow stays as it is, for the next one to take up."""


class _Shared:
    """DBOS as it is configured now."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.process = f"dbos-{new_id()}"
        self.parts: set[str] = set()
        self.queues: list[str] = []
        self.functions: dict[str, Callable[..., Any]] = {}
        self.workflows: dict[str, Callable[..., Any]] = {}
        self.launched = False
        quieten()
        self.instance = DBOS(
            config=DBOSConfig(
                name=NAME,
                system_database_url=url,
                sys_db_pool_size=CONNECTIONS,
                db_engine_kwargs=CONNECTING,
                application_version=VERSION,
                executor_id=self.process,
                log_level="WARNING",
                enable_otlp=False,
            )
        )
        if DBOS.executor_id != self.process:
            raise ConfigurationError(
                "this process uses DBOS for something else, and there can be only one: work in a "
                "process of its own, or on Temporal"
            )
        DBOS.listen_queues(self.queues)


class Membership:
    """A part's share of DBOS.

    Attributes:
        process: the name of this process to DBOS, which no other has.
    """

    def __init__(self, part: str, url: URL) -> None:
        self._part = part
        self._names: list[str] = []
        self._queues: list[str] = []
        address = url.set(drivername=DRIVERS[url.drivername])
        written = address.render_as_string(hide_password=False)
        global _shared  # noqa: PLW0603 - as DBOS itself
        with _sharing:
            if _shared is None:
                _shared = _Shared(written)
            elif part in _shared.parts:
                raise ConfigurationError(
                    f"DBOS works in this process already for {part}, and there can be only one: "
                    "close the other first"
                )
            elif _shared.url != written:
                raise ConfigurationError(
                    "DBOS works in this process already, and keeps its workflows elsewhere: give "
                    "the control plane's DbosWorks and DbosWorkflows the same url, or let each "
                    "work in a process of its own"
                )
            _shared.parts.add(part)
            self._shared = _shared
        self.process = self._shared.process

    def workflow(
        self, name: str, function: Callable[..., Any], *, asynchronous: bool
    ) -> Callable[..., Any]:
        """Let *function* run the workflows of this name, until this part leaves.

        What is returned is DBOS's own, to be started.
        """
        shared = self._shared
        with _sharing:
            shared.functions[name] = function
            self._names.append(name)
            if name not in shared.workflows:
                made = declared(shared.functions, name, asynchronous=asynchronous)
                shared.workflows[name] = made
            return shared.workflows[name]

    def launch(self, *queues: str) -> None:
        """Launch DBOS, unless it is; this process then takes workflows from these queues."""
        with _sharing:
            self._queues += queues
            # The list that DBOS looks at each second. Its own way in is closed after the launch.
            listening = self._shared.instance._listening_queues  # noqa: SLF001 - see above
            if listening is not None:
                listening.extend(queues)
            if not self._shared.launched:
                DBOS.launch()
                self._shared.launched = True

    def leave(self, grace_s: float) -> None:
        """Forget this part's workflows; the last one ends DBOS.

        Args:
            grace_s: how long to wait until what was done is written down.
        """
        global _shared  # noqa: PLW0603 - as above
        with _sharing:
            shared = self._shared
            if self._part not in shared.parts or shared is not _shared:
                return
            shared.parts.discard(self._part)
            for name in self._names:
                shared.functions[name] = gone
            listening = shared.instance._listening_queues  # noqa: SLF001 - as above
            for queue in self._queues:
                with suppress(ValueError, AttributeError):
                    listening.remove(queue)  # type: ignore[union-attr]  # or AttributeError
            if not shared.parts:
                busy = shared.instance._active_workflows_set.activeList()  # noqa: SLF001 - as above
                DBOS.destroy(
                    destroy_registry=True,
                    # It looks once a second whether it has nothing to do any more.
                    workflow_completion_timeout_sec=math.ceil(grace_s) if busy else 0,
                )
                _shared = None


def declared(
    functions: dict[str, Callable[..., Any]], name: str, *, asynchronous: bool
) -> Callable[..., Any]:
    """A workflow of DBOS that runs whoever has the name at the moment."""

    async def run_async(*arguments: Any) -> Any:
        return await functions[name](*arguments)

    def run(*arguments: Any) -> Any:
        return functions[name](*arguments)

    chosen: Callable[..., Any] = run_async if asynchronous else run
    chosen.__annotations__ = {}  # which DBOS would evaluate for each execution, to look for dates
    return DBOS.workflow(name=name, max_recovery_attempts=None)(chosen)


def gone(*_: Any) -> Any:
    """Whoever had this workflow has left."""
    raise Stopped


def quieten() -> None:
    """Let DBOS log through the application's own handlers; it would add one to the console."""
    log = logging.getLogger("dbos")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
