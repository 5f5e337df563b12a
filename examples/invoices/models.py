"""The tables: declared once, for every isolation model."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from partywall import RowSecurity, TenantOwned
from partywall.runtime.tables import wall

from .settings import settings

TENANT = ("tenant_id",) if settings.shared_tables else ()
"""What leads every key where companies share tables; their own tables need no such column."""


class Base(DeclarativeBase):
    """Every table of a company."""


class Apart:
    """A class whose table each company has for itself."""


if TYPE_CHECKING or settings.shared_tables:  # noqa: SIM108 - type checkers take one branch
    Owned = TenantOwned
else:
    Owned = Apart


def belongs_to(table: str, column: str, *, with_it: bool = False) -> ForeignKeyConstraint:
    """A foreign key that can't leave the company.

    Args:
        table: whose row is meant.
        column: the column that holds its id.
        with_it: whether a row goes with the one that it belongs to; else that one has to stay.
    """
    return ForeignKeyConstraint(
        [*TENANT, column],
        [f"{table}.{key}" for key in (*TENANT, "id")],
        ondelete="CASCADE" if with_it else None,
    )


class Customer(Owned, Base):
    """Somebody who gets invoices."""

    __tablename__ = "customers"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    email: Mapped[str]


class Invoice(Owned, Base):
    """What a customer owes; each company counts its invoices for itself."""

    __tablename__ = "invoices"
    __table_args__ = (
        belongs_to("customers", "customer_id"),
        UniqueConstraint(*TENANT, "number"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[int]
    customer_id: Mapped[UUID]
    title: Mapped[str]
    cents: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(default="draft")


class Comment(Owned, Base):
    """What somebody of the company has to say about an invoice."""

    __tablename__ = "comments"
    __table_args__ = (belongs_to("invoices", "invoice_id", with_it=True),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    invoice_id: Mapped[UUID]
    author: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[dt.datetime] = mapped_column(
        DateTime(timezone=True), default=lambda: dt.datetime.now(dt.UTC)
    )


class File(Owned, Base):
    """A file that belongs to an invoice; what stands in it is kept beside the database."""

    __tablename__ = "files"
    __table_args__ = (belongs_to("invoices", "invoice_id", with_it=True),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    invoice_id: Mapped[UUID]
    name: Mapped[str]
    size: Mapped[int]


class Report(Owned, Base):
    """What a company has invoiced, added up."""

    __tablename__ = "reports"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    state: Mapped[str] = mapped_column(default="begun")
    invoices: Mapped[int] = mapped_column(default=0)
    cents: Mapped[int] = mapped_column(BigInteger, default=0)


class Counter(Owned, Base):
    """The last number that was given out; a new company begins with one row for its invoices."""

    __tablename__ = "counters"
    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


walls = settings.walls()
if isinstance(walls, RowSecurity):
    wall(Base.metadata, walls)
