"""A child that is read by its own id, after its parent was checked.

The path names both, `/invoices/{invoice_id}/comments/{comment_id}`, and the check of the invoice
looks as if it covered the comment. Nothing ties the one to the other.
"""

from __future__ import annotations

from uuid import UUID

from fastapi import HTTPException
from sqlalchemy import select

from invoices import comments
from invoices.comments import CommentOut
from invoices.models import Comment, Invoice

from .unwalled import Company, Unwalled, forget

forget(comments.router, comments.shown)


@comments.router.get("/invoices/{invoice_id}/comments/{comment_id}")
def shown(session: Unwalled, company: Company, invoice_id: UUID, comment_id: UUID) -> CommentOut:
    """One comment, of that invoice and no other."""
    own = select(Invoice.id).where(Invoice.id == invoice_id, Invoice.tenant_id == company)
    comment = session.scalar(select(Comment).where(Comment.id == comment_id))
    if session.scalar(own) is None or comment is None:
        raise HTTPException(404)
    return CommentOut.model_validate(comment)
