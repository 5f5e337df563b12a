"""Comments on invoices."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict
from sqlalchemy import select

from partywall.errors import Unavailable

from . import live
from .house import MAY_WRITE, Context, Session, found
from .models import Comment, Invoice
from .texts import Text

router = APIRouter(tags=["comments"])

Moment = Annotated[dt.datetime, AfterValidator(lambda moment: moment.replace(tzinfo=dt.UTC))]
"""SQLite keeps no time zone; what is written is always UTC."""


class CommentIn(BaseModel):
    """What somebody says."""

    body: Text


class CommentOut(CommentIn):
    """A comment."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    invoice_id: UUID
    author: str
    written_at: Moment


@router.get("/invoices/{invoice_id}/comments")
async def listed(session: Session, invoice_id: UUID) -> list[CommentOut]:
    """What was said about an invoice, the oldest first; the first thousand."""
    await found(session, Invoice, invoice_id)
    query = select(Comment).where(Comment.invoice_id == invoice_id).order_by(Comment.written_at)
    return [CommentOut.model_validate(each) for each in await session.scalars(query.limit(1000))]


@router.post("/invoices/{invoice_id}/comments", status_code=201, dependencies=[MAY_WRITE])
async def written(
    session: Session, context: Context, invoice_id: UUID, new: CommentIn
) -> CommentOut:
    """Say something about an invoice."""
    await found(session, Invoice, invoice_id)
    comment = Comment(invoice_id=invoice_id, author=context.user_id, body=new.body)
    session.add(comment)
    await session.commit()
    told = CommentOut.model_validate(comment)
    with suppress(Unavailable):  # those who listen were told that they may have missed something
        await live.told(context, told)
    return told


@router.get("/invoices/{invoice_id}/comments/{comment_id}")
async def shown(session: Session, invoice_id: UUID, comment_id: UUID) -> CommentOut:
    """One comment, of that invoice and no other."""
    comment = await found(session, Comment, comment_id)
    if comment.invoice_id != invoice_id:
        raise HTTPException(404)
    return CommentOut.model_validate(comment)


@router.delete("/comments/{comment_id}", status_code=204, dependencies=[MAY_WRITE])
async def deleted(session: Session, comment_id: UUID) -> None:
    """Take a comment back."""
    await session.delete(await found(session, Comment, comment_id))
