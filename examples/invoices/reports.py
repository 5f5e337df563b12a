"""Reports: what a company has invoiced, added up in the background."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from partywall import TenantContext

from .house import MAY_WRITE, Context, Session, found, tenancy
from .models import Invoice, Report

router = APIRouter(prefix="/reports", tags=["reports"])


class ReportOut(BaseModel):
    """A report; its figures count once it is done."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    state: Literal["begun", "done"]
    invoices: int
    cents: int


@router.post("", status_code=202, dependencies=[MAY_WRITE])
async def begun(session: Session, context: Context, background: BackgroundTasks) -> ReportOut:
    """Begin a report; it is done a moment after the answer."""
    report = Report()
    session.add(report)
    await session.flush()
    background.add_task(add_up, context, report.id)
    return ReportOut.model_validate(report)


@router.get("/{report_id}")
async def shown(session: Session, report_id: UUID) -> ReportOut:
    """A report, as far as it is."""
    return ReportOut.model_validate(await found(session, Report, report_id))


async def add_up(context: TenantContext, report_id: UUID) -> None:
    """The work: in a session of its own, since the request's has ended, for the same company."""
    async with tenancy.async_session(context) as session:
        report = await session.get_one(Report, report_id)
        query = select(func.count(Invoice.id), func.coalesce(func.sum(Invoice.cents), 0))
        invoices, cents = (await session.execute(query)).one()
        report.state, report.invoices, report.cents = "done", invoices, int(cents)
