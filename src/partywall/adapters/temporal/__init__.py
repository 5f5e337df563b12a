"""Temporal: workflows kept by a server of its own, run by the application's processes.

`TemporalWorks` runs the works of a control plane, `TemporalWorkflows` an application's own
workflows of its tenants.
"""

from typing import TYPE_CHECKING, Any

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from partywall.adapters.temporal.workflows import TemporalWorkflows
    from partywall.adapters.temporal.works import TemporalWorks

__all__ = ["TemporalWorkflows", "TemporalWorks"]

_LATER = {"TemporalWorkflows": "workflows", "TemporalWorks": "works"}


def __getattr__(name: str) -> Any:
    """Import what one of them takes when it is first asked for: the other takes other extras."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - for these names alone

    try:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "temporalio":
            raise
        raise ConfigurationError(
            f"{name} needs Temporal's SDK: pip install 'partywall[temporal]'"
        ) from error
