"""Runs bodies and steps for an engine: opens what it kept, lets the tenant in, seals what is said.

Nothing here is kept from one execution to the next. A step runs in an empty `contextvars.Context`:
what is ambient in a worker is nobody's, and what a step leaves there is gone.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
from typing import TYPE_CHECKING, Any

from partywall.context import TenantContext
from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    ForgedExecution,
    StepFailed,
    TenantError,
    UnknownTenant,
    WallError,
)
from partywall.runtime.directory import refusal
from partywall.runtime.workflows.engine import Failed, NotNow, Outcome
from partywall.runtime.workflows.running import AsyncRun, Run
from partywall.runtime.workflows.values import Place, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from partywall.runtime.directory import Directory, Standing
    from partywall.runtime.workflows.engine import AsyncPowers, Call, Powers
    from partywall.runtime.workflows.sealing import Seal
    from partywall.runtime.workflows.values import Step, Workflow

LOG = logging.getLogger("partywall.workflows")

FINAL = (ConfigurationError, TenantError, WallError)
"""Errors that another attempt would only repeat."""


class Host:
    """What an engine is launched with.

    Args:
        workflows: by name.
        steps: by function.
        fired: starts what a schedule says: context, name of the workflow, argument, key.
    """

    def __init__(
        self,
        seal: Seal,
        directory: Directory | None,
        workflows: Mapping[str, Workflow],
        steps: Mapping[Any, Step],
        fired: Callable[[TenantContext, str, Any, str], object],
    ) -> None:
        self._seal = seal
        self._directory = directory
        self._fired = fired
        self._steps = dict(steps)
        self.workflows = dict(workflows)
        self.steps = {step.name: step for step in steps.values()}

    def play(
        self, place: Place, sealed: str, powers: Powers, passing: tuple[type[Exception], ...] = ()
    ) -> str:
        """Run the body of an execution to its end; its sealed result.

        Args:
            passing: errors that are the engine's own, and no failure of the body.

        Raises:
            Failed: when the body failed, was refused, or the tenant is gone.
        """
        try:
            context, argument = self._opened(place, sealed)
            powers.admit(place)
            run = Run(powers, context, place, self._steps, self._seal)
            body = self.workflows[place.workflow].body
            value = contextvars.copy_context().run(body, run, argument)
            return self._seal.seal(written(value), place.bound("result"))
        except passing:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it has ended the execution
            raise Failed(self._failure(error, place.bound("failure"))) from None

    async def async_play(
        self,
        place: Place,
        sealed: str,
        powers: AsyncPowers,
        passing: tuple[type[Exception], ...] = (),
    ) -> str:
        """As `play`, for a body that is an `async def`."""
        try:
            context, argument = self._opened(place, sealed)
            await powers.admit(place)
            run = AsyncRun(powers, context, place, self._steps, self._seal)
            value = await self.workflows[place.workflow].body(run, argument)
            return self._seal.seal(written(value), place.bound("result"))
        except passing:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            raise Failed(self._failure(error, place.bound("failure"))) from None

    def admit(self, tenant: str) -> None:
        """Ask the directory whether the tenant may be entered now.

        Raises:
            NotNow: when it may be later: it is suspended, provisioned, or nobody can say.
            UnknownTenant, DeletedTenant: when it never will be.
        """
        if self._directory is None:
            return
        try:
            standing = self._directory.standing(tenant)
        except Exception as error:
            raise NotNow from error
        judge(standing)

    async def async_admit(self, tenant: str) -> None:
        """As `admit`, for async code."""
        if self._directory is None:
            return
        try:
            standing = await self._directory.async_standing(tenant)
        except Exception as error:
            raise NotNow from error
        judge(standing)

    def sealed(self, call: Call) -> str:
        """The arguments of a step that is taken elsewhere."""
        return self._seal.seal(call.arguments, call.bound)

    def act(self, call: Call, attempt: int) -> Outcome:
        """Take a step that is a `def`, once.

        Raises:
            NotNow: when the tenant may not be entered at this moment.
        """
        try:
            context, arguments = self._asked(call)
            self.admit(call.place.tenant)
            value = contextvars.Context().run(call.step.function, context, *arguments)
            return self._returned(call, value)
        except Exception as error:  # noqa: BLE001 - an error is an outcome
            return self._raised(call, attempt, error)

    async def async_act(self, call: Call, attempt: int) -> Outcome:
        """Take a step that is an `async def`, or a `def` in a thread, once."""
        if not call.step.asynchronous:
            return await asyncio.to_thread(self.act, call, attempt)
        try:
            context, arguments = self._asked(call)
            await self.async_admit(call.place.tenant)
            async with asyncio.timeout(call.step.timeout_s):
                value = await asyncio.get_running_loop().create_task(
                    call.step.function(context, *arguments), context=contextvars.Context()
                )
            return self._returned(call, value)
        except Exception as error:  # noqa: BLE001 - as above
            return self._raised(call, attempt, error)

    def due(self, tenant: str, name: str, sealed: str, firing: str) -> None:
        """Start what a schedule says, unless that firing has started it already.

        Raises:
            ForgedExecution: when the schedule is not what was put there.
        """
        bound = ("schedule", tenant, name)
        kept = json.loads(self._seal.open(sealed, bound))
        context = TenantContext.from_json(kept["context"])
        try:
            self._fired(context, kept["workflow"], kept["argument"], f"{name} {firing}")
        except TenantError as error:
            LOG.warning("a schedule was passed over: %s", type(error).__name__)

    def _opened(self, place: Place, sealed: str) -> tuple[TenantContext, Any]:
        kept = json.loads(self._seal.open(sealed, place.bound("input")))
        return held(place, kept["context"]), kept["argument"]

    def _asked(self, call: Call) -> tuple[TenantContext, list[Any]]:
        text = self._seal.open(call.arguments, call.bound) if call.sealed else call.arguments
        asked = json.loads(text)
        return held(call.place, asked["context"]), asked["arguments"]

    def _returned(self, call: Call, value: Any) -> Outcome:
        bound = call.place.bound("outcome", call.step.name, call.number)
        return Outcome(self._seal.seal(written({"value": value}), bound))

    def _raised(self, call: Call, attempt: int, error: Exception) -> Outcome:
        bound = call.place.bound("outcome", call.step.name, call.number)
        final = attempt >= call.step.attempts or isinstance(error, FINAL)
        pause_s = None if final else call.step.pause_after(attempt)
        return Outcome(self._failure(error, bound), pause_s)

    def _failure(self, error: Exception, bound: tuple[str, ...]) -> str:
        """An error as text: its class need not be there where it is read."""
        kind = error.kind if isinstance(error, StepFailed) else type(error).__name__
        return self._seal.seal(written({"kind": kind, "message": str(error)}), bound)


def held(place: Place, serialised: str) -> TenantContext:
    """The context that was sealed, held against the place it is used at.

    Raises:
        ForgedExecution: when it is another tenant's.
    """
    context = TenantContext.from_json(serialised)
    if context.tenant_id != place.tenant:
        raise ForgedExecution("the context of this execution is that of another tenant")
    return context


def judge(standing: Standing | None) -> None:
    """Whether a tenant that stands so is let in: now, later or never."""
    error = refusal(standing)
    if isinstance(error, (DeletedTenant, UnknownTenant)):
        raise error
    if error is not None:
        raise NotNow from error
