"""The connection that one tenant used is lent to the next: nothing of the first is left on it."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from partywall.errors import WallError
from tests.runtime.breakin.house import ACME, GLOBEX, ROWS, House, said

if TYPE_CHECKING:
    from partywall.runtime.session import TenantSession

INSERT = "INSERT INTO note (id, body) VALUES (3, 'acme 3')"


class Stop(BaseException):
    """As a cancelled task or an interrupt: no `Exception`."""


def same_backend(house: House, before: int) -> bool:
    """Whether the other tenant gets the server's process that the first one had.

    Databases of their own never share one: there the first tenant asks again.
    """
    apart = house.tenancy.isolation.place(GLOBEX) is not None
    return house.backend(ACME if apart else GLOBEX) == before


def test_after_success(house: House) -> None:
    before = house.backend(ACME)
    house.say(ACME, INSERT)
    assert same_backend(house, before)
    assert house.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]
    assert house.foundation.rows(ACME) == {**ROWS[ACME.tenant_id], 3: "acme 3"}


def test_after_an_error(house: House) -> None:
    before = house.backend(ACME)
    with pytest.raises(DBAPIError):
        house.say(ACME, INSERT, "SELECT 1 / 0")
    assert same_backend(house, before)
    house.intact()


def test_after_an_error_of_the_application(house: House) -> None:
    before = house.backend(ACME)

    def act(session: TenantSession) -> None:
        said(session, INSERT)
        raise LookupError

    with pytest.raises(LookupError):
        house.work(ACME, act)
    assert same_backend(house, before)
    house.intact()


def test_after_what_stops_a_block_anywhere_the_connection_is_gone(house: House) -> None:
    before = house.backend(ACME)

    def act(session: TenantSession) -> None:
        said(session, INSERT)
        raise Stop

    with pytest.raises(Stop):
        house.work(ACME, act)
    assert not same_backend(house, before)
    house.intact()


def test_after_a_time_out_of_the_server(house: House) -> None:
    before = house.backend(ACME)
    with pytest.raises(DBAPIError, match="statement timeout"):
        house.say(ACME, INSERT, "SET statement_timeout = 5", "SELECT pg_sleep(30)")
    assert same_backend(house, before)
    assert house.say(GLOBEX, "SHOW statement_timeout") == [("0",)]
    house.intact()


@pytest.mark.parametrize("house", ["psycopg-async", "asyncpg"], indirect=True)
def test_after_a_cancelled_statement(house: House) -> None:
    before = house.backend(ACME)
    reached = asyncio.Event()

    async def slow() -> None:
        async with house.tenancy.async_session(ACME) as session:
            await session.execute(text(INSERT))
            reached.set()
            await session.execute(text("SELECT pg_sleep(30)"))

    async def main() -> None:
        task = asyncio.create_task(slow())
        await reached.wait()
        await asyncio.sleep(0)  # to the statement
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    house.run(main())
    assert not same_backend(house, before)
    house.intact()


@pytest.mark.parametrize("house", ["psycopg-async", "asyncpg"], indirect=True)
def test_a_time_out_that_the_block_survives_commits_nothing_silently(house: House) -> None:
    async def slow() -> None:
        async with house.tenancy.async_session(ACME) as session:
            await session.execute(text(INSERT))
            try:
                async with asyncio.timeout(0.05):
                    await session.execute(text("SELECT pg_sleep(30)"))
            except TimeoutError:
                pass

    with pytest.raises(Exception) as refused:  # noqa: PT011 - each driver has its own
        house.run(slow())
    assert not isinstance(refused.value, TimeoutError)
    house.intact()


def test_after_a_rollback_to_a_savepoint(house: House) -> None:
    before = house.backend(ACME)

    def act(session: TenantSession) -> dict[int, str]:
        said(session, INSERT)
        with pytest.raises(DBAPIError), session.begin_nested():
            said(session, "UPDATE note SET body = 'lost'", "SELECT 1 / 0")
        return dict(said(session, "SELECT id, body FROM note"))

    kept = {**ROWS[ACME.tenant_id], 3: "acme 3"}
    assert house.work(ACME, act) == kept
    assert same_backend(house, before)
    assert house.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]
    assert house.foundation.rows(ACME) == kept


def test_commit_and_rollback_in_mid_request_enter_again(house: House) -> None:
    def act(session: TenantSession) -> dict[object, object]:
        said(session, INSERT)
        session.commit()
        said(session, "UPDATE note SET body = 'lost'")
        session.rollback()
        return dict(said(session, "SELECT id, body FROM note"))

    kept = {**ROWS[ACME.tenant_id], 3: "acme 3"}
    assert house.work(ACME, act) == kept
    assert house.rows(GLOBEX) == ROWS[GLOBEX.tenant_id]
    assert house.foundation.rows(ACME) == kept


def test_a_swallowed_error_is_no_commit(house: House) -> None:
    """A server answers the COMMIT of a failed transaction with a rollback, and no error."""

    def act(session: TenantSession) -> None:
        said(session, INSERT)
        with pytest.raises(DBAPIError):
            said(session, "SELECT 1 / 0")

    with pytest.raises(WallError, match="failed"):
        house.work(ACME, act)
    house.intact()


def test_a_killed_backend_is_replaced(house: House) -> None:
    before = house.backend(ACME)
    kill = f"SELECT pg_terminate_backend({before}, 5000)"

    def act(session: TenantSession) -> None:
        said(session, INSERT)
        assert house.foundation.owner(ACME, kill) == [(True,)]
        said(session, "SELECT 1")

    with pytest.raises(DBAPIError):
        house.work(ACME, act)
    assert not same_backend(house, before)
    house.intact()


def test_a_backend_killed_while_idle_costs_at_most_one_error(house: House) -> None:
    before = house.backend(ACME)
    house.foundation.owner(ACME, f"SELECT pg_terminate_backend({before}, 5000)")
    with suppress(DBAPIError):
        house.say(ACME, "SELECT 1")
    assert not same_backend(house, before)
    house.intact()


def test_a_serialisation_failure_at_commit_leaves_nothing(house: House) -> None:
    """The COMMIT itself fails here, and with it the check-in in the same message."""

    def act(session: TenantSession) -> None:
        said(session, "SET lock_timeout = '7s'", "SELECT count(*) FROM note", INSERT)
        house.foundation.owner(ACME, "SELECT 1")
        said(session, "CREATE TEMP TABLE p (i int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        said(session, "INSERT INTO p VALUES (1), (1)")

    with pytest.raises(DBAPIError, match="duplicate key"):
        house.work(ACME, act)
    assert house.say(ACME, "SHOW lock_timeout") == [("0",)]
    assert house.say(GLOBEX, "SHOW lock_timeout") == [("0",)]
    house.intact()


@pytest.mark.parametrize("how", ["success", "error", "stop", "swallowed"])
def test_whatever_ends_a_block_the_tenants_stay_apart(any_house: House, how: str) -> None:
    house = any_house

    def act(session: TenantSession) -> None:
        session.execute(insert(house.note), [{"id": 3, "body": "acme 3"}])
        if how == "error":
            raise LookupError
        if how == "stop":
            raise Stop
        if how == "swallowed":
            with pytest.raises(IntegrityError), session.begin_nested():
                session.execute(insert(house.note), [{"id": 3, "body": "again"}])

    lost = {"error": LookupError, "stop": Stop}.get(how)
    with pytest.raises(lost) if lost else nullcontext():
        house.work(ACME, act)
    acmes = ROWS[ACME.tenant_id] | ({} if lost else {3: "acme 3"})
    for context, rows in ((GLOBEX, ROWS[GLOBEX.tenant_id]), (ACME, acmes)):
        assert house.rows(context) == house.foundation.rows(context) == rows
