"""Tenants in FastAPI: one dependency, `TenantAccess`, that answers who acts for which tenant.

Nothing is implicit: a route has the dependency, or is marked `public`, or the application refuses
to start.
"""

from partywall.errors import ConfigurationError

try:
    import fastapi  # noqa: F401 - asked for here, so that its absence is named once
except ModuleNotFoundError as error:
    if error.name != "fastapi":
        raise
    raise ConfigurationError(
        "partywall.adapters.fastapi needs FastAPI: pip install 'partywall[fastapi]'"
    ) from error

from partywall.adapters.fastapi.access import TenantAccess
from partywall.adapters.fastapi.authenticating import Principal
from partywall.adapters.fastapi.problems import documented, problem
from partywall.adapters.fastapi.resolving import (
    CustomDomain,
    Header,
    Named,
    OnlyMembership,
    PathParam,
    Source,
    Subdomain,
)
from partywall.adapters.fastapi.router import control_router
from partywall.adapters.fastapi.routes import public

__all__ = [
    "CustomDomain",
    "Header",
    "Named",
    "OnlyMembership",
    "PathParam",
    "Principal",
    "Source",
    "Subdomain",
    "TenantAccess",
    "control_router",
    "documented",
    "problem",
    "public",
]
