"""A shop in SQLAlchemy's declarative classes, and its database with the walls of row security."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, MetaData, UniqueConstraint, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from partywall import RowSecurity, TenantOwned
from partywall.isolation.hardening import hardening
from partywall.runtime.tables import Walls, wall

if TYPE_CHECKING:
    from tests.conftest import Database

SHARED = frozenset({"plans", "countries"})


class Base(DeclarativeBase):
    """All tables of the shop."""

    metadata = MetaData()


class Plan(Base):
    """What every tenant may read."""

    __tablename__ = "plans"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Country(Base):
    __tablename__ = "countries"
    code: Mapped[str] = mapped_column(primary_key=True)


class User(TenantOwned, Base):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plans.id"))
    orders: Mapped[list[Order]] = relationship(back_populates="user")


class Product(TenantOwned, Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    __table_args__ = (Index("products_by_name", func.lower("name")),)


class Order(TenantOwned, Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    placed_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    memo: Mapped[str] = mapped_column(default="")
    user: Mapped[User | None] = relationship(back_populates="orders")
    lines: Mapped[list[Line]] = relationship(back_populates="order", cascade="all, delete-orphan")


class Line(TenantOwned, Base):
    __tablename__ = "lines"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int] = mapped_column(default=1)
    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()
    __table_args__ = (UniqueConstraint("order_id", "product_id", name="once_an_order"),)


class Tag(TenantOwned, Base):
    __tablename__ = "tags"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    label: Mapped[str] = mapped_column(unique=True)


class Tagging(TenantOwned, Base):
    __tablename__ = "taggings"
    tag_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tags.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)


class Setting(TenantOwned, Base):
    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


WALLS: Walls = wall(Base.metadata, RowSecurity(shared=SHARED))
"""Declared once, as an application does when it starts."""

VIEW = """
CREATE VIEW open_orders WITH (security_invoker) AS
SELECT o.tenant_id, o.id, o.memo, u.email
FROM orders o LEFT JOIN users u ON (u.tenant_id, u.id) = (o.tenant_id, o.user_id);
GRANT SELECT ON open_orders TO app;
"""


def built(database: Database) -> None:
    """Make the tables as a role that owns them, and the login `app` that doesn't."""
    database.execute("CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN")
    database.execute(f"GRANT CREATE ON DATABASE {database.name} TO keeper")
    database.execute("GRANT CREATE, USAGE ON SCHEMA public TO keeper")
    engine = create_engine(database.url("keeper").replace("postgresql:", "postgresql+psycopg:"))
    Base.metadata.create_all(engine)
    engine.dispose()
    for statement in (*WALLS.grants("app"), VIEW, *hardening(database.name)):
        database.execute(statement)
