"""A pooled connection that stays with the company that it was opened for.

What a connection is told once, it knows until it is closed; the pool lends it to whoever comes
next. With `SET` on PostgreSQL it is the same: a setting of the session outlives the transaction.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from invoices import invoices
from invoices.invoices import InvoiceOut, Status
from invoices.models import Invoice

from .unwalled import ENGINE, Company, forget

forget(invoices.router, invoices.listed)


@invoices.router.get("")
def listed(
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
    if status is not None:
        query = query.where(Invoice.status == status)
    with ENGINE.connect() as connection, Session(connection) as session:
        known: UUID = connection.info.setdefault("company", company)
        query = query.where(Invoice.tenant_id == known)
        return [InvoiceOut.model_validate(each) for each in session.scalars(query)]
