"""Repositories: no method without its tenant, and no session out of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import select

from partywall import ConfigurationError, MissingTenant, TenantContext, TenantRepository, WallError
from tests.runtime.scoping.shop import ACME, GLOBEX, Note, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.runtime.scoping.shop import Shop

TAKEN_OUT = ("whole_session", "connection", "result", "scalars", "query", "generator")


class Notes(TenantRepository):
    table = "note"

    def bodies(self, context: TenantContext, prefix: str = "") -> list[str]:
        with self.session(context) as session:
            query = select(Note.body).where(Note.body.startswith(prefix)).order_by(Note.id)
            return list(session.scalars(query))

    async def async_bodies(self, context: TenantContext) -> list[str]:
        async with self.async_session(context) as session:
            return list(await session.scalars(select(Note.body).order_by(Note.id)))

    async def async_whole_session(self, context: TenantContext) -> object:
        async with self.async_session(context) as session:
            return session

    def whole_session(self, context: TenantContext) -> object:
        with self.session(context) as session:
            return session

    def connection(self, context: TenantContext) -> object:
        with self.session(context) as session:
            return session.connection()

    def result(self, context: TenantContext) -> object:
        with self.session(context) as session:
            return session.execute(select(Note.body))

    def scalars(self, context: TenantContext) -> object:
        with self.session(context) as session:
            return session.scalars(select(Note.body))

    def query(self, context: TenantContext) -> object:
        with self.session(context) as session:
            return session.query(Note)

    def generator(self, context: TenantContext) -> object:
        with self.session(context) as session:
            return (note for note in session.scalars(select(Note)))

    def _private(self) -> str:
        return self.table


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Shop]:
    found = opened(f"sqlite:///{tmp_path}/shop.db", asynchronous=False)
    yield found
    found.tenancy.close()
    found.plain.dispose()


def test_methods_work_in_the_tenants_session(house: Shop) -> None:
    notes = Notes(house.tenancy)
    assert notes.bodies(ACME) == ["a1", "a2"]
    assert notes.bodies(context=GLOBEX, prefix="b9") == ["b9"]
    assert notes._private() == "note"  # noqa: SLF001 - shown to be left alone

    async def main() -> list[str]:
        async with house.tenancy:
            return await notes.async_bodies(ACME)

    assert asyncio.run(main()) == ["a1", "a2"]


@pytest.mark.parametrize("name", TAKEN_OUT)
def test_nothing_of_the_session_comes_out(house: Shop, name: str) -> None:
    with pytest.raises(WallError, match=rf"Notes\.{name} returned"):
        getattr(Notes(house.tenancy), name)(ACME)


def test_nothing_of_an_async_session_comes_out(house: Shop) -> None:
    async def main() -> None:
        async with house.tenancy:
            with pytest.raises(WallError, match=r"Notes\.async_whole_session returned"):
                await Notes(house.tenancy).async_whole_session(ACME)

    asyncio.run(main())


@pytest.mark.parametrize("given", [None, "", ACME.tenant_id, {"tenant_id": ACME.tenant_id}])
def test_only_a_context_is_a_context(house: Shop, given: object) -> None:
    notes = Notes(house.tenancy)
    with pytest.raises(MissingTenant, match=r"Notes\.bodies needs"):
        notes.bodies(cast("TenantContext", given))
    with pytest.raises(MissingTenant, match=r"Notes\.async_bodies needs"):
        asyncio.run(notes.async_bodies(cast("TenantContext", given)))


def without(self: object) -> None: ...
def later(self: object, id_: int, context: TenantContext) -> None: ...
async def asynchronous(self: object) -> None: ...
def rows(self: object, context: TenantContext) -> Iterator[object]:
    yield from (self, context)


async def async_rows(self: object, context: TenantContext) -> AsyncIterator[object]:
    yield self, context


@pytest.mark.parametrize(
    "member",
    [
        without,
        later,
        asynchronous,
        rows,
        async_rows,
        property(without),
        staticmethod(without),
        classmethod(without),
    ],
)
def test_a_class_with_a_method_without_the_context_is_refused(member: object) -> None:
    with pytest.raises(ConfigurationError, match=r"Loose\.found"):
        type("Loose", (TenantRepository,), {"found": member})


def test_the_session_of_the_base_can_not_be_replaced() -> None:
    with pytest.raises(ConfigurationError, match=r"Loose\.session"):
        type("Loose", (TenantRepository,), {"session": rows})
