"""An export that reads one kind of row through a join, and leaves the company to the join.

Comments have to do with invoices, and invoices with the company: the join looks like the condition,
but no side of it names a company.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi.responses import StreamingResponse
from sqlalchemy import select

from invoices import export as sound
from invoices.models import Comment, Customer, File, Invoice

from .unwalled import Company, Unwalled, forget

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sqlalchemy.orm import Session

forget(sound.router, sound.export)


@sound.router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {sound.MEDIA_TYPE: {}}}},
)
def export(session: Unwalled, company: Company) -> StreamingResponse:
    """Everything, each line with its `kind`, as it is read: it is never in memory as a whole."""
    return StreamingResponse(lines(session, company), media_type=sound.MEDIA_TYPE)


def lines(session: Session, company: UUID) -> Iterator[str]:
    """The lines, from the session that lives until the last of them is sent."""
    queries: dict[Any, Any] = {
        Customer: select(Customer).where(Customer.tenant_id == company),
        Invoice: select(Invoice).where(Invoice.tenant_id == company),
        Comment: select(Comment).join(Invoice, Comment.invoice_id == Invoice.id),
        File: select(File).where(File.tenant_id == company),
    }
    for entity, query in queries.items():
        for row in session.scalars(query.order_by(entity.id)):
            told = sound.KINDS[entity].model_validate(row).model_dump(mode="json")
            yield json.dumps({"kind": entity.__name__.lower(), **told}) + "\n"
