"""What a body is given: the tenant's context, and the durable things it may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError, StepFailed
from partywall.runtime.workflows.engine import Call
from partywall.runtime.workflows.values import named, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.context import TenantContext
    from partywall.runtime.workflows.engine import AsyncPowers, Powers
    from partywall.runtime.workflows.sealing import Seal
    from partywall.runtime.workflows.values import Place, Step


class Running:
    """What the runs of sync and of async bodies share.

    Attributes:
        context: the tenant for whom this execution was started, and by whom.
        id: of the execution.
    """

    def __init__(
        self, context: TenantContext, place: Place, steps: Mapping[Any, Step], seal: Seal
    ) -> None:
        self.context = context
        self.id = place.id
        self._place = place
        self._steps = steps
        self._seal = seal
        self._taken = 0

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Call:
        step = self._steps.get(function)
        if step is None:
            name = getattr(function, "__qualname__", "this")
            raise ConfigurationError(
                f"{name} is no step: put @tenancy.workflows.step above its definition, which "
                "every process that runs workflows must have executed"
            )
        self._taken += 1
        text = written({"context": self.context.to_json(), "arguments": arguments})
        return Call(self._place, step, self._taken, text)

    def _result(self, call: Call, sealed: str) -> Any:
        bound = self._place.bound("outcome", call.step.name, call.number)
        outcome = json.loads(self._seal.open(sealed, bound))
        if "value" in outcome:
            return outcome["value"]
        raise StepFailed(outcome["message"], kind=outcome["kind"])

    def _told(self, name: str, sealed: str | None) -> Any:
        if sealed is None:
            raise TimeoutError
        return json.loads(self._seal.open(sealed, self._place.bound("signal", name)))


class Run(Running):
    """What the body of a workflow, a `def`, does durably.

    Everything else in a body is done again after a crash, so it only decides: what reads a clock,
    draws a number, asks a database or sends a mail is a step.
    """

    def __init__(self, powers: Powers, *known: Any) -> None:
        super().__init__(*known)
        self._powers = powers

    def step(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function(context, *arguments)`, and never again once it has returned.

        A process that dies in the middle has it called once more: let a step do what it does only
        once by a key of its own.

        Args:
            function: a step.
            arguments: JSON, as is what it returns.

        Raises:
            StepFailed: when it failed as often as it may.
            ConfigurationError: for a function that is no step.
        """
        call = self._call(function, arguments)
        return self._result(call, self._powers.step(call))

    def sleep(self, seconds: float) -> None:
        """Go on after so long, whatever dies meanwhile."""
        self._powers.sleep(seconds)

    def wait(self, name: str, *, timeout_s: float | None = None) -> Any:
        """The value of the next signal of this name.

        Raises:
            TimeoutError: when there was none in time.
        """
        return self._told(name, self._powers.wait(self._place, named("signal", name), timeout_s))


class AsyncRun(Running):
    """As `Run`, for a body that is an `async def`."""

    def __init__(self, powers: AsyncPowers, *known: Any) -> None:
        super().__init__(*known)
        self._powers = powers

    async def step(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """As `Run.step`; the function may be a `def`, which runs in a thread."""
        call = self._call(function, arguments)
        return self._result(call, await self._powers.step(call))

    async def sleep(self, seconds: float) -> None:
        """As `Run.sleep`."""
        await self._powers.sleep(seconds)

    async def wait(self, name: str, *, timeout_s: float | None = None) -> Any:
        """As `Run.wait`."""
        sealed = await self._powers.wait(self._place, named("signal", name), timeout_s)
        return self._told(name, sealed)
