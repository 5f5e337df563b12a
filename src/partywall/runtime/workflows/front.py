"""`tenancy.workflows`: what an application writes, starts and reads workflows with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from partywall.runtime.workflows.executions import Executions
from partywall.runtime.workflows.hosting import Host
from partywall.runtime.workflows.scheduling import Scheduling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import URL

    from partywall.context import TenantContext
    from partywall.runtime.directory import Directory
    from partywall.runtime.workflows.engine import Engine


class TenantWorkflows(Executions, Scheduling):
    """Durable workflows, each execution of which belongs to one tenant.

    Declare steps and workflows first, then `launch` in the processes that are to run them; any
    process may start and read them. Every method is for one tenant: what belongs to another one
    answers as what does not exist.

    Args:
        engine: keeps and runs them.
        admit: raises for a context that may not be entered.
        directory: asked again before a body runs, and before each step.
        application: the databases of the tenants, with the application's own login.
    """

    def __init__(
        self,
        engine: Engine,
        admit: Callable[[TenantContext], object],
        directory: Directory | None = None,
        application: Sequence[URL] = (),
    ) -> None:
        super().__init__()
        self._application = tuple(application)
        self._engine = engine
        self._seal = engine.seal
        self._admit = admit
        self._directory = directory

    def launch(self) -> None:
        """Begin to run what was started, and take up what a process left that died.

        Raises:
            ConfigurationError: when the engine can't work here, or the application's own login
                could read what it keeps.
            WorkError: when its database or its server can't be reached.
        """
        host = Host(self._seal, self._directory, self._workflows, self._steps, self._fired)
        self._engine.launch(host, self._application)

    def close(self) -> None:
        """Stop running; what has not ended stays, for the next one to take up."""
        self._engine.close()

    def _fired(self, context: TenantContext, workflow: str, argument: Any, key: str) -> None:
        self.start(context, workflow, argument, key=key)
