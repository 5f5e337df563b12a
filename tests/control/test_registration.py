"""User, tenant, membership, audit entry and the start of provisioning stand or fall together."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import QueuePool, exc, text

from partywall.adapters.dbos import DbosWorks
from partywall.control import audit, memberships, passwords, tables, tenants, users
from partywall.control.database import Database
from partywall.control.plane import ControlPlane
from partywall.control.registration import NewUser
from partywall.errors import (
    ConfigurationError,
    InvalidRecord,
    RecordConflict,
    TenantExists,
    UnknownRecord,
    WorkError,
)
from tests.control import racing
from tests.control.planes import Threads, prepared, unique
from tests.control.sites import Site

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator


EVERY = ("tenants", "users", "memberships", "works", "audit_log")


class Failing(Threads):
    """What happens when a work is started."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self.happens = happens

    def start(self, work_id: str, *, not_before: dt.datetime | None = None) -> None:
        super().start(work_id, not_before=not_before)
        time.sleep(0.1)  # long enough for the work to look, if nothing kept it from looking
        self.happens()


def nothing() -> None:
    """What happens usually."""


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared(request.param, request) as url:
        yield url


@pytest.fixture
def slug() -> str:
    return unique()


@pytest.fixture
def ann(slug: str) -> NewUser:
    return NewUser(f"ann@{slug}.example.com", name="Ann")


@pytest.fixture
def works() -> Failing:
    return Failing(nothing)


@pytest.fixture
def plane(url: str, works: Failing) -> Iterator[ControlPlane]:
    with ControlPlane(url, building=Site(url), works=works) as plane:
        plane.launch()
        yield plane


def counts(url: str) -> dict[str, int]:
    """How much there is of what a registration makes."""
    with closing(Database(url)) as database, database.reading() as connection:
        found = {
            name: len(
                connection.execute(tables.metadata.tables[f"partywall.{name}"].select()).all()
            )
            for name in EVERY
        }
    return found | {"places": Site(url).places()}


@pytest.fixture
def before(url: str) -> dict[str, int]:
    """What there was before the test."""
    return counts(url)


def test_a_registration_makes_all_of_it(plane: ControlPlane, works: Failing, slug: str) -> None:
    owner = NewUser(f"ann@{slug}.example.com", "correct horse battery staple", "Ann")
    registered = plane.register(slug=slug, name="Acme", owner=owner, source="192.0.2.1")
    works.wait()
    assert works.errors == []
    with plane.database.reading() as connection:
        tenant = tenants.by_slug(connection, slug)
        (member,) = memberships.listed(connection, registered.tenant.id)
        first, *_ = audit.entries(connection, registered.tenant.id)
    assert tenant is not None
    assert tenant.status == "active"
    assert (member.user_id, member.role) == (registered.user.id, "owner")
    assert (first.action, first.actor, first.source) == (
        "tenant.registered",
        registered.user.id,
        "192.0.2.1",
    )
    assert works.started == [registered.work_id]


def test_somebody_who_is_known_can_register_another(
    plane: ControlPlane, slug: str, ann: NewUser
) -> None:
    first = plane.register(slug=slug, name="Acme", owner=ann)
    second = plane.register(slug=unique(), name="Globex", owner=first.user.id)
    assert second.user == first.user


def test_async_code_registers(plane: ControlPlane, slug: str, ann: NewUser) -> None:
    async def registering() -> str:
        return (await plane.async_register(slug=slug, name="Acme", owner=ann)).tenant.slug

    assert asyncio.run(registering()) == slug


def test_a_password_is_not_shown() -> None:
    assert "horse" not in repr(NewUser("ann@example.com", "correct horse battery staple"))


@pytest.mark.parametrize(
    ("wanted", "owner", "error"),
    [
        ("the same", NewUser("bob@what-can-not-be.example.com"), TenantExists),
        ("another-slug", "the same", RecordConflict),
        ("no slug", NewUser("bob@what-can-not-be.example.com"), InvalidRecord),
        ("another-slug", NewUser("not an address"), InvalidRecord),
        ("another-slug", "6f9619ff-8b86-d011-b42d-00c04fc964ff", UnknownRecord),
    ],
)
def test_what_can_not_be_leaves_nothing(  # noqa: PLR0913, PLR0917 - a case, and its fixtures
    url: str,
    plane: ControlPlane,
    works: Failing,
    slug: str,
    ann: NewUser,
    wanted: str,
    owner: NewUser | str,
    error: type[Exception],
) -> None:
    plane.register(slug=slug, name="Acme", owner=ann)
    works.wait()
    before = counts(url)
    with pytest.raises(error):
        plane.register(
            slug=slug if wanted == "the same" else wanted,
            name="Another",
            owner=ann if owner == "the same" else owner,
        )
    assert (counts(url), len(works.started)) == (before, 1)


def test_somebody_who_was_disabled_registers_nothing(
    plane: ControlPlane, slug: str, ann: NewUser
) -> None:
    user = plane.register(slug=slug, name="Acme", owner=ann).user
    with plane.database.begin() as connection:
        users.disable(connection, user.id)
    with pytest.raises(UnknownRecord):
        plane.register(slug=unique(), name="Globex", owner=user.id)


def test_a_start_that_fails_rolls_the_registration_back(
    url: str, plane: ControlPlane, works: Failing, before: dict[str, int]
) -> None:
    slug = unique()
    ann = NewUser(f"ann@{slug}.example.com")
    works.happens = refuse
    with pytest.raises(WorkError):
        plane.register(slug=slug, name="Acme", owner=ann)
    works.wait()  # it was started all the same: it looks, and finds nothing
    assert (counts(url), works.errors) == (before, [])
    works.happens = nothing
    assert plane.register(slug=slug, name="Acme", owner=ann).tenant.slug == slug


def refuse() -> None:
    raise WorkError("the engine is down")


def test_a_commit_that_fails_leaves_a_work_that_does_nothing(
    url: str, plane: ControlPlane, works: Failing, before: dict[str, int], ann: NewUser
) -> None:
    with tripwire(plane), pytest.raises(exc.IntegrityError):
        plane.register(slug=unique(), name="Acme", owner=ann)
    works.wait()
    assert len(works.started) == 1
    assert (counts(url), works.errors) == (before, [])
    assert plane.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # QueuePool


@contextmanager
def tripwire(plane: ControlPlane) -> Iterator[None]:
    """Let every commit with a new work fail, as a deferred constraint does."""
    made = [
        "CREATE TABLE nowhere (id int PRIMARY KEY)",
        "CREATE TABLE wire (id int REFERENCES nowhere DEFERRABLE INITIALLY DEFERRED)",
    ]
    if plane.database.sqlite:
        made.append(
            "CREATE TRIGGER trip AFTER INSERT ON works BEGIN INSERT INTO wire VALUES (1); END"
        )
        gone = ["DROP TRIGGER trip", "DROP TABLE wire", "DROP TABLE nowhere"]
    else:
        body = "BEGIN INSERT INTO public.wire VALUES (1); RETURN NEW; END"
        hung = "CREATE TRIGGER trip AFTER INSERT ON partywall.works FOR EACH ROW"
        made.append(f"CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        made.append(f"{hung} EXECUTE FUNCTION trip()")
        gone = ["DROP FUNCTION trip() CASCADE", "DROP TABLE wire, nowhere"]
    carried_out(plane, made)
    try:
        yield
    finally:
        carried_out(plane, gone)


def carried_out(plane: ControlPlane, statements: list[str]) -> None:
    with plane.database.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


KILL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'partywall control'
  AND state = 'idle in transaction'
"""


def test_a_lost_connection_leaves_a_work_that_does_nothing(
    url: str, plane: ControlPlane, works: Failing, before: dict[str, int], ann: NewUser
) -> None:
    if plane.database.sqlite:
        return  # it has no connection that could be lost

    def lost() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(KILL.encode())

    works.happens = lost
    with pytest.raises(exc.OperationalError):
        plane.register(slug=unique(), name="Acme", owner=ann)
    works.wait()
    assert (counts(url), works.errors) == (before, [])


def test_the_work_waits_until_the_registration_has_ended(
    plane: ControlPlane, works: Failing, slug: str, ann: NewUser
) -> None:
    looked = threading.Event()
    works.before = lambda _: looked.set()

    def committed_late() -> None:
        assert looked.wait(5)
        time.sleep(0.2)

    works.happens = committed_late
    registered = plane.register(slug=slug, name="Acme", owner=ann)
    works.wait()
    assert works.errors == []
    with plane.database.reading() as connection:
        tenant = tenants.get(connection, registered.tenant.id)
    assert tenant is not None
    assert tenant.status == "active"


def test_without_an_engine_nothing_is_registered(
    url: str, before: dict[str, int], ann: NewUser
) -> None:
    with ControlPlane(url) as plane:
        with pytest.raises(ConfigurationError, match="workflow engine"):
            plane.register(slug=unique(), name="Acme", owner=ann)
        with pytest.raises(ConfigurationError, match="works="):
            plane.launch()
    assert counts(url) == before


def test_without_a_launch_nothing_is_registered(
    url: str, before: dict[str, int], ann: NewUser
) -> None:
    with (
        ControlPlane(url, building=Site(url), works=DbosWorks()) as plane,
        pytest.raises(WorkError, match="launch"),
    ):
        plane.register(slug=unique(), name="Acme", owner=ann)
    assert counts(url) == before


def test_a_hundred_registrations_of_one_slug_make_one_tenant(
    url: str, before: dict[str, int], slug: str
) -> None:
    outcomes = racing.raced(url, slug, processes=4)
    assert outcomes == ["TenantExists"] * 99 + ["registered"]
    more = {name: count - before[name] for name, count in counts(url).items()}
    assert more == {**dict.fromkeys(EVERY, 1), "audit_log": 2, "places": 1}
    with ControlPlane(url) as plane, plane.database.reading() as connection:
        tenant = tenants.by_slug(connection, slug)
    assert tenant is not None
    assert (tenant.status, racing.workflows(url)) == ("active", 1)


def test_many_registrations_by_one_new_user_make_one_user(
    url: str, plane: ControlPlane, works: Failing, before: dict[str, int], ann: NewUser
) -> None:
    def registering(_: int) -> str:
        try:
            plane.register(slug=unique(), name="Acme", owner=ann)
        except RecordConflict:
            return "conflict"
        return "registered"

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(registering, range(24)))
    works.wait()
    assert outcomes == ["conflict"] * 23 + ["registered"]
    found = counts(url)
    new = (found["tenants"] - before["tenants"], found["users"] - before["users"])
    assert (*new, len(works.started)) == (1, 1, 1)


def test_a_password_is_hashed_while_nobody_waits(
    plane: ControlPlane, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes long, and a writer of SQLite keeps all others from writing."""
    hashed, lent = passwords.hashed, []

    def slowly(password: str) -> str:
        pool = plane.database.engine.pool
        assert isinstance(pool, QueuePool)
        lent.append(pool.checkedout())
        with plane.database.begin():
            return hashed(password)

    monkeypatch.setattr(passwords, "hashed", slowly)
    owner = NewUser(f"ann@{slug}.example.com", password="correct horse")
    plane.register(slug=slug, name="Acme", owner=owner)
    assert lent == [0]
    found = users.log_in(plane.database, owner.email, "correct horse", source="")
    assert found.email == owner.email


def test_for_a_slug_that_is_refused_no_password_is_hashed(
    plane: ControlPlane, slug: str, ann: NewUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane.register(slug=slug, name="Acme", owner=ann)
    monkeypatch.setattr(passwords, "hashed", lambda _: pytest.fail("hashed in vain"))
    owner = NewUser(f"bob@{slug}.example.com", password="short")
    for taken in (slug, f"{slug[0]}-{slug[1:]}"):
        with pytest.raises(TenantExists):
            plane.register(slug=taken, name="Acme", owner=owner)
    with pytest.raises(InvalidRecord, match="slug"):
        plane.register(slug="-", name="Acme", owner=owner)
