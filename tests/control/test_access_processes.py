"""What one process changes, another knows: one that was started, and one that was forked."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from partywall.control.access import Access
from tests.control.directory import ACME, from_memory, furnish, listeners, name, rename, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.control.database import Database

on_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
HEARTBEAT_S = 0.2


@pytest.fixture
def access(house: Database) -> Iterator[Access]:
    furnish(house)
    with Access(house, heartbeat_s=HEARTBEAT_S) as opened:
        assert opened.ready()
        yield opened


CHILD = """
import sys
from partywall.control.access import Access
from partywall.control.database import Database
access = Access(Database(sys.argv[1]))
assert access.ready()
print(access.tenant(sys.argv[2]).name, flush=True)
for line in sys.stdin:
    print(access.tenant(sys.argv[2]).name, flush=True)
"""


def test_another_process_knows_of_a_change(house: Database) -> None:
    furnish(house)
    url = house.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, url, ACME],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "Acme\n"
        for number in range(20):
            rename(house, f"Acme {number}")
            begun = time.monotonic()
            while True:
                print(file=child.stdin, flush=True)
                if child.stdout.readline() == f"Acme {number}\n":
                    break
                assert not house.sqlite
                assert time.monotonic() - begun < 10
        ended = time.monotonic()
        rest = child.communicate(timeout=10)
        assert (rest, child.returncode) == (("", ""), 0)  # without close(), and without a word
        assert time.monotonic() - ended < 9


HERE: list[Access] = []
"""Where the children of `multiprocessing` find it."""


def backend(access: Access) -> int:
    """The server process behind the pool's next connection; 0 where there is none."""
    database = access._database  # noqa: SLF001 - a child has it from nowhere else
    if database.sqlite:
        return 0
    with database.reading() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def in_child(pipe: multiprocessing.connection.Connection) -> None:
    (access,) = HERE
    pipe.send(name(access))
    pipe.send(access.ready())
    pipe.send(backend(access))
    pipe.recv()
    until(lambda: name(access) == "Renamed" and access.remembered == 1)
    pipe.send(access.ready())
    pipe.recv()
    access.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_forked_child_listens_for_itself(access: Access, house: Database) -> None:
    forking = multiprocessing.get_context("fork")
    assert name(access) == "Acme"
    before = [] if house.sqlite else listeners(house)
    ours, theirs = forking.Pipe()
    HERE[:] = [access]
    child = forking.Process(target=in_child, args=(theirs,))
    gate = access._gate  # noqa: SLF001 - as if other threads were asking
    with access._memory._lock, gate, gate, gate:  # noqa: SLF001 - and one keeping something
        child.start()
    try:
        assert ours.poll(10), "the child does not answer"
        assert [ours.recv(), ours.recv()] == ["Acme", True]
        process = ours.recv()
        if not house.sqlite:
            assert process != backend(access)
            assert len(listeners(house)) == 2
        rename(house, "Renamed")
        until(lambda: name(access) == "Renamed")
        ours.send("renamed")
        assert ours.recv() is True
        ours.send("close")
        child.join(10)
        assert child.exitcode == 0
    finally:
        child.kill()
        HERE.clear()
    if not house.sqlite:
        until(lambda: listeners(house) == before)
    until(lambda: from_memory(access, house))
    rename(house, "Again")
    until(lambda: name(access) == "Again")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@on_postgresql
def test_a_parent_closes_while_its_child_goes_on(access: Access, house: Database) -> None:
    forking = multiprocessing.get_context("fork")
    ours, theirs = forking.Pipe()
    HERE[:] = [access]
    child = forking.Process(target=in_child, args=(theirs,))
    child.start()
    try:
        assert [ours.recv() for _ in range(2)] == ["Acme", True]
        assert ours.recv()
        begun = time.monotonic()
        access.close()
        assert time.monotonic() - begun < HEARTBEAT_S
        until(lambda: len(listeners(house)) == 1)
        rename(house, "Renamed")
        ours.send("renamed")
        assert ours.recv() is True
        ours.send("close")
        child.join(10)
        assert child.exitcode == 0
    finally:
        child.kill()
        HERE.clear()
