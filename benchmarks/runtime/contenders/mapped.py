"""The mapped classes of contenders that use SQLAlchemy."""

from __future__ import annotations

from sqlalchemy import String, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Of all of them."""


class Readable(Base):
    """What all have, whatever comes before it in the primary key."""

    __abstract__ = True
    id: Mapped[int] = mapped_column(primary_key=True, sort_order=1)
    body: Mapped[str] = mapped_column(sort_order=2)


class Bare(Readable):
    """Rows of all tenants, without walls."""

    __tablename__ = "rows_bare"
    tenant_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)


class Partywall(Readable):
    """The same behind partywall's policy."""

    __tablename__ = "rows_partywall"
    tenant_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)


class Sealed(Readable):
    """The same behind partywall's policy for sealed contexts."""

    __tablename__ = "rows_sealed"
    tenant_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)


class FastapiTenancy(Readable):
    """The same behind fastapi-tenancy's policy, which compares text."""

    __tablename__ = "rows_fastapi_tenancy"
    tenant_id: Mapped[str] = mapped_column(String, primary_key=True)


class SqlalchemyTenants(Readable):
    """The same behind sqlalchemy-tenants' policy."""

    __tablename__ = "rows_sqlalchemy_tenants"
    tenant: Mapped[str] = mapped_column(Uuid(as_uuid=False), primary_key=True)


class Note(Readable):
    """A table that stands in each tenant's schema, and once in `public`."""

    __tablename__ = "notes"
