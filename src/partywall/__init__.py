"""partywall builds the walls between the tenants of one application, and proves that they hold."""

from typing import TYPE_CHECKING, Any

from partywall.errors import (
    ConfigurationError,
    DeletedTenant,
    InactiveTenant,
    MissingTenant,
    MissingTenantFilter,
    PartywallError,
    PoolTimeout,
    TenantMismatch,
    UnknownTenant,
    UnsafeLogin,
    WallError,
)

if TYPE_CHECKING:
    from partywall.context import TenantContext
    from partywall.isolation import (
        DatabasePerTenant,
        FilePerTenant,
        RowSecurity,
        SchemaPerTenant,
        ScopedQueries,
    )
    from partywall.runtime.repository import TenantRepository
    from partywall.runtime.session import AsyncTenantSession, TenantSession
    from partywall.runtime.tables import TenantOwned
    from partywall.runtime.tenancy import Tenancy

__version__ = "0.1.0"

__all__ = [
    "AsyncTenantSession",
    "ConfigurationError",
    "DatabasePerTenant",
    "DeletedTenant",
    "FilePerTenant",
    "InactiveTenant",
    "MissingTenant",
    "MissingTenantFilter",
    "PartywallError",
    "PoolTimeout",
    "RowSecurity",
    "SchemaPerTenant",
    "ScopedQueries",
    "Tenancy",
    "TenantContext",
    "TenantMismatch",
    "TenantOwned",
    "TenantRepository",
    "TenantSession",
    "UnknownTenant",
    "UnsafeLogin",
    "WallError",
]

_LATER = {
    "AsyncTenantSession": "runtime.session",
    "DatabasePerTenant": "isolation",
    "FilePerTenant": "isolation",
    "RowSecurity": "isolation",
    "SchemaPerTenant": "isolation",
    "ScopedQueries": "isolation",
    "Tenancy": "runtime.tenancy",
    "TenantContext": "context",
    "TenantOwned": "runtime.tables",
    "TenantRepository": "runtime.repository",
    "TenantSession": "runtime.session",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    """Import what a name takes when it is first asked for.

    The survey works without SQLAlchemy, and pytest loads the plugin in runs that need none of this.
    """
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - for these names alone

    try:
        return getattr(import_module(f"partywall.{_LATER[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "sqlalchemy":
            raise
        raise ConfigurationError(
            f"partywall.{name} needs SQLAlchemy: pip install 'partywall[runtime]'"
        ) from error
