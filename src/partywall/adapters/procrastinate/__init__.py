"""Tasks of tenants on procrastinate: a context in every job, verified before the body runs.

The context is the task's first argument, and nowhere else. procrastinate's tables lie in a schema
of their own under a login of their own, which the login of the tenants' sessions can't read.
"""

from partywall.errors import ConfigurationError

try:
    import procrastinate  # noqa: F401 - asked for here, so that its absence is named once
except ModuleNotFoundError as error:
    if error.name != "procrastinate":
        raise
    raise ConfigurationError(
        "partywall.adapters.procrastinate needs procrastinate: "
        "pip install 'partywall[procrastinate]'"
    ) from error

from partywall.adapters.envelope import Envelopes
from partywall.adapters.executions import Execution, Limits
from partywall.adapters.procrastinate.tasks import TenantTasks

__all__ = ["Envelopes", "Execution", "Limits", "TenantTasks"]
