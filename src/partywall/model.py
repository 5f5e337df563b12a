"""The tenancy model of a database: how its walls are built and what belongs to whom.

A value: declared by the user, or detected by the survey (`partywall.survey.detect`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Isolation(Enum):
    """How the walls between tenants are built."""

    ROW_SECURITY = "row security"
    SCHEMA = "schema per tenant"
    DATABASE = "database per tenant"
    NONE = "no wall in the database"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Why the rows of a table belong to tenants.

    Attributes:
        kind: `column`: a column holds the tenant; `registry`: the table is the list of tenants,
            its key is the tenant; `parent`: only a foreign key leads to the tenant;
            `user`: a column holds the acting user; `schema`, `database`: the place decides.
        column: the column that decides, "" where the place does.
        parent: for `parent`, the qualified name of the table the foreign key leads to.
        reason: how it was found, for people.
    """

    kind: Literal["column", "registry", "parent", "user", "schema", "database"]
    column: str = ""
    parent: str = ""
    reason: str = ""


@dataclass(frozen=True)
class TenancyModel:
    """What a survey assumes about a database; shown before it runs.

    Attributes:
        owned: tenant-owned tables by qualified name.
        shared: tables whose rows belong to no tenant, by qualified name, with the reason.
        settings: names of the settings that carry the tenant, `request.jwt.claims` for instance.
        carried_by_role: whether the acting role differs between tenants.
        carried_by_path: whether the search_path differs between tenants.
        logins: login roles the application uses.
        schemas: schema per tenant: tenant key -> schema.
        context_columns: (qualified table, column) -> the SQL expression of the context that
            policies compare it with; evaluated as a tenant it yields what that tenant's rows hold.
        policy_literals: (qualified table, column) -> constants that policies and functions
            compare it with (`role = 'owner'`): preferred when rows are planted.
        null_columns: (qualified table, column) that views, policies or functions ask to be NULL
            (`deleted_at IS NULL`): left empty when rows are planted.
        notes: what else a reader should know, one sentence each.
    """

    isolation: Isolation
    owned: Mapping[str, Ownership]
    shared: Mapping[str, str]
    settings: tuple[str, ...] = ()
    carried_by_role: bool = False
    carried_by_path: bool = False
    logins: tuple[str, ...] = ()
    schemas: Mapping[str, str] = field(default_factory=dict)
    context_columns: Mapping[tuple[str, str], str] = field(default_factory=dict)
    policy_literals: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    null_columns: frozenset[tuple[str, str]] = frozenset()
    notes: tuple[str, ...] = ()

    @cached_property
    def contexts_by_table(self) -> dict[str, tuple[str, ...]]:
        """Columns that follow the context, by qualified table."""
        found: dict[str, list[str]] = {}
        for table, column in self.context_columns:
            found.setdefault(table, []).append(column)
        return {table: tuple(columns) for table, columns in found.items()}

    @cached_property
    def tenant_columns(self) -> frozenset[str]:
        """Names of the columns that hold the tenant in some table."""
        return frozenset(o.column for o in self.owned.values() if o.kind == "column")
