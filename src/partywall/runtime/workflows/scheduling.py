"""Schedules: workflows that are started for a tenant again and again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from partywall.errors import ConfigurationError, UnknownExecution
from partywall.runtime.workflows.declaring import Declaring
from partywall.runtime.workflows.values import Schedule, named, prefix, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from partywall.context import TenantContext
    from partywall.runtime.workflows.engine import Engine
    from partywall.runtime.workflows.sealing import Seal

CRON_FIELDS = 5


class Scheduling(Declaring):
    """Keeps each tenant's schedules apart, and holds what the engine kept to what was put there."""

    _engine: Engine
    _seal: Seal
    _admit: Callable[[TenantContext], object]

    def schedule(
        self,
        context: TenantContext,
        workflow: Callable[..., Any] | str,
        cron: str,
        argument: Any = None,
        *,
        name: str = "",
        timezone: str = "UTC",
    ) -> Schedule:
        """Start a workflow for the tenant whenever *cron* says, instead of what had this name.

        A firing for which the tenant may not be entered is passed over.

        Args:
            context: the tenant, and as whom it is started.
            workflow: the function, or its name.
            cron: minute, hour, day of the month, month, day of the week.
            argument: JSON.
            name: of the schedule, unique in the tenant; else the workflow's.
            timezone: in which *cron* is read.

        Raises:
            ConfigurationError: when *cron* or *timezone* is none.
        """
        self._admit(context)
        known = self._name(workflow)
        if len(cron.split()) != CRON_FIELDS:
            raise ConfigurationError(
                "a cron has five fields: minute, hour, day of the month, month, day of the week"
            )
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder of them: Europe
            raise ConfigurationError(f"{timezone!r} is no time zone: say Europe/Berlin") from error
        made = Schedule(named("schedule", name or known), known, cron, timezone)
        text = {"workflow": known, "cron": cron, "timezone": timezone, "argument": argument}
        sealed = self._seal.seal(
            written({**text, "context": context.to_json()}), bound_to(context, made.name)
        )
        self._engine.schedule(context.tenant_id, made, sealed)
        return made

    def schedules(self, context: TenantContext) -> list[Schedule]:
        """The tenant's schedules and nobody else's, by name.

        Raises:
            ForgedExecution: when the engine keeps another one than was put there.
        """
        self._admit(context)
        tenant = context.tenant_id
        return sorted(
            (
                self._scheduled(context, key.removeprefix(prefix(tenant)), sealed)
                for key, sealed in self._engine.schedules(tenant)
                if key.startswith(prefix(tenant))
            ),
            key=lambda each: each.name,
        )

    def unschedule(self, context: TenantContext, name: str) -> None:
        """Forget a schedule of the tenant; nothing where it has none of this name."""
        self._admit(context)
        self._engine.unschedule(context.tenant_id, named("schedule", name))

    def fire(self, context: TenantContext, name: str) -> None:
        """Let a schedule do now what it does when it is due.

        Raises:
            UnknownExecution: when the tenant has no schedule of this name.
        """
        self._admit(context)
        if not self._engine.fire(context.tenant_id, named("schedule", name)):
            raise UnknownExecution("there is no schedule by this name")

    def _scheduled(self, context: TenantContext, name: str, sealed: str) -> Schedule:
        kept = json.loads(self._seal.open(sealed, bound_to(context, name)))
        return Schedule(name, kept["workflow"], kept["cron"], kept["timezone"])


def bound_to(context: TenantContext, name: str) -> tuple[str, str, str]:
    """What a schedule is sealed to."""
    return ("schedule", context.tenant_id, name)
