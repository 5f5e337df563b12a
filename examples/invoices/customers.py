"""Customers: whom a company writes invoices to."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from . import debtors
from .house import MAY_WRITE, Context, Session, found
from .models import Customer
from .texts import Line

router = APIRouter(prefix="/customers", tags=["customers"])


class CustomerIn(BaseModel):
    """What is said of a customer."""

    name: Line
    email: Line


class NewCustomer(CustomerIn):
    """A customer whose id the client may choose, so that a repeated request makes no second one."""

    id: UUID | None = None


class CustomerOut(CustomerIn):
    """A customer."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID


@router.get("")
async def listed(
    session: Session,
    email: Line | None = None,
    after: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[CustomerOut]:
    """The customers by id, those of one address perhaps; `after` is the last id one has seen."""
    query = select(Customer).order_by(Customer.id).limit(limit)
    if email is not None:
        query = query.where(Customer.email == email)
    if after is not None:
        query = query.where(Customer.id > after)
    return [CustomerOut.model_validate(each) for each in await session.scalars(query)]


@router.post("", status_code=201, dependencies=[MAY_WRITE])
async def created(session: Session, new: NewCustomer) -> CustomerOut:
    """A new customer."""
    customer = Customer(**new.model_dump(exclude_none=True))
    session.add(customer)
    await session.flush()
    return CustomerOut.model_validate(customer)


@router.get("/{customer_id}")
async def shown(session: Session, customer_id: UUID) -> CustomerOut:
    """One customer."""
    return CustomerOut.model_validate(await found(session, Customer, customer_id))


@router.put("/{customer_id}", dependencies=[MAY_WRITE])
async def changed(
    session: Session, context: Context, customer_id: UUID, new: CustomerIn
) -> CustomerOut:
    """A customer, with another name and address."""
    customer = await found(session, Customer, customer_id)
    customer.name, customer.email = new.name, new.email
    await session.commit()
    await debtors.forgotten(context)
    return CustomerOut.model_validate(customer)


@router.delete("/{customer_id}", status_code=204, dependencies=[MAY_WRITE])
async def deleted(session: Session, customer_id: UUID) -> None:
    """Delete a customer without invoices; one that has some stays, 409."""
    await session.delete(await found(session, Customer, customer_id))
