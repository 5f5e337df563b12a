"""A control plane that a whole module of tests shares, with tenants and people for each test."""

from __future__ import annotations

import shutil
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.control import memberships, tenants, users
from partywall.control.database import CHANNEL, Database
from partywall.control.migrations import migrate
from partywall.errors import PartywallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from partywall.control.memberships import Membership
    from partywall.control.users import User

KINDS = ("postgresql", "sqlite")

only_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)

NO_IDS = ("", "acme", "'", "\0", "A0000000-0000-4000-8000-00000000000A", "1" * 32)
"""What stands where an id should be, and would end a transaction of PostgreSQL."""

NOBODY = "00000000-0000-4000-8000-0000000000ff"


def opened(request: pytest.FixtureRequest, folder: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database of the kind that the fixture is asked for."""
    if request.param == "sqlite":
        path = folder.mktemp("neighbours") / "house.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        house = Database(f"sqlite:///{path}")
        yield house
        house.close()
        return
    server, name = request.getfixturevalue("postgres15"), f"neighbours_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        house = Database(server.url(name))
        migrate(house)
        yield house
        house.close()
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def fresh(name: str = "ann") -> str:
    """An address that nobody has."""
    return f"{name}-{uuid.uuid4().hex[:12]}@example.com"


def tenant(house: Database) -> str:
    """The id of a new tenant without members."""
    with house.begin() as connection:
        return tenants.add(connection, slug=f"t-{uuid.uuid4().hex[:20]}", name="Acme").id


def person(house: Database, email: str = "", password: str | None = None) -> User:
    """A new user."""
    with house.begin() as connection:
        return users.add(connection, email or fresh(), password=password)


def member(house: Database, tenant_id: str, role: str, email: str = "") -> User:
    """A new user with a role."""
    user = person(house, email)
    with house.begin() as connection:
        memberships.add(connection, tenant_id, user.id, role)
    return user


def membership(house: Database, tenant_id: str, user: User) -> Membership | None:
    """How the user stands in the tenant."""
    with house.reading() as connection:
        return memberships.get(connection, tenant_id, user.id)


def done(house: Database, change: Callable[[Connection], object]) -> str:
    """What comes of a change in a transaction of its own: "done", or the name of the error."""
    try:
        with house.begin() as connection:
            change(connection)
    except PartywallError as error:
        return type(error).__name__
    return "done"


def interleaved(
    house: Database,
    first: Callable[[Connection], object],
    second: Callable[[Connection], object],
    *,
    other: Database | None = None,
) -> str:
    """What comes of the second change, begun when the first is made and not yet committed."""
    outcomes: list[str] = []

    def seconds() -> None:
        try:
            outcomes.append(done(other or house, second))
        except Exception as error:  # noqa: BLE001 - a test looks at it
            outcomes.append(type(error).__name__)

    thread = threading.Thread(target=seconds)
    with house.begin() as connection:
        first(connection)
        thread.start()
        thread.join(0.25)  # long enough to get as far as it can
    thread.join()
    return outcomes[0]


def at_once(count: int, act: Callable[[], object]) -> list[str]:
    """What comes of the same act in many threads at the same moment."""
    barrier = threading.Barrier(count)
    outcomes: list[str] = []

    def one() -> None:
        barrier.wait()
        try:
            act()
            outcomes.append("done")
        except PartywallError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


@contextmanager
def announced(house: Database) -> Iterator[set[str]]:
    """What is announced in the block; PostgreSQL's only."""
    heard: set[str] = set()
    address = house.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as listening:
        listening.execute(f"LISTEN {CHANNEL}".encode())
        yield heard
        listening.execute("SELECT 1")
        heard |= {each.payload for each in listening.notifies(timeout=0.2)}
