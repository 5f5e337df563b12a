"""What a statement asks of its parameters before it may be sent, and how a tenant is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Requirement:
    """The outcome of an analysis.

    Attributes:
        parameters: where the values stand that must be the tenant: names or positions.
        literals: constants of the statement that must be the tenant.
        refusal: why the statement can't be shown to stay with one tenant, with the mend; "" where
            it can, once the others are as required.
    """

    parameters: tuple[str | int, ...] = ()
    literals: tuple[str, ...] = ()
    refusal: str = ""


class Untied(Exception):  # noqa: N818 - no error: how the analyser stops, turned into a refusal
    """A statement can't be shown to stay with one tenant; the message is for the caller."""


@lru_cache(maxsize=1024)
def spellings(tenant: str) -> frozenset[str]:
    """The ways in which drivers write the tenant: SQLite's UUIDs are stored without hyphens.

    `ScopedQueries.enter` lets no two ids in of which one is a spelling of the other.
    """
    try:
        return frozenset({tenant, UUID(tenant).hex})
    except ValueError:
        return frozenset({tenant})


def names_tenant(value: object, tenant: str) -> bool:
    """Whether a parameter is the tenant's id.

    Of subclasses nobody knows what a driver makes of them; asyncpg's UUIDs are one that is known.
    """
    if type(value) is str:
        return value in spellings(tenant)
    if type(value) is int:
        return str(value) == tenant
    return isinstance(value, UUID) and str(value) == tenant
