"""A refusal that tells what there is: 403 for another company's, 404 for nobody's.

The row is read first and its company looked at then, which is right as far as it goes; that the two
answers differ tells every caller which ids are taken.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import HTTPException
from sqlalchemy import select

from invoices import customers
from invoices.customers import CustomerOut
from invoices.models import Customer

from .unwalled import Company, Unwalled, forget

forget(customers.router, customers.shown)


@customers.router.get("/{customer_id}")
def shown(session: Unwalled, company: Company, customer_id: UUID) -> CustomerOut:
    """One customer."""
    customer = session.scalar(select(Customer).where(Customer.id == customer_id))
    if customer is None:
        raise HTTPException(404)
    if customer.tenant_id != company:
        raise HTTPException(403)
    return CustomerOut.model_validate(customer)
