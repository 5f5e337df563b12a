"""What a new company gets: all its tables, where they should be, and nothing anywhere else."""

from __future__ import annotations

import re
import uuid
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from partywall.adapters.files.names import place_of
from partywall.isolation.naming import physical_name
from tests.examples.invoices import behind
from tests.examples.invoices.houses import credentials
from tests.examples.invoices.pairs import furnished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.examples.invoices.behind import Say
    from tests.examples.invoices.houses import Company, House

STANDING = """
SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""


def test_a_new_company_has_all_its_tables(house: House) -> None:
    company = house.company()
    assert company.id in behind.places(house)
    with behind.inside(house, company) as say:
        if house.isolation == "files":
            found = dict(say("SELECT name, false FROM sqlite_schema WHERE type = 'table'"))
        else:
            found = dict(say(STANDING))
        assert found.keys() >= behind.TABLES
        walled = {table for table in behind.TABLES if found[table]}
        assert walled == (behind.TABLES if house.isolation == "rows" else set())
        own = f" WHERE tenant_id = '{company.id}'" if house.shared else ""
        assert say(f"SELECT name, last FROM counters{own}") == [("invoices", 0)]
        for table in behind.TABLES - {"counters"}:
            assert say(f"SELECT count(*) FROM {table}{own}") == [(0,)]
    assert furnished(company).word in company.everything()


@pytest.mark.parametrize("house", ["schemas", "databases", "files"], indirect=True)
def test_a_table_of_the_same_name_elsewhere_is_never_met(house: House) -> None:
    company = house.company()
    company.made("/customers", {"name": company.word, "email": "x@example.com"})
    for place in elsewhere(house, company):
        with decoy(place, company) as (say, word):
            for path in ("/customers", "/export", f"/search?q={word}"):
                assert word not in company.get(path).text, place
            assert len(company.get("/customers").json()) == 1
            made = company.made("/customers", {"name": "another", "email": "x@example.com"})
            assert company.send("DELETE", f"/customers/{made['id']}").status_code == 204
            assert say("SELECT name FROM customers") == [(word,)]


def elsewhere(house: House, company: Company) -> list[AbstractContextManager[Say]]:
    """Where else a session could look for a table; as the login of requests sees it."""
    name = physical_name(company.id)
    if house.isolation == "files":
        folders = ("here", "data", "data/tenants")
        return [lying(house.folder / folder / f"{name}.sqlite") for folder in folders]
    schemas = ["public"] if house.isolation == "databases" else ["public", "app"]  # "$user"
    with behind.server(house) as say:
        for schema in schemas:
            say(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            say(f"GRANT ALL ON SCHEMA {schema} TO app")
    return [behind.server(house, "", schema, user="app") for schema in schemas]


@contextmanager
def lying(path: Path) -> Iterator[Say]:
    """A SQLite file that is gone afterwards."""
    with behind.file(path) as say:
        yield say
    path.unlink()


@contextmanager
def decoy(place: AbstractContextManager[Say], company: Company) -> Iterator[tuple[Say, str]]:
    """A table of customers with one in it, and the word that stands in it."""
    word = f"d{uuid.uuid4().hex}"
    with place as say:
        say("CREATE TABLE customers (tenant_id text, id text, name text, email text)")
        row = (company.id, str(uuid.uuid4()), word, "x@example.com")
        say(f"INSERT INTO customers VALUES {row}")
        try:
            yield say, word
        finally:
            say("DROP TABLE customers")


HOSTILE = (
    "a b",
    "a-",
    "-a",
    "a'b",
    'a"b',
    "a;b",
    "../a",
    "a/b",
    "a\\b",
    "a.b",
    "a%b",
    "A",
    "t_a",
    "public",
    "pg_catalog",
    "information_schema",
    "\u00e4",
    "a\u0000b",
    "a\n",
    "'; DROP SCHEMA public CASCADE; --",
    'x"; DROP TABLE customers; --',
    "a" * 64,
    "",
)


def test_what_could_be_no_name_of_a_schema_is_refused(house: House) -> None:
    before = behind.records(house), behind.places(house)
    for slug in HOSTILE:
        said = {"slug": slug, "name": "N", **credentials(uuid.uuid4().hex)}
        assert house.client.post("/sign-up", json=said).status_code == 422, slug
    assert (behind.records(house), behind.places(house)) == before


def test_a_company_s_name_is_only_a_name(house: House) -> None:
    """And so is its slug, which may have hyphens: its place is called after its id."""
    key = uuid.uuid4().hex
    name = "'; DROP SCHEMA public CASCADE; -- \" ../.."
    said = {"slug": f"c-{key}", "name": name, **credentials(key)}
    registered = house.client.post("/sign-up", json=said)
    company = house.opened(key, registered, key, house.logged_in(key))
    assert company.get("/tenant").json()["name"] == name
    assert company.id in behind.places(house)
    assert re.fullmatch(r"t_[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}", physical_name(company.id))


def test_files_are_where_they_should_be_and_nowhere_else(house: House) -> None:
    """Looks at every folder that the process knows of, and at all that it has open."""
    company = furnished(house.company()).company
    found = {each for each in house.folder.rglob("*") if each.is_file()}
    assert opened(house.pid) <= found
    data = house.folder / "data"
    kept = {each for each in found if each.is_relative_to(data / "files" / place_of(company.id))}
    assert len(kept) == 1  # the attachment
    assert {each.stat().st_mode & 0o077 for each in kept} == {0}
    found = {each for each in found if not each.is_relative_to(data / "files")}
    if house.isolation != "files":
        assert {each.name for each in house.folder.iterdir()} == {"data", "here", "home", "tmp"}
        assert [each.name for each in data.iterdir()] == ["files"]
        assert found == set()
        return
    with behind.control(house) as say:
        ids = [uuid.UUID(id_) for (id_,) in say("SELECT id FROM tenants")]  # kept without hyphens
    places = {behind.path_of(house, str(id_)) for id_ in ids}
    allowed = {
        each
        for path in (*places, data / "control.db", data / "control.db.works")
        for each in beside(path)
    }
    assert behind.path_of(house, company.id) in found
    locks = {data / "control.db-locks", data / "control.db.works-locks"}
    assert {each for each in found - allowed if each.parent not in locks} == set()
    assert {each.stat().st_mode & 0o077 for each in places & found} == {0}


def beside(path: Path) -> set[Path]:
    """A file of SQLite's, and what it puts beside it."""
    return {path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))}


def opened(pid: int) -> set[Path]:
    """The files that a process has open, but for its standard streams and what is nobody's."""
    found = [each for each in Path(f"/proc/{pid}/fd").iterdir() if int(each.name) > 2]
    return {each.readlink() for each in found if each.is_file()}
