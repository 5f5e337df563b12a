"""What a job of a tenant looks like in procrastinate's table, and what a row of it says."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from partywall.adapters.envelope import digest
from partywall.adapters.executions import ENDED, Execution, cancelled, failed
from partywall.errors import ConfigurationError, MissingTenant, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from partywall.adapters.envelope import Envelopes
    from partywall.adapters.executions import Status
    from partywall.context import TenantContext

MARK = "partywall"

STATUSES: dict[str, Status] = {
    "todo": "waiting",
    "doing": "running",
    "succeeded": "succeeded",
    "failed": "failed",
}
"""procrastinate's own; what is not here was cancelled."""

UNENDED = object()


def written(value: object) -> str:
    """As JSON.

    Raises:
        ConfigurationError: for what JSON can't say.
    """
    try:
        return json.dumps(value)
    except (TypeError, ValueError) as error:  # what holds itself is the latter
        raise ConfigurationError(
            f"arguments and results of a tenant's task are what JSON can say ({error})"
        ) from error


def audience(name: str, execution_id: str, arguments: str) -> str:
    """What a job's envelope is sealed for: this task, this execution, these arguments."""
    return digest("job", name, execution_id, arguments)


def composed(
    envelopes: Envelopes,
    context: TenantContext,
    name: str,
    kwargs: Mapping[str, Any],
    execution_id: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """The id of a new execution, and the arguments of its job.

    They are text: `jsonb` writes numbers in its own way, and the seal is over what was written.
    """
    execution_id = execution_id or str(uuid.uuid4())
    arguments = written(kwargs)
    sealed = envelopes.sealed(context, audience=audience(name, execution_id, arguments))
    mark = {"id": execution_id, "tenant": context.tenant_id, "seal": sealed}
    return execution_id, {MARK: mark, "kwargs": arguments}


def opened(
    envelopes: Envelopes, name: str, args: Mapping[str, Any]
) -> tuple[TenantContext, dict[str, Any]]:
    """The context and the arguments of a job.

    Raises:
        MissingTenant, NotAuthenticated: when nothing proves that we wrote it.
    """
    mark, arguments = args.get(MARK), args.get("kwargs")
    if (
        not isinstance(mark, dict)
        or not isinstance(arguments, str)
        or args.keys() - {MARK, "kwargs"}
    ):
        raise MissingTenant("the job says nothing about its tenant: it was deferred past us")
    sealed_for = audience(name, str(mark.get("id")), arguments)
    context = envelopes.opened(mark.get("seal"), audience=sealed_for)
    if mark.get("tenant") != context.tenant_id:
        raise NotAuthenticated("the job says another tenant than its envelope")
    return context, json.loads(arguments)


def genuine(
    envelopes: Envelopes, context: TenantContext, row: Mapping[str, Any]
) -> Execution | None:
    """The execution that a row is; None where nothing proves that it is the tenant's."""
    try:
        owner, _ = opened(envelopes, row["task_name"], row["args"])
    except (MissingTenant, NotAuthenticated):
        return None
    if owner.tenant_id != context.tenant_id:
        return None
    status = STATUSES.get(row["status"], "cancelled")
    return Execution(row["args"][MARK]["id"], row["task_name"], status)


def outcome(found: Execution, row: Mapping[str, Any]) -> Any:
    """What an execution returned; `UNENDED` where it goes on.

    Raises:
        ExecutionFailed: when it failed, or was cancelled.
    """
    if found.status not in ENDED:
        return UNENDED
    if found.status != "succeeded":
        if found.status == "cancelled":
            raise cancelled(found.name)
        raise failed(found.name, row["reason"] or "")
    return json.loads(row["value"]) if row["value"] is not None else None
