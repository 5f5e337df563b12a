"""Functions that a test lets be cached; of a module, since others can't be."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from partywall.context import TenantContext

CALLS: Counter[str] = Counter()


def totals(context: TenantContext, year: int, *, currency: str = "EUR") -> dict[str, Any]:
    """What a tenant has."""
    CALLS["totals"] += 1
    return {"tenant": context.tenant_id, "year": year, "in": currency}


async def async_totals(
    context: TenantContext, year: int, *, currency: str = "EUR"
) -> dict[str, Any]:
    """As `totals`."""
    return totals(context, year, currency=currency)


def mine(context: TenantContext) -> list[str]:
    """What depends on who asks."""
    CALLS["mine"] += 1
    return [context.user_id, *sorted(context.permissions)]


async def async_mine(context: TenantContext) -> list[str]:
    """As `mine`."""
    return mine(context)


def anything(context: TenantContext, /, *args: object, **kwargs: object) -> int:
    """How often it was called."""
    del context, args, kwargs
    CALLS["anything"] += 1
    return CALLS["anything"]


def a_tuple(context: TenantContext) -> object:
    """What JSON hasn't."""
    return (context.tenant_id, 1)


def not_a_number(context: TenantContext) -> object:
    """What JSON hasn't."""
    del context
    return float("nan")


def a_date(context: TenantContext) -> object:
    """What JSON hasn't."""
    del context
    return dt.date(2026, 1, 1)


def no_context(year: int) -> int:
    """Nobody's."""
    return year


def second(year: int, context: TenantContext) -> int:
    """Somebody's, told too late."""
    del context
    return year


def named_only(*, context: TenantContext) -> str:
    """Somebody's, told by name."""
    return context.tenant_id


def unannotated(context):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - the case
    """Nobody knows whose."""
    return context


def nothing() -> int:
    """Nobody's."""
    return 1


class Owner:
    """Has a method."""

    def totals(self, context: TenantContext) -> str:
        """Its first parameter is no context."""
        return context.tenant_id
