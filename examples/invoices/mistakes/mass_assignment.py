"""A request whose fields are the table's: the company among them.

The model of the request was written after the table, so that an import can send whole rows, and
all that a request says is put into the row. Where it names no company, it is the caller's.
"""

from __future__ import annotations

from uuid import UUID

from invoices import customers
from invoices.customers import CustomerOut, NewCustomer
from invoices.house import MAY_WRITE
from invoices.models import Customer

from .unwalled import Company, Unwalled, forget

forget(customers.router, customers.created)


class NewRow(NewCustomer):
    """A row of the table."""

    tenant_id: UUID | None = None


@customers.router.post("", status_code=201, dependencies=[MAY_WRITE])
def created(session: Unwalled, company: Company, new: NewRow) -> CustomerOut:
    """A new customer."""
    customer = Customer(**{"tenant_id": company, **new.model_dump(exclude_none=True)})
    session.add(customer)
    session.commit()
    return CustomerOut.model_validate(customer)
