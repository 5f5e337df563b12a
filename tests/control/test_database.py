"""The control plane's connections: how long they wait, who may use them, and who hears of what."""

from __future__ import annotations

import gc
import multiprocessing
import os
import socket
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import exc, text

from partywall.control import tables, tenants
from partywall.control.access import Access
from partywall.control.database import Database
from partywall.errors import WallError
from tests.control.directory import ACME, GLOBEX, administering, furnish, name, rename

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection as Pipe

    from sqlalchemy import Connection

on_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
allowed = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


def wire(connection: Connection) -> socket.socket:
    """A second handle of the socket below a connection."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return socket.socket(fileno=os.dup(driver.fileno()))


@on_postgresql
def test_a_server_that_is_gone_is_given_up_in_seconds(house: Database) -> None:
    with house.reading() as connection, wire(connection) as found:
        asked = {
            each: found.getsockopt(socket.IPPROTO_TCP, getattr(socket, each))
            for each in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        }
        kept_alive = found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert kept_alive
    assert asked["TCP_USER_TIMEOUT"] == 20_000
    assert asked["TCP_KEEPIDLE"] + asked["TCP_KEEPINTVL"] * asked["TCP_KEEPCNT"] == 20


@on_postgresql
def test_what_the_url_says_of_it_goes_first(house: Database) -> None:
    patient = Database(house.url.update_query_dict({"tcp_user_timeout": "1234"}))
    with patient.reading() as connection, wire(connection) as found:
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1234
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.info.get_parameters()["connect_timeout"] == "10"
    patient.close()


def test_a_server_that_lets_nobody_in_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        closed = Database(f"postgresql://house@127.0.0.1:{port}/house?connect_timeout=2")
        begun = time.monotonic()
        with pytest.raises(exc.OperationalError), closed.reading():
            pass
        assert 1 < time.monotonic() - begun < 8
        closed.close()


def server_process(connection: Connection) -> int:
    return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def in_a_child(does: Callable[[], object]) -> object:
    """What *does* returns in a forked child."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    with ours, theirs:
        child = os.fork()
        if child == 0:
            answered(does, theirs)
        theirs.close()
        answer = ours.recv() if ours.poll(20) else "nothing"
        os.waitpid(child, 0)
    return answer


def answered(does: Callable[[], object], pipe: Pipe) -> None:
    """The whole life of a child."""
    try:
        pipe.send(does())
    except BaseException:  # noqa: BLE001 - a child must not go on with its parent's program
        pipe.send(traceback.format_exc())
    finally:
        os._exit(0)


@forks
@allowed
@on_postgresql
def test_a_forked_child_has_connections_of_its_own(house: Database) -> None:
    def backend() -> int:
        with house.begin() as connection:
            return server_process(connection)

    mine = backend()
    theirs = in_a_child(backend)
    assert isinstance(theirs, int), theirs
    assert theirs != mine
    assert backend() == mine


@forks
@allowed
@on_postgresql
@pytest.mark.parametrize("verb", ["commit", "rollback", "close"])
def test_a_forked_child_ends_no_transaction_of_its_parent(house: Database, verb: str) -> None:
    furnish(house)
    with house.engine.connect() as connection:
        connection.execute(tables.tenants.update().values(name="Renamed"))

        def ends() -> str:
            try:
                getattr(connection, verb)()
            except WallError:
                return "refused"
            return "done"

        assert in_a_child(ends) == "refused"
        connection.commit()
    with house.reading() as connection:
        found = connection.scalars(tables.tenants.select().with_only_columns(tables.tenants.c.name))
        assert set(found) == {"Renamed"}


@forks
@allowed
@on_postgresql
def test_a_forked_child_returns_nothing_to_its_parent(house: Database) -> None:
    """What nobody has begun with SQLAlchemy is not rolled back by the pool of a child either."""
    furnish(house)
    lent = house.engine.raw_connection()
    cursor = lent.cursor()
    cursor.execute("UPDATE partywall.tenants SET name = 'Renamed'")
    assert in_a_child(lent.close) is None
    assert cursor.execute("SELECT count(*) FROM partywall.tenants WHERE name = 'Renamed'")
    assert cursor.fetchone() == (2,)
    lent.close()
    with house.reading() as connection:  # and here it is rolled back
        assert "Renamed" not in [each.name for each in tenants.listed(connection)]


@forks
@allowed
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system does not tell")
@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_forked_child_leaves_a_file_open_that_its_parent_has_open(house: Database) -> None:
    """Closing it could clear up the write-ahead log below the parent, and lets go of its locks."""
    with house.reading() as connection:
        connection.execute(text("SELECT count(*) FROM tenants"))

    def handles() -> int:
        gc.collect()
        return sum(
            os.path.realpath(each) == house.url.database for each in Path("/proc/self/fd").iterdir()
        )

    assert handles() == in_a_child(handles) == 1


@forks
@allowed
@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_forked_child_asks_for_changes_on_a_connection_of_its_own(house: Database) -> None:
    furnish(house)
    with Access(house) as access:
        assert name(access) == "Acme"
        asks = vars(access._watch)  # noqa: SLF001 - what a child must not use
        mine = asks["_connection"]
        assert in_a_child(lambda: (name(access), asks["_connection"] is mine)) == ("Acme", False)


@on_postgresql
def test_a_connection_that_breaks_says_so_and_is_replaced(house: Database) -> None:
    ends = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(exc.OperationalError, match="terminat"), house.begin() as connection:
        connection.execute(ends)
    with house.begin() as connection:
        assert server_process(connection)


@on_postgresql
def test_a_connection_that_was_closed_while_nobody_used_it_is_replaced(house: Database) -> None:
    with house.begin() as connection:
        found = server_process(connection)
    with administering(house) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [found])
    with house.begin() as connection:
        assert server_process(connection) != found


def test_who_reads_before_writing_is_not_stuck_with_others_who_do(house: Database) -> None:
    furnish(house)
    settings = tables.tenants.c.settings

    def count(_: int) -> None:
        with house.begin() as connection:
            row = tables.tenants.select().with_only_columns(settings).with_for_update()
            found = connection.scalar(row.where(tables.tenants.c.id == ACME)) or {}
            time.sleep(0.005)
            tenants.change(connection, ACME, settings={"count": found.get("count", 0) + 1})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(12)))
    with house.reading() as connection:
        assert tenants.known(connection, ACME).settings == {"count": 12}


def test_who_reads_waits_for_no_writer(house: Database) -> None:
    furnish(house)
    impatient = Database(house.url, timeout_s=0.05)
    with house.begin() as connection:
        tenants.change(connection, ACME, name="Renamed")
        with impatient.reading() as other:
            assert tenants.known(other, ACME).name == "Acme"
    impatient.close()


def test_what_is_changed_here_is_known_here_at_once(house: Database) -> None:
    furnish(house)
    with Access(house) as one, Access(house) as other:
        assert one.ready()
        assert other.ready()
        for number in range(50):
            assert name(one) == name(other)
            rename(house, f"Acme {number}")
            assert name(one) == name(other) == f"Acme {number}"


@on_postgresql
def test_only_what_was_announced_is_forgotten_and_not_before_the_commit(house: Database) -> None:
    furnish(house)
    with Access(house, heartbeat_s=60) as access:
        assert access.ready()
        assert (name(access), name(access, GLOBEX)) == ("Acme", "Globex")
        assert access.remembered == 2
        with house.begin() as connection:
            tenants.change(connection, ACME, name="Renamed")
            assert access.remembered == 2
        assert access.remembered == 1
        with house.begin():
            pass
        assert access.remembered == 1


def test_a_reader_that_is_gone_is_told_nothing(house: Database) -> None:
    furnish(house)
    access = Access(house)
    assert name(access) == "Acme"
    access.close()
    del access
    assert not house._memories  # noqa: SLF001 - nobody else has it
    rename(house, "Renamed")
