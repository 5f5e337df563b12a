"""DBOS: workflows kept in PostgreSQL or SQLite, run by the application's own processes.

`DbosWorks` runs the works of a control plane, `DbosWorkflows` an application's own workflows of its
tenants; both may live in one process, and share what DBOS has one of.
"""

from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from partywall.adapters.dbos.workflows import DbosWorkflows
    from partywall.adapters.dbos.works import DbosWorks

__all__ = ["DbosWorkflows", "DbosWorks"]

_LATER = {"DbosWorkflows": "workflows", "DbosWorks": "works"}


def __getattr__(name: str) -> Any:
    """Import what one of them takes when it is first asked for: the other takes other extras."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - for these names alone

    try:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "dbos":
            raise
        raise ConfigurationError(
            f"{name} needs DBOS and what a control plane needs: pip install 'partywall[control]'"
        ) from error
