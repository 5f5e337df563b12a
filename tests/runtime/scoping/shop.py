"""A shop of two tenants in tables that they share, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    Column,
    Engine,
    ForeignKeyConstraint,
    Table,
    Uuid,
    create_engine,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship

from partywall import ScopedQueries, Tenancy, TenantContext
from partywall.runtime.scoping import ScopedSession

T = TypeVar("T")

ACME = TenantContext("00000000-0000-0000-0000-00000000000a")
GLOBEX = TenantContext("00000000-0000-0000-0000-00000000000b")
MINE, THEIRS = UUID(ACME.tenant_id), UUID(GLOBEX.tenant_id)
MODEL = ScopedQueries(shared={"plan", "visit"}, writable={"visit"})


class Base(DeclarativeBase):
    """The tables of the shop."""


class Plan(Base):
    __tablename__ = "plan"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    notes: Mapped[list[Note]] = relationship(back_populates="plan")


class Visit(Base):
    __tablename__ = "visit"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


marked = Table(
    "marked",
    Base.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("note_id", primary_key=True),
    Column("tag_id", primary_key=True),
    ForeignKeyConstraint(["tenant_id", "note_id"], ["note.tenant_id", "note.id"]),
    ForeignKeyConstraint(["tenant_id", "tag_id"], ["tag.tenant_id", "tag.id"]),
)


class Tag(Base):
    __tablename__ = "tag"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    notes: Mapped[list[Note]] = relationship(secondary=marked, back_populates="tags")


class Line(Base):
    __tablename__ = "line"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "note_id"], ["note.tenant_id", "note.id"]),
    )
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note_id: Mapped[int]
    note: Mapped[Note] = relationship(back_populates="lines")


class Note(Base):
    __tablename__ = "note"
    __table_args__ = (ForeignKeyConstraint(["plan_id"], ["plan.id"]),)
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str]
    plan_id: Mapped[int | None]
    plan: Mapped[Plan | None] = relationship(back_populates="notes")
    lines: Mapped[list[Line]] = relationship(back_populates="note")
    tags: Mapped[list[Tag]] = relationship(secondary=marked, back_populates="notes")
    if TYPE_CHECKING:
        size: Mapped[int]


SIZE = select(func.count(Line.id)).where(Line.note_id == Note.id).correlate_except(Line)
Note.size = column_property(SIZE.scalar_subquery())


def fill(engine: Engine) -> None:
    """Two notes for each tenant, under the same keys; one more for the other. No others."""
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))
        connection.execute(insert(Plan), [{"id": 1, "name": "basic"}, {"id": 2, "name": "more"}])
        for tenant, notes in ((MINE, (1, 2)), (THEIRS, (1, 2, 9))):
            own: dict[str, Any] = {"tenant_id": tenant}
            for id_ in notes:
                row = {**own, "id": id_, "body": f"{tenant.hex[-1]}{id_}", "plan_id": 1}
                connection.execute(insert(Note.__table__), row)  # type: ignore[arg-type]  # a Table
                for line in (id_ * 10, id_ * 10 + 1):
                    connection.execute(insert(Line), {**own, "id": line, "note_id": id_})
            connection.execute(insert(Tag), {**own, "id": 1})
            connection.execute(insert(marked), {**own, "note_id": 1, "tag_id": 1})


@dataclass(frozen=True)
class Shop:
    """A filled database, the way in for its tenants, and one for who must see all."""

    tenancy: Tenancy
    plain: Engine
    asynchronous: bool

    def as_acme(self, work: Callable[[ScopedSession], T]) -> T:
        """The outcome of *work* in a session of Acme, in async code where that is meant."""
        return self.as_tenant(ACME, work)

    def as_tenant(self, context: TenantContext, work: Callable[[ScopedSession], T]) -> T:
        """The outcome of *work* in a session of the tenant."""
        if not self.asynchronous:
            with self.tenancy.session(context) as session:
                return work(scoped(session))

        async def main() -> T:
            try:
                async with self.tenancy.async_session(context) as session:
                    return await session.run_sync(lambda given: work(scoped(given)))
            finally:
                await self.tenancy.async_close()

        return run(main())

    def notes(self, tenant: UUID) -> dict[int, str]:
        """What the tenant's table really holds."""
        table = Note.__table__
        query = select(table.c.id, table.c.body).where(table.c.tenant_id == tenant)
        with self.plain.connect() as connection:
            return {row.id: row.body for row in connection.execute(query)}


def scoped(session: object) -> ScopedSession:
    """The session, known to be a scoped one."""
    assert isinstance(session, ScopedSession)
    return session


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run *work* in a loop of its own."""
    return asyncio.run(work)


def opened(url: str, *, asynchronous: bool) -> Shop:
    """A shop filled anew, at an address without tables or with those of another shop."""
    plain = create_engine(url.replace("asyncpg", "psycopg"))
    fill(plain)
    return Shop(Tenancy(url, MODEL), plain, asynchronous)
