"""A search whose conditions lack brackets: `company AND name OR address`.

AND binds more tightly than OR, so that the company is asked for with a name and not with an
address. It came with the second column that is looked in; every test looked for a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from sqlalchemy import select

from invoices import search as sound
from invoices.models import Comment, Customer, File, Invoice
from invoices.search import Hit, Kind
from invoices.texts import Line

from .unwalled import Company, Unwalled, forget

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute

forget(sound.router, sound.search)


@sound.router.get("/search")
def search(
    session: Unwalled, company: Company, q: Line, limit: Annotated[int, Query(ge=1, le=50)] = 20
) -> list[Hit]:
    """What contains `q`, in capitals or not; as many of each kind as `limit` says."""

    def holds(column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
        return column.icontains(q, autoescape=True)

    matching: dict[Kind, ColumnElement[bool]] = {
        "customer": (Customer.tenant_id == company) & holds(Customer.name) | holds(Customer.email),
        "invoice": (Invoice.tenant_id == company) & holds(Invoice.title),
        "comment": (Comment.tenant_id == company) & holds(Comment.body),
        "file": (File.tenant_id == company) & holds(File.name),
    }
    hits: list[Hit] = []
    for kind, condition in matching.items():
        shown = sound.PLACES[kind][0]
        key = shown.class_.id
        query = select(key, shown).where(condition).order_by(key).limit(limit)
        hits += [Hit(kind=kind, id=id_, text=text) for id_, text in session.execute(query)]
    return hits
