"""Temporal: workflows kept by a server of its own, run by the application's processes.

`TemporalWorks` runs the works of a control plane, `TemporalWorkflows` an application's own
workflows of its tenants.
"""

from typing import TYPE_CHECKING

from partywall.adapters.late import late

if TYPE_CHECKING:
    from partywall.adapters.temporal.workflows import TemporalWorkflows
    from partywall.adapters.temporal.works import TemporalWorks

__all__ = ["TemporalWorkflows", "TemporalWorks"]

__getattr__ = late(
    __name__,
    {"TemporalWorkflows": "workflows", "TemporalWorks": "works"},
    {"temporalio": "Temporal's SDK: pip install 'partywall[temporal]'"},
)
