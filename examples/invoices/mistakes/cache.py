"""A cache whose key is the path: what was added up for one company, the next one gets.

The list is the same for all who ask at this address, it was thought: and so it is, within a
company. Cold it is sound: only who asks after another gets anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002 - read when the route is made

from invoices import debtors
from invoices.debtors import Debtor
from invoices.house import Context

from .unwalled import forget

if TYPE_CHECKING:
    from partywall import TenantContext

KEPT: dict[str, list[Debtor]] = {}

forget(debtors.router, debtors.listed)


@debtors.router.get("/debtors")
async def listed(request: Request, context: Context) -> list[Debtor]:
    """Who owes the company most, the first thousand."""
    path = request.url.path
    if path not in KEPT:
        KEPT[path] = await debtors.listed(context)
    return KEPT[path]


async def forgotten(context: TenantContext) -> None:
    """Let the list be made anew."""
    await debtors.owing.invalidate(context)
    KEPT.clear()


debtors.forgotten = forgotten
