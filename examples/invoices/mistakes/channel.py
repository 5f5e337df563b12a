"""One channel for all: everybody's comments go to everybody, and the page shows what it wants.

Which invoice a comment is about stands in the message, and a page looks at nothing else. Who reads
what comes through the socket sees it all.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import WebSocket, WebSocketDisconnect

from invoices import live as sound
from invoices.house import Context, found, tenancy
from invoices.models import Invoice

from .unwalled import forget

if TYPE_CHECKING:
    from invoices.comments import CommentOut
    from partywall import TenantContext

HERE: set[WebSocket] = set()

forget(sound.router, sound.live)


@sound.router.websocket("/invoices/{invoice_id}/live")
async def live(websocket: WebSocket, context: Context, invoice_id: UUID) -> None:
    """Each new comment on an invoice, until the client goes."""
    async with tenancy.async_session(context) as session:
        await found(session, Invoice, invoice_id)
    await websocket.accept()
    HERE.add(websocket)
    try:
        with suppress(WebSocketDisconnect):
            while True:
                await websocket.receive_text()
    finally:
        HERE.discard(websocket)


async def told(context: TenantContext, comment: CommentOut) -> None:
    """Tell all who are here."""
    del context
    for each in tuple(HERE):
        await each.send_json(comment.model_dump(mode="json"))


sound.told = told
