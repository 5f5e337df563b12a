"""Memory is good for as long as nothing can have been missed: races, breaks, silence, forks."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from partywall.control.access import Access
from partywall.control.database import CHANNEL, Database
from partywall.control.tables import tenants
from partywall.errors import Unavailable
from partywall.servers import pgbouncer
from tests.control.directory import (
    ACME,
    ADA,
    GLOBEX,
    NAME,
    OF_ACME,
    SECRET,
    administering,
    change,
    from_memory,
    furnish,
    listeners,
    name,
    queries,
    rename,
    until,
)
from tests.control.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from partywall.servers import Postgres

on_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
on_sqlite = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
HEARTBEAT_S = 0.2


@pytest.fixture
def access(house: Database) -> Iterator[Access]:
    furnish(house)
    with Access(house, heartbeat_s=HEARTBEAT_S) as opened:
        assert opened.ready()
        yield opened


@contextmanager
def held_after_reading(house: Database, of: str) -> Iterator[Callable[[], float]]:
    """A block in which a query of the table *of* is answered, and its reader then waits.

    Yields:
        What waits until a reader is held; leaving the block lets it go on.
    """
    read, go_on = threading.Event(), threading.Event()

    def hold(*told: object) -> None:
        if not read.is_set() and f"{of}.id" in str(told[2]):  # the first one only
            read.set()
            assert go_on.wait(10)

    event.listen(house.engine, "after_cursor_execute", hold)
    try:
        yield lambda: until(read.is_set)
    finally:
        go_on.set()


def test_what_was_read_before_a_change_is_not_kept_after_it(
    access: Access, house: Database
) -> None:
    name(access, GLOBEX)
    with ThreadPoolExecutor(1) as threads:
        with held_after_reading(house, "tenants") as held:
            reader = threads.submit(name, access)
            held()
            change(
                house,
                tenants.update().values(name="Renamed"),
                OF_ACME,
                SECRET,
                f"tenant:{GLOBEX}",
            )
            until(lambda: name(access, GLOBEX) == "Renamed")  # which is how one sees it was heard
        assert reader.result() == "Acme"
    assert name(access) == "Renamed"


@on_postgresql
def test_what_was_read_before_another_change_is_kept(access: Access, house: Database) -> None:
    """Or nothing ever would be, where tenants come and go all the time."""
    name(access, GLOBEX)
    with ThreadPoolExecutor(1) as threads:
        with held_after_reading(house, "tenants") as held:
            reader = threads.submit(name, access)
            held()
            rename(house, "Renamed", GLOBEX)
            until(lambda: name(access, GLOBEX) == "Renamed")
        assert reader.result() == "Acme"
    with queries(house) as made:
        assert name(access) == "Acme"
    assert made == []


@on_postgresql
def test_who_was_nobody_when_it_was_read_may_be_somebody(access: Access, house: Database) -> None:
    """A new tenant's id is unknown to who asks for its slug."""
    with ThreadPoolExecutor(1) as threads:
        with held_after_reading(house, "tenants") as held:
            reader = threads.submit(access.tenant_by_slug, "initech")
            held()
            taken = tenants.update().where(tenants.c.id == GLOBEX).values(slug="initech")
            name(access, GLOBEX)
            change(house, taken, f"tenant:{GLOBEX}")
            until(lambda: (found := access.tenant(GLOBEX)) and found.slug == "initech")
        assert reader.result() is None
    assert access.tenant_by_slug("initech") is not None


@on_postgresql
def test_many_threads_start_one_listener(house: Database) -> None:
    furnish(house)
    with Access(house) as access, ThreadPoolExecutor(16) as threads:
        assert list(threads.map(lambda _: name(access), range(64))) == ["Acme"] * 64
        assert access.ready()
        assert len(listeners(house)) == 1
        running = [each.name for each in threading.enumerate()]
        assert running.count(NAME) == 1
        access.close()
        until(lambda: listeners(house) == [])
        assert NAME not in [each.name for each in threading.enumerate()]


@on_postgresql
def test_nothing_is_opened_before_the_first_question(house: Database) -> None:
    with Access(house):
        assert NAME not in [each.name for each in threading.enumerate()]
        assert listeners(house) == []


@on_postgresql
def test_messages_of_others_do_no_harm(access: Access, house: Database) -> None:
    with administering(house) as admin:
        for said in ("", ":", "tenant", "tenant:", "a:b:c", "listener:0", "é" * 3000):
            admin.execute("SELECT pg_notify(%s, %s)", [CHANNEL, said])
        for number in range(3000):
            admin.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"tenant:{number}" + "x" * 500])
    rename(house, "Renamed")
    until(lambda: name(access) == "Renamed")
    assert len(listeners(house)) == 1
    until(lambda: from_memory(access, house))


@pytest.fixture
def lodger(house: Database) -> Iterator[Database]:
    """The same house through a login that can be refused: new connections of its don't come in."""
    furnish(house)
    with administering(house) as admin:
        admin.execute("CREATE ROLE lodger LOGIN")
        admin.execute("GRANT USAGE ON SCHEMA partywall TO lodger")
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA partywall TO lodger")
        database = Database(house.url.set(username="lodger"))
        yield database
        database.close()
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                      "WHERE usename = 'lodger'")  # fmt: skip
        admin.execute("DROP OWNED BY lodger; DROP ROLE lodger")


def terminated(house: Database, which: str) -> None:
    with administering(house) as admin:
        admin.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {which}".encode()
        )


@on_postgresql
def test_while_nobody_listens_nothing_is_answered_from_memory(
    house: Database, lodger: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with Access(lodger, heartbeat_s=60) as access, administering(house) as admin:
        assert access.ready()
        until(lambda: from_memory(access, lodger))
        admin.execute("ALTER ROLE lodger NOLOGIN")  # its pool's connection stays
        terminated(house, f"application_name = '{NAME}'")
        until(lambda: not from_memory(access, lodger), within_s=1)
        for number in range(5):
            rename(house, f"Acme {number}")
            assert name(access) == f"Acme {number}"
            assert not from_memory(access, lodger)
        time.sleep(0.5)  # in which it tries again, and complains no more
        admin.execute("ALTER ROLE lodger LOGIN")
        assert access.ready()
        until(lambda: from_memory(access, lodger))
        rename(house, "Renamed")
        until(lambda: name(access) == "Renamed", within_s=1)
    assert caplog.text.count("is disconnected (OperationalError)") == 1
    assert "lodger" not in caplog.text


@on_postgresql
def test_what_changed_while_nobody_listened_is_not_missed(
    house: Database, lodger: Database
) -> None:
    with Access(lodger, heartbeat_s=60) as access, administering(house) as admin:
        assert access.ready()
        name(access)
        admin.execute("ALTER ROLE lodger NOLOGIN")
        terminated(house, f"application_name = '{NAME}'")
        until(lambda: listeners(house) == [])
        rename(house, "Renamed")
        admin.execute("ALTER ROLE lodger LOGIN")
        assert access.ready()
        assert name(access) == "Renamed"


@on_postgresql
def test_what_was_being_read_while_nobody_listened_is_not_kept(
    house: Database, lodger: Database
) -> None:
    with Access(lodger, heartbeat_s=60) as access, ThreadPoolExecutor(1) as threads:
        assert access.ready()
        with held_after_reading(lodger, "tenants") as held, administering(house) as admin:
            reader = threads.submit(name, access)
            held()
            admin.execute("ALTER ROLE lodger NOLOGIN")
            terminated(house, f"application_name = '{NAME}'")
            until(lambda: listeners(house) == [])
            rename(house, "Renamed")
            admin.execute("ALTER ROLE lodger LOGIN")
            assert access.ready()
        assert reader.result() == "Acme"
        assert name(access) == "Renamed"


@on_postgresql
def test_a_database_that_is_down(house: Database, lodger: Database) -> None:
    with Access(lodger, heartbeat_s=HEARTBEAT_S) as access, administering(house) as admin:
        assert access.ready()
        until(lambda: from_memory(access, lodger))
        admin.execute("ALTER ROLE lodger NOLOGIN")
        terminated(house, "usename = 'lodger'")
        until(lambda: fails(access), within_s=1)
        for ask in (
            lambda: access.tenant(ACME),
            lambda: access.tenant_by_slug("acme"),
            lambda: access.member(ACME, ADA),
            lambda: access.tenants_of(ADA),
            lambda: access.key(SECRET),
            lambda: access.standing(ACME),
        ):
            with pytest.raises(Unavailable, match="gives no answer") as caught:
                ask()
            assert caught.value.retry_after_s > 0
            assert "lodger" not in str(caught.value)
        admin.execute("ALTER ROLE lodger LOGIN")
        assert access.ready()
        assert name(access) == "Acme"


def fails(access: Access) -> bool:
    try:
        access.tenant(ACME)
    except Unavailable:
        return True
    return False


@on_postgresql
def test_a_listener_whose_cable_is_cut(house: Database) -> None:
    """Within three heartbeats memory is good for nothing, and soon there is another listener."""
    furnish(house)
    with Relay("127.0.0.1", house.url.port or 5432) as relay:
        through = Database(house.url.set(port=relay.port))
        with Access(through, heartbeat_s=HEARTBEAT_S) as access:
            assert access.ready()
            time.sleep(2 * HEARTBEAT_S)
            until(lambda: from_memory(access, through))
            ((pid, port),) = listeners(house)
            relay.freeze(port)
            rename(house, "Renamed")
            assert name(access) == "Acme"
            assert until(lambda: name(access) == "Renamed") < 3 * HEARTBEAT_S + 0.1
            assert access.ready()
            assert pid not in {each for each, _ in listeners(house)[-1:]}
            rename(house, "Again")
            assert until(lambda: name(access) == "Again") < HEARTBEAT_S
        through.close()


@on_postgresql
def test_a_server_that_falls_silent_and_speaks_again(house: Database) -> None:
    """A backend that is stopped keeps its connection; it missed nothing, it only says it later."""
    furnish(house)
    with Access(house, heartbeat_s=HEARTBEAT_S) as access:
        assert access.ready()
        name(access)
        ((pid, _),) = listeners(house)
        os.kill(pid, 19)
        try:
            rename(house, "Renamed")
            assert until(lambda: name(access) == "Renamed") < 3 * HEARTBEAT_S + 0.1
        finally:
            os.kill(pid, 18)
        assert access.ready()
        assert name(access) == "Renamed"


@on_postgresql
def test_the_listener_stays_on_one_connection(access: Access, house: Database) -> None:
    before = listeners(house)
    time.sleep(5 * HEARTBEAT_S)
    until(lambda: from_memory(access, house))
    assert listeners(house) == before


@on_postgresql
def test_behind_a_pooler_of_transactions_every_question_is_asked(
    house: Database, postgres15: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    furnish(house)
    assert house.url.database
    with pgbouncer(postgres15) as bouncer:
        through = Database(bouncer.url(house.url.database))
        with Access(through, heartbeat_s=HEARTBEAT_S) as access:
            assert not access.ready(4 * HEARTBEAT_S)
            for number in range(5):
                rename(house, f"Acme {number}")
                assert name(access) == f"Acme {number}"
            assert "past a pooler in transaction mode" in caplog.text
        through.close()


@on_postgresql
def test_behind_a_pooler_of_sessions_it_listens(house: Database, postgres15: Postgres) -> None:
    furnish(house)
    assert house.url.database
    with pgbouncer(postgres15, {"pool_mode": "session"}) as bouncer:
        through = Database(bouncer.url(house.url.database))
        with Access(through, heartbeat_s=HEARTBEAT_S) as access:
            assert access.ready()
            name(access)
            rename(house, "Renamed")
            until(lambda: name(access) == "Renamed")
            until(lambda: from_memory(access, through))
        through.close()


@on_sqlite
def test_a_change_that_is_not_committed_is_none(access: Access, house: Database) -> None:
    name(access)
    with house.begin() as connection:
        connection.execute(text("UPDATE tenants SET name = 'Renamed'"))
        with queries(house) as made:
            assert name(access) == "Acme"
        assert made == []
        connection.rollback()
    assert name(access) == "Acme"
