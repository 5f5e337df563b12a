"""A filter that replaces the company instead of narrowing it.

Whoever wrote it thought that a customer belongs to one company anyway, so that a list of a
customer's invoices needs no other condition; and that nobody knows the ids of others' customers.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import select

from invoices import invoices
from invoices.invoices import InvoiceOut, Status
from invoices.models import Invoice

from .unwalled import Company, Unwalled, forget

forget(invoices.router, invoices.listed)


@invoices.router.get("")
def listed(
    session: Unwalled,
    company: Company,
    customer_id: UUID | None = None,
    status: Status | None = None,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[InvoiceOut]:
    """The invoices by number, of a customer or a status perhaps, that come `after` a number."""
    query = select(Invoice).where(Invoice.number > after).order_by(Invoice.number).limit(limit)
    if customer_id is not None:
        query = query.where(Invoice.customer_id == customer_id)
    else:
        query = query.where(Invoice.tenant_id == company)
    if status is not None:
        query = query.where(Invoice.status == status)
    return [InvoiceOut.model_validate(each) for each in session.scalars(query)]
