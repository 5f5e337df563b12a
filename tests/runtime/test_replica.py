"""Sessions that only read go to the replica, and one's own writes are read on demand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from partywall import Tenancy
from partywall.errors import ConfigurationError
from partywall.servers import Replica, postgres, replica
from tests.conftest import Database
from tests.runtime.houses import ACME, BOTH, DRIVERS, GLOBEX, HOUSES
from tests.runtime.replicas import AT_ONCE, ask, paused, until_replayed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.isolation import IsolationModel
    from partywall.runtime.lease import Wishes

READ = text("SELECT body FROM notes ORDER BY id")
WRITE = text("INSERT INTO notes (id, body) VALUES (2, 'written')")
WHERE = text("SELECT pg_is_in_recovery()")


@pytest.fixture(scope="module")
def copy() -> Iterator[Replica]:
    with postgres(settings=AT_ONCE) as primary, replica(primary) as running:
        yield running


@pytest.fixture
def database(copy: Replica) -> Iterator[Database]:
    """A database of the primary, gone after the test, with its roles."""
    control = copy.primary
    ask(control, "CREATE DATABASE harbour")
    with psycopg.connect(control.url("harbour"), autocommit=True) as connection:
        yield Database(control, "harbour", connection)
    ask(control, "DROP DATABASE harbour WITH (FORCE)")
    ask(control, "DROP ROLE app")


@pytest.fixture(params=HOUSES)
def model(request: pytest.FixtureRequest, database: Database, copy: Replica) -> IsolationModel:
    made = HOUSES[request.param](database)
    until_replayed(copy)
    return made


def tenancy_of(copy: Replica, model: IsolationModel, driver: str = DRIVERS[0]) -> Tenancy:
    primary, second = (
        server.url("harbour", "app").replace("postgresql", driver, 1)
        for server in (copy.primary, copy)
    )
    return Tenancy(primary, model, replica=second)


@pytest.fixture
def tenancy(copy: Replica, model: IsolationModel) -> Iterator[Tenancy]:
    with tenancy_of(copy, model) as opened:
        yield opened


def on_replica(tenancy: Tenancy, **wishes: object) -> bool:
    with tenancy.session(ACME, **wishes) as session:  # type: ignore[arg-type]  # what a test wishes
        return bool(session.scalar(WHERE))


def written(tenancy: Tenancy) -> str:
    """A position after a write of ours."""
    with tenancy.session(ACME) as session:
        session.execute(WRITE)
    return tenancy.position(ACME)


def test_only_reading_goes_to_the_replica(tenancy: Tenancy) -> None:
    assert not on_replica(tenancy)
    assert not on_replica(tenancy, read_only=False)
    assert on_replica(tenancy, read_only=True)


def test_the_walls_stand_there_too(tenancy: Tenancy) -> None:
    for context in (*BOTH, *BOTH):
        with tenancy.session(context, read_only=True) as session:
            assert session.scalar(WHERE)
            assert list(session.scalars(READ)) == [context.tenant_id]


def test_one_connection_of_the_replica_serves_both_and_carries_nothing_over(
    tenancy: Tenancy,
) -> None:
    """The check-in runs on a server in recovery, which refuses much."""
    found = set()
    for context in BOTH:
        with tenancy.session(context, read_only=True) as session:
            found.add(session.scalar(text("SELECT pg_backend_pid()")))
            assert session.scalar(text("SHOW statement_timeout")) == "0"
            session.execute(text("SET statement_timeout = '77s'"))
    assert len(found) == 1


def test_writing_there_is_refused(tenancy: Tenancy) -> None:
    with (
        pytest.raises(DBAPIError, match="read-only"),
        tenancy.session(ACME, read_only=True) as session,
    ):
        session.execute(WRITE)


def test_without_a_replica_reading_is_the_primary_s_and_read_only(
    copy: Replica, model: IsolationModel
) -> None:
    with Tenancy(copy.primary.url("harbour", "app"), model) as tenancy:
        assert not on_replica(tenancy, read_only=True)
        with (
            pytest.raises(DBAPIError, match="read-only"),
            tenancy.session(ACME, read_only=True) as session,
        ):
            session.execute(WRITE)


def test_one_s_own_write_is_read_though_the_replica_is_behind(
    copy: Replica, tenancy: Tenancy
) -> None:
    with paused(copy):
        position = written(tenancy)
        with tenancy.session(ACME, read_only=True) as session:
            assert list(session.scalars(READ)) == [ACME.tenant_id]  # the risk that one takes
        with tenancy.session(ACME, read_only=True, not_before=position) as session:
            assert list(session.scalars(READ)) == [ACME.tenant_id, "written"]
            assert not session.scalar(WHERE)


def test_one_s_own_write_is_read_from_the_replica_once_it_is_there(
    copy: Replica, tenancy: Tenancy
) -> None:
    position = written(tenancy)
    ask(copy.primary, "CREATE TABLE later (); DROP TABLE later")  # a position may lie past a page
    until_replayed(copy)
    with tenancy.session(ACME, read_only=True, not_before=position) as session:
        assert list(session.scalars(READ)) == [ACME.tenant_id, "written"]
        assert session.scalar(WHERE)


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_same_for_async_code(copy: Replica, model: IsolationModel, driver: str) -> None:
    async def read(tenancy: Tenancy, wishes: Wishes) -> list[str]:
        async with tenancy.async_session(ACME, **wishes) as session:
            return list(await session.scalars(READ))

    async def main() -> None:
        async with tenancy_of(copy, model, driver) as tenancy:
            with paused(copy):
                async with tenancy.async_session(ACME) as session:
                    await session.execute(WRITE)
                position = await tenancy.async_position(ACME)
                reading: Wishes = {"read_only": True}
                assert await read(tenancy, reading) == [ACME.tenant_id]
                reading["not_before"] = position
                assert await read(tenancy, reading) == [ACME.tenant_id, "written"]
            ask(copy.primary, "CREATE TABLE later (); DROP TABLE later")
            until_replayed(copy)
            async with tenancy.async_session(GLOBEX, **reading) as session:
                assert await session.scalar(WHERE)

    asyncio.run(main())


@pytest.mark.parametrize("position", ["now", "0/0'; SELECT 1; --", "0/0\n", "0/123456789"])
def test_what_is_no_position_is_refused(tenancy: Tenancy, position: str) -> None:
    with pytest.raises(ConfigurationError, match="not_before="):
        on_replica(tenancy, read_only=True, not_before=position)
