"""Scoped queries: the application-enforced model, for databases without row security."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from partywall.errors import ConfigurationError, MissingTenant
from partywall.isolation.naming import identifier, qualified
from partywall.isolation.plan import IsolationModel

if TYPE_CHECKING:
    from partywall.context import TenantContext

NUMBER = re.compile(
    r"(?:0[xob][0-9a-f_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9_]+)?)\Z", re.IGNORECASE
)
"""What a database may take for a number: SQLite in any text, PostgreSQL 16 with underscores."""

LARGEST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class ScopedQueries(IsolationModel):
    """Every statement is tied to the tenant before it is sent.

    The walls stand in the application: who gets past it, to the driver or to the database, meets
    none. Prefer `RowSecurity` where the database has it.

    Attributes:
        column: the column that holds the tenant, in every tenant-owned table; its type and its
            collation must tell any two ids apart.
        shared: tables whose rows every tenant may read, named as statements name them. All other
            tables, and views, are tenants'.
        writable: those of *shared* that tenants may write as well.
        functions: functions that statements may call beyond the plain ones of SQL.

    Raises:
        ConfigurationError: for a name that can't be, or a writable table that is not shared.
    """

    dialects: ClassVar[frozenset[str]] = frozenset({"postgresql", "sqlite"})
    column: str = "tenant_id"
    shared: AbstractSet[str] = frozenset()
    writable: AbstractSet[str] = frozenset()
    functions: AbstractSet[str] = frozenset()

    def __post_init__(self) -> None:
        """Hold the declaration to names, and what may be written to what may be read."""
        for name in ("shared", "writable", "functions"):
            object.__setattr__(self, name, frozenset(getattr(self, name)))
        identifier(self.column)
        for name in (*self.shared, *self.functions):
            qualified(name)
        if stray := sorted(self.writable - self.shared):
            raise ConfigurationError(
                f"{', '.join(stray)}: writable names shared tables: add them to shared="
            )

    def enter(self, context: TenantContext) -> tuple[str, ...]:
        """Nothing is sent; an id is refused that a database could take for another tenant's.

        Raises:
            MissingTenant: for a UUID or a number that is not written in the one usual way.
        """
        if context.tenant_id != usual(context.tenant_id):
            raise MissingTenant(
                "the tenant id is a UUID or a number in an unusual form, which a database could "
                "take for another tenant's: write UUIDs in lower case with hyphens, and numbers "
                "up to 2**63 - 1 in plain digits"
            )
        return ()

    def settings(self) -> dict[str, str]:
        """A backslash in a literal is one, as the analysis of statements reads it."""
        return {"standard_conforming_strings": "on"}


def usual(tenant: str) -> str:
    """How a UUID or a number is usually written; any other id as it is."""
    try:
        return str(UUID(tenant))
    except ValueError:
        pass
    if not NUMBER.match(tenant):
        return tenant
    return str(int(tenant)) if tenant.isdigit() and int(tenant) <= LARGEST else ""
