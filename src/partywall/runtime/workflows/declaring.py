"""What an application declares: workflows and steps, above the functions that they are."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, overload

from partywall.errors import ConfigurationError
from partywall.runtime.workflows.values import Step, Workflow, named

if TYPE_CHECKING:
    from collections.abc import Callable

    Body = TypeVar("Body", bound=Callable[..., Any])


class Declaring:
    """Knows what was declared in this process."""

    def __init__(self) -> None:
        self._workflows: dict[str, Workflow] = {}
        self._names: dict[Any, str] = {}
        self._steps: dict[Any, Step] = {}

    @overload
    def workflow(self, body: Body, *, name: str = "", timeout_s: float | None = None) -> Body: ...

    @overload
    def workflow(
        self, *, name: str = "", timeout_s: float | None = None
    ) -> Callable[[Body], Body]: ...

    def workflow(self, body: Any = None, *, name: str = "", timeout_s: float | None = None) -> Any:
        """Declare a workflow: a `def` or `async def` of a run and an argument.

        Args:
            body: given `Run` or `AsyncRun`, and the argument of `start`; it returns JSON.
            name: by which engines know it, for as long as one runs; else the function's.
            timeout_s: after so long, once it has begun, an execution is ended.

        Raises:
            ConfigurationError: when another one has this name.
        """

        def declared(body: Body) -> Body:
            given = named("workflow", name or body.__name__)
            if given in self._workflows:
                raise ConfigurationError(f"two workflows are called {given!r}: give one a name=")
            self._workflows[given] = Workflow(given, body, timeout_s)
            self._names[body] = given
            return body

        return declared if body is None else declared(body)

    @overload
    def step(
        self,
        function: Body,
        *,
        name: str = "",
        attempts: int = 3,
        pause_s: float = 1.0,
        timeout_s: float | None = None,
    ) -> Body: ...

    @overload
    def step(
        self,
        *,
        name: str = "",
        attempts: int = 3,
        pause_s: float = 1.0,
        timeout_s: float | None = None,
    ) -> Callable[[Body], Body]: ...

    def step(
        self,
        function: Any = None,
        *,
        name: str = "",
        attempts: int = 3,
        pause_s: float = 1.0,
        timeout_s: float | None = None,
    ) -> Any:
        """Declare a step: a function of a `TenantContext` and of what `run.step` is given.

        Args:
            function: a `def` or an `async def`; it returns JSON.
            name: by which engines know it; else the function's.
            attempts: how often it is tried before it has failed.
            pause_s: between the first two attempts; it doubles, up to a minute.
            timeout_s: of one attempt. Only of an `async def`: nothing can stop a thread.

        Raises:
            ConfigurationError: when another one has this name, or can't have this time-out.
        """

        def declared(function: Body) -> Body:
            given = named("step", name or function.__name__)
            if any(given == step.name for step in self._steps.values()):
                raise ConfigurationError(f"two steps are called {given!r}: give one a name=")
            if timeout_s is not None and not inspect.iscoroutinefunction(function):
                raise ConfigurationError(
                    f"the step {given!r} is a def, which nothing can stop: make it an async def, "
                    "or give what it calls a time-out"
                )
            self._steps[function] = Step(given, function, max(attempts, 1), pause_s, timeout_s)
            return function

        return declared if function is None else declared(function)

    def _name(self, workflow: Callable[..., Any] | str) -> str:
        if isinstance(workflow, str):
            return named("workflow", workflow)
        if workflow not in self._names:
            raise ConfigurationError(
                f"{getattr(workflow, '__qualname__', 'this')} is no workflow: put "
                "@tenancy.workflows.workflow above its definition"
            )
        return self._names[workflow]
