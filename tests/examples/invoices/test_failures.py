"""What fails half-way, over HTTP: a workflow, its start, a commit. Nothing of it stays."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.examples.invoices import behind
from tests.examples.invoices.houses import credentials
from tests.examples.invoices.wire import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.examples.invoices.behind import Say
    from tests.examples.invoices.houses import House
    from tests.examples.invoices.pairs import Pair

POOL = 10

BREAKING = {
    "rows": (
        "ALTER TABLE customers DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE customers ENABLE ROW LEVEL SECURITY",
    ),
    "schemas": (
        "REVOKE CREATE ON DATABASE invoices_schemas FROM owner",
        "GRANT CREATE ON DATABASE invoices_schemas TO owner",
    ),
    "databases": ("ALTER ROLE owner NOCREATEDB", "ALTER ROLE owner CREATEDB"),
    "scoped": ("REVOKE SELECT ON customers FROM app", "GRANT SELECT ON customers TO app"),
}
"""How no company can be provisioned, and how it can again; on row security, for want of a wall."""


@contextmanager
def broken(house: House) -> Iterator[None]:
    """A house that can't take anybody in."""
    if house.isolation == "files":
        folder = house.folder / "data" / "tenants"
        away = folder.rename(folder.with_name("away"))
        folder.write_text("in the way")
        try:
            yield
        finally:
            folder.unlink()
            away.rename(folder)
        return
    breaking, mending = BREAKING[house.isolation]
    behind.say(house, breaking)
    try:
        yield
    finally:
        behind.say(house, mending)


def test_a_workflow_that_fails_marks_the_company_failed_and_leaves_nothing(
    house: House, administrator: dict[str, str]
) -> None:
    places = behind.places(house)
    key = uuid.uuid4().hex
    said = {"slug": f"c-{key}", "name": key, **credentials(key)}
    with broken(house):
        registered = house.client.post("/sign-up", json=said)
        tenant_id = registered.json()["tenant"]["id"]
        user = house.logged_in(key)
        told = house.worked(registered.json()["work_id"], user)
    assert (told["state"], told["step"] in {"create", "migrate", "seed", "smoke"}) == (
        "failed",
        True,
    )
    assert told["reason"]
    assert behind.record(house, "tenants", tenant_id, "status") == "failed"
    assert behind.places(house) == places
    entering = house.client.post("/log-in", json={**credentials(key), "tenant": f"c-{key}"})
    assert (entering.status_code, "retry-after" in entering.headers) == (503, True)

    again = house.client.post(f"/admin/tenants/{tenant_id}/retry", headers=administrator)
    assert again.status_code == 202
    assert house.worked(again.json()["work_id"], user)["state"] == "done"
    assert behind.places(house) == places | {tenant_id}
    entering = house.client.post("/log-in", json={**credentials(key), "tenant": f"c-{key}"})
    assert entering.status_code == 200


@contextmanager
def unstartable(house: House) -> Iterator[None]:
    """A workflow engine that takes no new workflow."""
    fault = "trip BEFORE INSERT ON workflow_status FOR EACH ROW"
    with behind.workflows(house) as say:
        if house.server is None:
            say(f"CREATE TRIGGER {fault} BEGIN SELECT RAISE(ABORT, 'no'); END")
            gone = "DROP TRIGGER trip"
        else:
            body = "BEGIN RAISE 'no'; END"
            say(f"CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
            say(f"CREATE TRIGGER {fault} EXECUTE FUNCTION trip()")
            gone = "DROP FUNCTION trip() CASCADE"
        try:
            yield
        finally:
            say(gone)


def test_a_start_that_fails_takes_the_sign_up_back(house: House) -> None:
    before = behind.records(house), behind.places(house)
    key = uuid.uuid4().hex
    said = {"slug": f"c-{key}", "name": key, **credentials(key)}
    with unstartable(house):
        answer = house.client.post("/sign-up", json=said)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert (behind.records(house), behind.places(house)) == before
    assert house.client.post("/log-in", json=credentials(key)).status_code == 401
    registered = house.client.post("/sign-up", json=said)
    house.opened(key, registered, key, house.logged_in(key))


@contextmanager
def deferred(say: Say, *, sqlite: bool) -> Iterator[None]:
    """Customers of the name `trip` go through, and fail at the commit."""
    if sqlite:
        say("CREATE TABLE nowhere (id int PRIMARY KEY)")
        say("CREATE TABLE wire (id int REFERENCES nowhere DEFERRABLE INITIALLY DEFERRED)")
        body = "INSERT INTO wire VALUES (1);"
        say(
            f"CREATE TRIGGER trip AFTER INSERT ON customers WHEN NEW.name = 'trip' BEGIN {body} END"
        )
        gone = ["DROP TRIGGER trip", "DROP TABLE wire", "DROP TABLE nowhere"]
    else:
        body = "BEGIN RAISE 'no' USING ERRCODE = '23514'; END"
        say(f"CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        say(
            "CREATE CONSTRAINT TRIGGER trip AFTER INSERT ON customers DEFERRABLE INITIALLY "
            "DEFERRED FOR EACH ROW WHEN (NEW.name = 'trip') EXECUTE FUNCTION trip()"
        )
        gone = ["DROP FUNCTION trip() CASCADE"]
    try:
        yield
    finally:
        for statement in gone:
            say(statement)


WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND state LIKE 'idle in transaction%'
"""


def test_a_commit_that_fails_leaves_a_clean_pool(house: House, pair: Pair) -> None:
    a, b = pair.a.company, pair.b.company
    before = a.everything(), b.everything()
    body = b'{"name": "trip", "email": "x@example.com"}'

    async def at_once(method: str, path: str, headers: dict[str, str], body: bytes) -> list[str]:
        async def asked() -> str:
            with Line(house.base) as line:
                answer = await line.ask(method, path, headers, body)
            return f"{answer.status} {answer.body.decode()}"

        return await asyncio.gather(*(asked() for _ in range(POOL)))

    with behind.inside(house, a) as say, deferred(say, sqlite=house.server is None):
        for _ in range(2):  # more than there are connections
            failed = asyncio.run(at_once("POST", "/customers", a.headers, body))
            assert {answer[:3] for answer in failed} == {"409"}
            for company, other in ((b, a), (a, b)):
                read = asyncio.run(at_once("GET", "/customers", company.headers, b""))
                assert all(answer.startswith("200 ") for answer in read)
                assert all(company.word in answer and "trip" not in answer for answer in read)
                assert not any(other.word in answer for answer in read)
    assert (a.everything(), b.everything()) == before
    if house.server is not None:
        with behind.server(house) as say:
            assert say(WAITING) == [(0,)]
