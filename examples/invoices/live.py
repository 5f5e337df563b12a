"""Live comments: whoever looks at an invoice sees what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import APIRouter, WebSocket

from .house import Context, channels, found, tenancy
from .models import Invoice

if TYPE_CHECKING:
    from partywall import TenantContext

    from .comments import CommentOut

router = APIRouter(tags=["comments"])


@router.websocket("/invoices/{invoice_id}/live")
async def live(websocket: WebSocket, context: Context, invoice_id: UUID) -> None:
    """Each new comment on an invoice, until the client goes or may hear no more."""
    async with tenancy.async_session(context) as session:  # a socket that is open holds none
        await found(session, Invoice, invoice_id)
    async with channels.socket(websocket, context) as socket:
        await socket.subscribe(channel(invoice_id))
        async for _ in socket:
            pass


async def told(context: TenantContext, comment: CommentOut) -> None:
    """Tell those of the company who look at the invoice; after the commit, for they may read it."""
    await channels.publish(context, channel(comment.invoice_id), comment.model_dump(mode="json"))


def channel(invoice_id: UUID) -> str:
    """What those hear who look at an invoice; each company has its own of this name."""
    return f"invoices/{invoice_id}/comments"
