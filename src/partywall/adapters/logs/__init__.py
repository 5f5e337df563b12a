"""The tenant in each line of a log, from the context that is passed on, and from nothing else.

`partywall.adapters.logs.structlog` is the same for structlog.
"""

from partywall.adapters.logs.stamp import Stamp
from partywall.adapters.logs.standard import OneLine, TenantFilter, TenantLogger, tenant_logger

__all__ = ["OneLine", "Stamp", "TenantFilter", "TenantLogger", "tenant_logger"]
