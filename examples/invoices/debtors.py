"""Debtors: what each customer owes, added up once for all who ask."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from partywall import TenantContext
from partywall.adapters.caching import cached

from .house import Context, store, tenancy
from .models import Customer, Invoice

router = APIRouter(tags=["reports"])

FRESH_S = 60.0


class Debtor(BaseModel):
    """A customer who has not paid everything."""

    model_config = ConfigDict(from_attributes=True)
    customer_id: UUID
    name: str
    cents: int


@router.get("/debtors")
async def listed(context: Context) -> list[Debtor]:
    """Who owes the company most, the first thousand."""
    return [Debtor.model_validate(each) for each in await owing(context)]


@cached(store, ttl_s=FRESH_S, by="tenant")
async def owing(context: TenantContext) -> list[dict[str, Any]]:
    """The list, kept for the company until its invoices or its customers change (`forgotten`)."""
    owed = func.sum(Invoice.cents)
    query = (
        select(Customer.id, Customer.name, owed)
        .join(Invoice, Invoice.customer_id == Customer.id)
        .where(Invoice.status != "paid")
        .group_by(Customer.id, Customer.name)
        .order_by(owed.desc(), Customer.id)
        .limit(1000)
    )
    async with tenancy.async_session(context) as session:
        rows = (await session.execute(query)).all()
    return [
        {"customer_id": str(id_), "name": name, "cents": int(cents)} for id_, name, cents in rows
    ]


async def forgotten(context: TenantContext) -> None:
    """Let the list be made anew; after the commit of what has changed."""
    await owing.invalidate(context)
