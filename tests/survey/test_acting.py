"""Tenants in somebody's own tests: what they assert, what is undecided, what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from partywall.errors import ConfigurationError, TargetError
from partywall.servers import Postgres
from partywall.survey.acting import Tenant, Tenants, tenants
from partywall.survey.configuration import Configuration, load
from tests.conftest import Database
from tests.shop import SOUND, declared

ROWS = "INSERT INTO notes (tenant_id, body) VALUES ('acme', 'of acme'), ('globex', 'of globex');"


@pytest.fixture(scope="session")
def server(postgres18: Postgres) -> Postgres:
    return postgres18


@pytest.fixture
def configuration(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Configuration:
    """The shop's, with a note of each tenant committed."""
    monkeypatch.delenv("PARTYWALL_DATABASE_URL", raising=False)
    database.execute(SOUND + ROWS)
    (tmp_path / "partywall.toml").write_text(declared(database))
    return load(tmp_path / "partywall.toml")


@pytest.fixture
def as_tenant(configuration: Configuration) -> Iterator[Tenants]:
    with tenants(configuration) as found:
        yield found


@pytest.fixture
def acme(as_tenant: Tenants) -> Tenant:
    return as_tenant("acme")


@pytest.fixture
def globex(as_tenant: Tenants) -> Tenant:
    return as_tenant("globex")


# Who acts ------------------------------------------------------------------------------------


def test_a_tenant_is_entered_as_the_application_does(
    database: Database, as_tenant: Tenants
) -> None:
    database.execute("ALTER ROLE app SET work_mem = '7MB'; ALTER ROLE app SET app.tenant = 'none'")
    acme = as_tenant("acme")
    who = "SELECT session_user, current_setting('app.tenant'), current_setting('work_mem')"
    assert acme.execute(who) == [("app", "acme", "7MB")]
    assert as_tenant("anonymous").execute(who) == [("app", "none", "7MB")]
    assert acme.execute("SELECT body FROM notes") == [("of acme",)]
    assert as_tenant("anonymous").execute("TABLE notes") == []
    assert "app" not in repr(acme)


def test_tenants_see_each_other_s_work_in_one_test_and_nothing_stays(
    database: Database, configuration: Configuration
) -> None:
    with tenants(configuration) as as_tenant:
        acme, globex = as_tenant("acme"), as_tenant("globex")
        [[one]] = acme.execute("INSERT INTO notes (body) VALUES (%s) RETURNING id", ["new"])
        globex.cannot_read(
            "SELECT FROM notes WHERE id = %(id)s AND body = 'new'", {"id": one}, owner=acme
        )
    assert database.rows("SELECT count(*) FROM notes") == [(2,)]


def test_a_statement_that_fails_leaves_the_test_going(acme: Tenant) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        acme.execute("SELECT 1 / 0")
    assert acme.execute("SELECT count(*) FROM notes") == [(1,)]


def test_a_tenant_that_is_not_declared(as_tenant: Tenants) -> None:
    with pytest.raises(
        ConfigurationError, match="no tenant initech; the configuration has acme, globex, anonymous"
    ):
        as_tenant("initech")


def test_a_tenant_that_can_not_be_entered(database: Database, as_tenant: Tenants) -> None:
    database.execute("ALTER ROLE app RENAME TO other")
    with pytest.raises(TargetError, match='acme could not be entered: role "app" does not exist'):
        as_tenant("acme")


# Reading -------------------------------------------------------------------------------------


def test_a_read_that_is_walled_off_holds(acme: Tenant, globex: Tenant) -> None:
    globex.cannot_read("TABLE notes", owner=acme)
    acme.cannot_read("SELECT body FROM notes WHERE tenant_id = %s", ["globex"], owner=globex)


def test_a_read_that_comes_through_is_a_breach_without_data(
    database: Database, acme: Tenant, globex: Tenant
) -> None:
    database.execute("ALTER TABLE notes DISABLE ROW LEVEL SECURITY")
    with pytest.raises(AssertionError) as found:
        globex.cannot_read("SELECT body FROM notes WHERE body LIKE %s", ["of a%"], owner=acme)
    assert str(found.value) == (
        "globex reads 1 of the 1 rows that acme reads by\n"
        "    SELECT body FROM notes WHERE body LIKE %s"
    )


def test_a_read_that_a_privilege_refuses_holds(
    database: Database, acme: Tenant, globex: Tenant
) -> None:
    database.execute(
        "CREATE FUNCTION secret() RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
        "IF current_setting('app.tenant') <> 'acme' THEN RAISE EXCEPTION 'no'; END IF; "
        "RETURN 'yes'; END $$"
    )
    globex.cannot_read("SELECT secret()", owner=acme)


@pytest.mark.parametrize(
    ("query", "because"),
    [
        ("SELECT FROM notes WHERE body = 'nobody wrote this'", "acme reads no row this way"),
        ("SELECT FROM nots", 'acme could not do it either .relation "nots" does not exist .42P01'),
        ("SELECT FROM notes WHERE body = %s", "acme could not do it either"),
    ],
)
def test_a_read_without_a_control_is_undecided(
    acme: Tenant, globex: Tenant, query: str, because: str
) -> None:
    with pytest.raises((AssertionError, psycopg.ProgrammingError), match=f"^undecided: {because}"):
        globex.cannot_read(query, owner=acme)


def test_a_read_that_failed_of_something_else_is_undecided(
    database: Database, acme: Tenant, globex: Tenant
) -> None:
    database.execute(
        "CREATE FUNCTION slow() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
        "IF current_setting('app.tenant') <> 'acme' THEN "
        "RAISE EXCEPTION 'canceling' USING ERRCODE = 'query_canceled'; END IF; RETURN 1; END $$"
    )
    with pytest.raises(
        AssertionError, match=r"^undecided: globex was not refused, it failed .*57014"
    ):
        globex.cannot_read("SELECT slow()", owner=acme)


def test_a_tenant_is_no_stranger_to_itself(acme: Tenant, as_tenant: Tenants) -> None:
    with pytest.raises(ConfigurationError, match="are the same tenant"):
        as_tenant("acme").cannot_read("TABLE notes", owner=acme)


# Writing -------------------------------------------------------------------------------------

WRITES = [
    "UPDATE notes SET body = 'changed' WHERE tenant_id = 'acme'",
    "DELETE FROM public.notes WHERE tenant_id = 'acme'",
    "INSERT INTO notes (tenant_id, body) VALUES ('acme', 'planted')",
    "MERGE INTO notes USING (SELECT 1) AS one ON tenant_id = 'acme' WHEN MATCHED THEN DELETE",
]


@pytest.mark.parametrize("statement", WRITES)
def test_a_write_that_is_refused_or_changes_nothing_holds_and_else_is_a_breach(
    database: Database, acme: Tenant, globex: Tenant, statement: str
) -> None:
    globex.cannot_write(statement, owner=acme)
    database.execute("CREATE POLICY all_writes ON notes USING (true); ")
    with pytest.raises(
        AssertionError, match=r"^globex changes what acme sees \(TABLE .*notes\"?\)"
    ):
        globex.cannot_write(statement, owner=acme)
    assert database.rows("SELECT body FROM notes ORDER BY 1") == [("of acme",), ("of globex",)]


def test_a_write_through_a_function_says_where_to_look(
    database: Database, acme: Tenant, globex: Tenant
) -> None:
    database.execute(
        "CREATE FUNCTION wipe(whose text) RETURNS int LANGUAGE sql SECURITY DEFINER AS $$ "
        "DELETE FROM notes WHERE tenant_id = whose; SELECT 1 $$"
    )
    with pytest.raises(ConfigurationError, match='say what its owner looks at, seen="SELECT …"'):
        globex.cannot_write("SELECT wipe(%s)", ["acme"], owner=acme)
    with pytest.raises(AssertionError, match=r"^globex changes what acme sees"):
        globex.cannot_write("SELECT wipe(%s)", ["acme"], owner=acme, seen="TABLE notes")


@pytest.mark.parametrize(
    ("statement", "seen", "because"),
    [
        ("UPDATE notes SET body = body", "", "acme doing it changes nothing that acme sees"),
        ("UPDATE notes SET tenant_id = 'x'", "", "acme could not do it either .new row violates"),
        ("DELETE FROM notes", "TABLE nots", "acme can't look"),
        ("DELETE FROM notes", "SELECT 1", "acme doing it changes nothing that acme sees by SELECT"),
    ],
)
def test_a_write_without_a_control_is_undecided(
    acme: Tenant, globex: Tenant, statement: str, seen: str, because: str
) -> None:
    with pytest.raises(AssertionError, match=f"^undecided: {because}"):
        globex.cannot_write(statement, owner=acme, seen=seen)


def test_a_write_that_failed_of_something_else_is_undecided(
    database: Database, acme: Tenant, globex: Tenant
) -> None:
    database.execute(
        "CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF current_setting('app.tenant') <> 'acme' THEN "
        "RAISE EXCEPTION 'busy' USING ERRCODE = 'lock_not_available'; END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER busy AFTER DELETE ON notes FOR EACH STATEMENT EXECUTE FUNCTION busy()"
    )
    with pytest.raises(AssertionError, match=r"^undecided: globex was not refused, it failed"):
        globex.cannot_write("DELETE FROM notes", owner=acme)


# On a connection that the test has -------------------------------------------------------------


def test_a_lent_connection_shows_what_is_uncommitted_and_stays_as_it_was(
    database: Database, as_tenant: Tenants
) -> None:
    with psycopg.connect(database.url(), row_factory=dict_row) as connection:
        connection.execute("SET search_path = nowhere; SET app.tenant = 'mine'")
        connection.execute("INSERT INTO public.notes (tenant_id, body) VALUES ('acme', 'held')")
        acme, globex = (as_tenant(name, connection) for name in ("acme", "globex"))
        query = "SELECT FROM public.notes WHERE body = 'held'"
        globex.cannot_read(query, owner=acme)
        globex.cannot_write("DELETE FROM public.notes WHERE body = 'held'", owner=acme)
        assert acme.execute("DELETE FROM public.notes RETURNING body") == [("of acme",), ("held",)]
        now = (
            "SELECT session_user, current_setting('app.tenant') AS app, current_schemas(false) AS s"
        )
        left = connection.execute(now).fetchone()
        assert left == {"session_user": "postgres", "app": "mine", "s": []}
        assert connection.execute(query).rowcount == 1
        own = as_tenant("acme")
        with pytest.raises(AssertionError, match=r"^undecided: acme reads no row this way"):
            as_tenant("globex").cannot_read(query, owner=own)
        with pytest.raises(ConfigurationError, match="act on different connections"):
            globex.cannot_read(query, owner=own)
        connection.rollback()


def test_an_idle_lent_connection_is_left_idle(database: Database, as_tenant: Tenants) -> None:
    with psycopg.connect(database.url()) as connection:
        as_tenant("globex", connection).cannot_read(
            "TABLE notes", owner=as_tenant("acme", connection)
        )
        assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize("kind", ["application's", "other"])
def test_a_connection_that_can_not_be_lent(
    database: Database, as_tenant: Tenants, kind: str
) -> None:
    with psycopg.connect(database.url("app")) as connection:
        lent: Any = connection if kind == "application's" else database
        words = "who is no superuser" if kind == "application's" else "of psycopg 3, and this is a"
        with pytest.raises(ConfigurationError, match=words):
            as_tenant("acme", lent)
