"""The five isolation models: pure plans, which `partywall.runtime` executes."""

from partywall.isolation.database_per_tenant import DatabasePerTenant
from partywall.isolation.file_per_tenant import FilePerTenant
from partywall.isolation.plan import IsolationModel, Place
from partywall.isolation.row_security import RowSecurity
from partywall.isolation.schema_per_tenant import SchemaPerTenant
from partywall.isolation.scoped_queries import ScopedQueries

__all__ = [
    "DatabasePerTenant",
    "FilePerTenant",
    "IsolationModel",
    "Place",
    "RowSecurity",
    "SchemaPerTenant",
    "ScopedQueries",
]
