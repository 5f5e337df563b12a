"""A tenant's task, and one with options for one start: both are started by `TenantTasks` alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from partywall.errors import ConfigurationError, MissingTenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from procrastinate.tasks import Task

OPTIONS = {"lock", "queueing_lock", "schedule_at", "schedule_in", "queue", "priority"}
LOCKS = ("lock", "queueing_lock")


@dataclass(frozen=True, slots=True)
class TenantTask:
    """A function whose first parameter is a `TenantContext`, as a task.

    Attributes:
        task: procrastinate's.
        function: what it runs; calling the task with a context calls it here and now.
        options: for the next start; see `configure`.
    """

    task: Task[..., Any, ...]
    function: Callable[..., Any]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function here and now."""
        return self.function(*args, **kwargs)

    def configure(self, **options: Any) -> TenantTask:
        """The same task with procrastinate's options: lock, queueing_lock, schedule_at,
        schedule_in, queue, priority. Locks are the tenant's own.

        Raises:
            ConfigurationError: for another option.
        """  # noqa: D205 - one sentence
        if unknown := options.keys() - OPTIONS:
            raise ConfigurationError(
                f"a tenant's task has no option {', '.join(sorted(unknown))}; it has "
                f"{', '.join(sorted(OPTIONS))}"
            )
        return TenantTask(self.task, self.function, {**self.options, **options})

    def terms(self, tenant: str) -> dict[str, Any]:
        """The options for one start, with the tenant's own locks."""
        terms = dict(self.options)
        for name in LOCKS:
            lock = terms.get(name) or getattr(self.task, name)
            if lock is not None:
                terms[name] = f"{tenant}/{lock}"  # a tenant's id has no slash
        return terms

    def defer(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: there is no tenant.

        Raises:
            MissingTenant: always.
        """
        raise MissingTenant(
            f"{self.name} works for a tenant: tasks.start(context, task, …) instead of .defer()"
        )

    async def defer_async(self, *_: Any, **__: Any) -> NoReturn:
        """As `defer`."""
        self.defer()

    batch_defer = defer
    batch_defer_async = defer_async
