"""Invoices: numbered for each company by itself, without a gap."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, update

from . import debtors
from .files import STORAGE, dropped
from .house import MAY_WRITE, Context, Session, found, plane
from .models import Counter, Customer, File, Invoice
from .texts import Line

router = APIRouter(prefix="/invoices", tags=["invoices"])

Status = Literal["draft", "sent", "paid"]


class InvoiceIn(BaseModel):
    """What is said of an invoice."""

    customer_id: UUID
    title: Line
    cents: Annotated[int, Field(ge=0, le=10**12)]
    status: Status = "draft"


class NewInvoice(InvoiceIn):
    """An invoice whose id the client may choose, so that a repeated request makes no second one."""

    id: UUID | None = None


class InvoiceOut(InvoiceIn):
    """An invoice."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    number: int


class Wanted(BaseModel):
    """Which invoices are wanted."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


@router.get("")
async def listed(
    session: Session,
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
    return [InvoiceOut.model_validate(each) for each in await session.scalars(query)]


@router.post("", status_code=201, dependencies=[MAY_WRITE])
async def created(session: Session, context: Context, new: NewInvoice) -> InvoiceOut:
    """A new invoice, with the next number."""
    await found(session, Customer, new.customer_id)
    # The row stays locked until the commit: nobody else gets this number, and none is left out.
    counted = update(Counter).where(Counter.name == "invoices").values(last=Counter.last + 1)
    number = await session.scalar(counted.returning(Counter.last))
    invoice = Invoice(number=number, **new.model_dump(exclude_none=True))
    session.add(invoice)
    await session.commit()
    await debtors.forgotten(context)
    return InvoiceOut.model_validate(invoice)


@router.post("/batch")
async def batch(session: Session, wanted: Wanted) -> list[InvoiceOut]:
    """Many invoices at once, by number; ids that the company doesn't have are left out."""
    query = select(Invoice).where(Invoice.id.in_(wanted.ids)).order_by(Invoice.number)
    return [InvoiceOut.model_validate(each) for each in await session.scalars(query)]


@router.get("/{invoice_id}")
async def shown(session: Session, invoice_id: UUID) -> InvoiceOut:
    """One invoice."""
    return InvoiceOut.model_validate(await found(session, Invoice, invoice_id))


@router.put("/{invoice_id}", dependencies=[MAY_WRITE])
async def changed(
    session: Session, context: Context, invoice_id: UUID, new: InvoiceIn
) -> InvoiceOut:
    """An invoice as it is said now, for another customer perhaps; its number stays."""
    invoice = await found(session, Invoice, invoice_id)
    await found(session, Customer, new.customer_id)
    for name, value in new.model_dump().items():
        setattr(invoice, name, value)
    await session.commit()
    await debtors.forgotten(context)
    return InvoiceOut.model_validate(invoice)


@router.delete("/{invoice_id}", status_code=204, dependencies=[MAY_WRITE])
async def deleted(session: Session, context: Context, invoice_id: UUID) -> None:
    """Delete an invoice, with its comments and its files."""
    invoice = await found(session, Invoice, invoice_id)
    await session.refresh(invoice, with_for_update=True)  # no file comes to it from now on
    query = select(File.id, File.size).where(File.invoice_id == invoice_id)
    gone = (await session.execute(query)).all()
    await session.delete(invoice)
    await session.commit()
    await debtors.forgotten(context)
    await dropped(context, [file_id for file_id, _ in gone])
    await plane.meter.async_give_back(context.tenant_id, STORAGE, sum(size for _, size in gone))
