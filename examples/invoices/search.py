"""Search, over all that a company has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import or_, select

from .house import Session
from .models import Comment, Customer, File, Invoice
from .texts import Line

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute

router = APIRouter(tags=["search"])

Kind = Literal["customer", "invoice", "comment", "file"]

PLACES: dict[Kind, list[InstrumentedAttribute[str]]] = {
    "customer": [Customer.name, Customer.email],
    "invoice": [Invoice.title],
    "comment": [Comment.body],
    "file": [File.name],
}
"""Where is looked; the first column is what a hit shows."""


class Hit(BaseModel):
    """Something that was found."""

    kind: Kind
    id: UUID
    text: str


@router.get("/search")
async def search(
    session: Session, q: Line, limit: Annotated[int, Query(ge=1, le=50)] = 20
) -> list[Hit]:
    """What contains `q`, in capitals or not; as many of each kind as `limit` says."""
    hits: list[Hit] = []
    for kind, columns in PLACES.items():
        # A parameter, never a part of the SQL; % and _ in it are letters like all others.
        matching = [column.icontains(q, autoescape=True) for column in columns]
        key = columns[0].class_.id
        query = select(key, columns[0]).where(or_(*matching)).order_by(key).limit(limit)
        hits += [Hit(kind=kind, id=id_, text=text) for id_, text in await session.execute(query)]
    return hits
