"""Export: all that a company has, as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import select

from partywall.runtime.session import AsyncTenantSession, TenantSession

from .comments import CommentOut
from .customers import CustomerOut
from .files import FileOut
from .house import Session
from .invoices import InvoiceOut
from .models import Base, Comment, Customer, File, Invoice

if TYPE_CHECKING:
    from pydantic import BaseModel

router = APIRouter(tags=["export"])

MEDIA_TYPE = "application/x-ndjson"
KINDS: dict[type[Base], type[BaseModel]] = {
    Customer: CustomerOut,
    Invoice: InvoiceOut,
    Comment: CommentOut,
    File: FileOut,
}


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
async def export(session: Session) -> StreamingResponse:
    """Everything, each line with its `kind`, as it is read: it is never in memory as a whole."""
    return StreamingResponse(lines(session), media_type=MEDIA_TYPE)


async def lines(session: AsyncTenantSession) -> AsyncIterator[str]:
    """The lines, from the session that lives until the last of them is sent."""
    for entity in KINDS:
        query = select(entity).order_by(entity.id).execution_options(yield_per=100)
        async for row in await session.stream_scalars(query):
            yield line(row)


def lines_now(session: TenantSession) -> Iterator[str]:
    """The same, for code that blocks."""
    for entity in KINDS:
        query = select(entity).order_by(entity.id).execution_options(yield_per=100)
        yield from map(line, session.scalars(query))


def line(row: Base) -> str:
    """One row."""
    told = KINDS[type(row)].model_validate(row).model_dump(mode="json")
    return json.dumps({"kind": type(row).__name__.lower(), **told}) + "\n"
