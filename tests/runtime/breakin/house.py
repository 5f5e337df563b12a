"""Two tenants behind one isolation model, on one driver: so that an attempt is written once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    String,
    Uuid,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from partywall import Tenancy, TenantContext
from partywall.isolation import ScopedQueries

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Unpack

    from partywall.isolation import IsolationModel
    from partywall.runtime.lease import Wishes
    from partywall.runtime.session import TenantSession

T = TypeVar("T")

ACME = TenantContext("00000000-0000-0000-0000-00000000000a")
GLOBEX = TenantContext("00000000-0000-0000-0000-00000000000b")
ROWS = {
    ACME.tenant_id: {1: "acme 1", 2: "acme 2", 8: "acme alone"},
    GLOBEX.tenant_id: {1: "globex 1", 2: "globex 2", 9: "globex alone"},
}
"""What each tenant's table `note` holds when a test begins: the same keys, and one of its own."""

MINE = text("current_setting('app.tenant_id')::uuid")


class Owned(DeclarativeBase):
    """Tables that tenants share: the tenant leads every key."""


class Note(Owned):
    __tablename__ = "note"
    tenant_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=MINE)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(String)
    lines: Mapped[list[Line]] = relationship(back_populates="note")


class Line(Owned):
    __tablename__ = "line"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "note_id"], ["note.tenant_id", "note.id"]),
    )
    tenant_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=MINE)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note_id: Mapped[int]
    note: Mapped[Note] = relationship(back_populates="lines")


class Apart(DeclarativeBase):
    """Tables of which each tenant has its own."""


class OwnNote(Apart):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(String)
    lines: Mapped[list[OwnLine]] = relationship(back_populates="note")


class OwnLine(Apart):
    __tablename__ = "line"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note_id: Mapped[int] = mapped_column(ForeignKey("note.id"))
    note: Mapped[OwnNote] = relationship(back_populates="lines")


@dataclass(frozen=True)
class Foundation:
    """A model on a real database, provisioned for two tenants.

    Attributes:
        model: how the tenants are kept apart.
        url: where the application logs in.
        owner: statements as the superuser, who sees the rows of the tenant; autocommitting.
    """

    model: IsolationModel
    url: str
    owner: Callable[[TenantContext, str], list[tuple[Any, ...]]]

    def rows(self, context: TenantContext) -> dict[int, str]:
        """The tenant's notes, as they really are."""
        query = "SELECT id, body FROM note"
        if hasattr(self.model, "column"):
            query += f" WHERE tenant_id = '{self.spelt(context)}'"
        return dict(self.owner(context, query))

    def spelt(self, context: TenantContext) -> str:
        """The tenant as its column holds it; in SQLite SQLAlchemy writes a UUID without hyphens."""
        return UUID(context.tenant_id).hex if self.url.startswith("sqlite") else context.tenant_id

    def fill(self) -> None:
        """Give both tenants the rows that every test begins with."""
        shared = hasattr(self.model, "column")
        for number, context in enumerate((ACME, GLOBEX)):
            given, column = (f"'{self.spelt(context)}', ", "tenant_id, ") if shared else ("", "")
            if not (shared and number):
                self.owner(context, "DELETE FROM line; DELETE FROM note")
            for id_, body in ROWS[context.tenant_id].items():
                self.owner(
                    context,
                    f"INSERT INTO note ({column}id, body) VALUES ({given}{id_}, '{body}');"
                    f"INSERT INTO line ({column}id, note_id) VALUES ({given}{id_}, {id_})",
                )


@dataclass
class House:
    """One tenancy, with a pool of one connection so that tenants certainly share it."""

    DRIVERS: ClassVar[tuple[str, ...]] = ("psycopg", "psycopg-async", "asyncpg")
    LOCAL: ClassVar[tuple[str, ...]] = ("sqlite", "aiosqlite")

    foundation: Foundation
    driver: str
    connections: int = 1
    tenancy: Tenancy = field(init=False)
    runner: asyncio.Runner = field(init=False)

    def __post_init__(self) -> None:
        scheme = "postgresql+asyncpg" if self.driver == "asyncpg" else "postgresql"
        self.tenancy = Tenancy(
            self.foundation.url.replace("postgresql", scheme, 1),
            self.foundation.model,
            connections=self.connections,
            timeout_s=5,
        )
        self.runner = asyncio.Runner()

    @property
    def asynchronous(self) -> bool:
        """Whether the driver is for async code."""
        return self.driver not in {"psycopg", "sqlite"}

    @property
    def raw(self) -> bool:
        """Whether a server keeps the tenants apart, so that any SQL may be tried."""
        return not self.scoped and self.driver in self.DRIVERS

    @property
    def scoped(self) -> bool:
        """Whether the application keeps the tenants apart."""
        return isinstance(self.foundation.model, ScopedQueries)

    @property
    def shared(self) -> bool:
        """Whether the tenants' rows share tables."""
        return hasattr(self.foundation.model, "column")

    @property
    def note(self) -> type[Any]:
        """The class of notes."""
        return Note if self.shared else OwnNote

    @property
    def line(self) -> type[Any]:
        """The class of lines."""
        return Line if self.shared else OwnLine

    def key(self, context: TenantContext, id_: int) -> Any:  # noqa: ANN401 - as the mapper has it
        """The whole primary key of a tenant's row."""
        return (UUID(context.tenant_id), id_) if self.shared else id_

    def work(
        self,
        context: TenantContext,
        act: Callable[[TenantSession], T],
        **wishes: Unpack[Wishes],
    ) -> T:
        """One block of a session of the tenant, in which *act* is done."""
        if self.asynchronous:
            return self.runner.run(self.async_work(context, act, **wishes))
        with self.tenancy.session(context, **wishes) as session:
            return act(session)

    async def async_work(
        self,
        context: TenantContext,
        act: Callable[[TenantSession], T],
        **wishes: Unpack[Wishes],
    ) -> T:
        """As `work`, within a loop that runs."""
        async with self.tenancy.async_session(context, **wishes) as session:
            return await session.run_sync(act)  # type: ignore[arg-type]  # it is a TenantSession

    def say(self, context: TenantContext, *statements: str) -> list[tuple[Any, ...]]:
        """A block in which the tenant says *statements*; the rows of the last one."""
        return self.work(context, lambda session: said(session, *statements))

    def backend(self, context: TenantContext) -> int:
        """The server's process behind the pool's connection."""
        return int(self.say(context, "SELECT pg_backend_pid()")[0][0])

    def rows(self, context: TenantContext) -> dict[int, str]:
        """The tenant's notes, as the tenant sees them."""
        return self.work(context, self.seen)

    def seen(self, session: TenantSession) -> dict[int, str]:
        """The notes, as a session of the tenant sees them."""
        if not self.scoped:
            return dict(said(session, "SELECT id, body FROM note"))
        query = select(self.note.id, self.note.body)
        return dict(tuple(row) for row in session.execute(query))

    def intact(self) -> None:
        """Both tenants see all of their rows and none else, and the database holds the same."""
        for context in (GLOBEX, ACME, GLOBEX):
            assert self.rows(context) == ROWS[context.tenant_id]
            assert self.foundation.rows(context) == ROWS[context.tenant_id]

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Run async code in the loop of this house's connections."""
        return self.runner.run(doing)

    def close_pool(self) -> None:
        """Close every connection."""
        if self.asynchronous:
            self.runner.run(self.tenancy.async_close())
        self.tenancy.close()

    def close(self) -> None:
        """Close every connection, and the loop."""
        self.close_pool()
        self.runner.close()


def said(session: TenantSession, *statements: str) -> list[tuple[Any, ...]]:
    """Execute *statements* one by one as they are; the rows of the last one."""
    rows: list[tuple[Any, ...]] = []
    for statement in statements:
        result = session.connection().exec_driver_sql(statement)
        rows = [tuple(row) for row in result] if result.returns_rows else []
    return rows
