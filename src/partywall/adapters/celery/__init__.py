"""Tasks of tenants on Celery: a context in every message, verified before the body runs.

The context is the task's first argument, and nowhere else: not in a thread, not in a global.
"""

from partywall.errors import ConfigurationError

try:
    import celery  # noqa: F401 - asked for here, so that its absence is named once
    import redis  # noqa: F401 - as above
except ModuleNotFoundError as error:
    if error.name not in {"celery", "redis"}:
        raise
    raise ConfigurationError(
        "partywall.adapters.celery needs Celery and Redis: pip install 'partywall[celery]'"
    ) from error

from partywall.adapters.celery.tasks import TenantTasks
from partywall.adapters.envelope import Envelopes
from partywall.adapters.executions import Execution, Limits

__all__ = ["Envelopes", "Execution", "Limits", "TenantTasks"]
