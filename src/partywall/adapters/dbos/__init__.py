"""DBOS: workflows kept in PostgreSQL or SQLite, run by the application's own processes.

`DbosWorks` runs the works of a control plane, `DbosWorkflows` an application's own workflows of its
tenants; both may live in one process, and share what DBOS has one of.
"""

from typing import TYPE_CHECKING

from partywall.adapters.late import late

if TYPE_CHECKING:
    from partywall.adapters.dbos.workflows import DbosWorkflows
    from partywall.adapters.dbos.works import DbosWorks

__all__ = ["DbosWorkflows", "DbosWorks"]

__getattr__ = late(
    __name__,
    {"DbosWorkflows": "workflows", "DbosWorks": "works"},
    {"dbos": "DBOS and what a control plane needs: pip install 'partywall[control]'"},
)
