"""The disposable copy: the same walls as the target's, no rows, and nothing left of it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.catalog.reader import snapshot
from partywall.errors import CopyError
from partywall.survey.connecting import connect
from partywall.survey.copying import PREFIX, copied, drop, left_over
from tests.survey.surveys import WALLED

if TYPE_CHECKING:
    from typing import Any

    from partywall.catalog.facts import Relation, Snapshot
    from tests.conftest import Database

ON_15 = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
RICH = (
    WALLED
    + r"""
CREATE ROLE reader;
CREATE SCHEMA "Odd Place" AUTHORIZATION keeper;
GRANT USAGE ON SCHEMA "Odd Place" TO app;
CREATE TABLE "Odd Place"."A ""b" (
    id int GENERATED ALWAYS AS IDENTITY, org int, word text DEFAULT 'it''s \\'
);
GRANT SELECT (word), INSERT ON "Odd Place"."A ""b" TO app;
CREATE VIEW told WITH (security_invoker = true) AS SELECT body FROM notes;
CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM notes;
GRANT SELECT ON told TO app;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public
  AS $$ BEGIN NEW.body := trim(NEW.body); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE notes DISABLE TRIGGER touch;
REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC;
CREATE POLICY late ON notes AS RESTRICTIVE FOR DELETE TO app USING (false);
CREATE SEQUENCE counter; GRANT USAGE ON SEQUENCE counter TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA public GRANT SELECT ON TABLES TO reader;
"""
)
DATABASE_SETTINGS = """
SELECT s.setrole::regrole::text, unnest(s.setconfig) FROM pg_db_role_setting s
JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = %s ORDER BY 1, 2
"""
DATABASE_RIGHTS = """
SELECT a.grantee::regrole::text, a.privilege_type, a.is_grantable, pg_get_userbyid(d.datdba),
       pg_encoding_to_char(d.encoding), d.datcollate
FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
WHERE d.datname = %s ORDER BY 1, 2
"""


def about(relation: Relation) -> tuple[Any, ...]:
    """All of a relation that does not depend on the database it stands in."""
    return (
        relation.qualified, relation.kind, relation.owner, relation.rls, relation.forced,
        dict(relation.options), relation.definition,
        [(c.name, c.type, c.not_null, c.default, c.identity) for c in relation.columns],
        [(p.name, p.command, p.permissive, sorted(p.roles), p.using, p.check)
         for p in relation.policies],
        [(t.name, t.enabled) for t in relation.triggers],
        [(i.name, i.unique, i.columns) for i in relation.indexes],
    )  # fmt: skip


def grants(facts: Snapshot) -> dict[str, Any]:
    held = facts.grants["app"].tables
    return {r.qualified: held.get(r.oid) for r in facts.relations.values()}


def others(database: Database) -> list[str]:
    return [name for (name,) in database.rows(
        f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'"
    )]  # fmt: skip


def test_a_copy_has_the_walls_of_its_original_and_no_rows(database: Database) -> None:
    database.execute(RICH)
    original = snapshot(database.connection, acting=["app"])

    with copied(
        database.connection, [database.name], lambda name: connect(database.url(), name)
    ) as names:
        with psycopg.connect(database.server.url(names[database.name])) as connection:
            copy = snapshot(connection, acting=["app"])
            assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        assert others(database) == [names[database.name]]

    assert [about(r) for r in copy.relations.values()] == [
        about(r) for r in original.relations.values()
    ]
    assert grants(copy) == grants(original)
    assert {f.signature: (f.definer, f.owner, f.settings) for f in copy.functions.values()} == {
        f.signature: (f.definer, f.owner, f.settings) for f in original.functions.values()
    }
    assert {s.name: (s.usage, s.create) for s in copy.schemas.values()} == {
        s.name: (s.usage, s.create) for s in original.schemas.values()
    }
    assert {s.qualified for s in copy.sequences.values()} == {
        s.qualified for s in original.sequences.values()
    }
    assert others(database) == []


def test_a_copy_has_the_privileges_and_settings_of_its_database(database: Database) -> None:
    name = database.name
    database.execute(
        WALLED + f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
        f"GRANT CONNECT ON DATABASE {name} TO app; GRANT CREATE ON DATABASE {name} TO keeper "
        f"WITH GRANT OPTION; ALTER DATABASE {name} SET app.region = 'it''s here';"
        f'ALTER DATABASE {name} SET search_path = public, "Odd Place";'
        f"ALTER ROLE app IN DATABASE {name} SET app.org = '1';"
        f"ALTER ROLE app IN DATABASE {name} SET work_mem = '5MB';"
        f"ALTER DATABASE {name} OWNER TO keeper"
    )
    admin = database.connection
    with copied(admin, [name], lambda place: connect(database.url(), place)) as names:
        copy = names[name]
        assert admin.execute(DATABASE_RIGHTS, [copy]).fetchall() == (
            admin.execute(DATABASE_RIGHTS, [name]).fetchall()
        )
        told = admin.execute(DATABASE_SETTINGS, [copy]).fetchall()
        assert told == admin.execute(DATABASE_SETTINGS, [name]).fetchall()
        assert ("app", "app.org=1") in told


@ON_15
def test_a_setting_that_only_begins_with_app_is_no_other(database: Database) -> None:
    database.execute(f"ALTER DATABASE {database.name} SET app.empty = ''")
    with copied(
        database.connection, [database.name], lambda name: connect(database.url(), name)
    ) as names:
        told = database.connection.execute(DATABASE_SETTINGS, [names[database.name]]).fetchall()
    assert [setting for _, setting in told] == ["app.empty="]


@ON_15
def test_nothing_is_left_after_a_failure_inside(database: Database) -> None:
    database.execute(WALLED)

    def fail() -> None:
        with copied(
            database.connection, [database.name], lambda name: connect(database.url(), name)
        ) as names:
            assert others(database) == list(names.values())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert others(database) == []


@ON_15
def test_nothing_is_left_when_a_signal_comes_between_a_statement_and_its_answer(
    database: Database,
) -> None:
    url, copies = database.url(), list[str]()
    admin = connect(url)

    def interrupted() -> None:
        with copied(admin, [database.name], lambda name: connect(url, name)) as names:
            copies.extend(names.values())
            admin.pgconn.send_query(b"SELECT pg_sleep(600)")
            raise SystemExit(143)

    with pytest.raises(SystemExit):
        interrupted()
    assert admin.closed
    assert copies
    assert left_over(database.connection) == []
    there = database.connection.execute(
        "SELECT datname FROM pg_database WHERE datname = ANY(%s)", [copies]
    )
    assert there.fetchall() == []


def test_a_database_that_is_not_there(database: Database) -> None:
    copying = copied(database.connection, ["nowhere"], lambda name: connect(database.url(), name))

    with ExitStack() as stack, pytest.raises(CopyError, match="no database nowhere"):
        stack.enter_context(copying)
    assert others(database) == []


SURVEY = """
import sys
from partywall.survey.audit import Watch, audit
from partywall.survey.configuration import Configuration, TenantSettings

class Waiting(Watch):
    def stage(self, name):
        if name == "attacking":
            print("ready", flush=True)
            sys.stdin.read()

url, app = sys.argv[1:]
tenants = tuple(
    TenantSettings(n, n, app, (f"SELECT set_config('app.org', '{n}', true)",)) for n in "12"
)
audit(Configuration(url, tenants=tenants), watch=Waiting(), only=frozenset({"read-rows"}))
"""


@ON_15
def test_a_killed_survey_leaves_a_copy_that_can_be_found_and_dropped(database: Database) -> None:
    database.execute(WALLED)
    command = [sys.executable, "-c", SURVEY, database.url(), database.url("app")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        [copy] = others(database)
        assert left_over(database.connection) == []  # the run still lives
        process.kill()
        process.wait()

    deadline = time.monotonic() + 10
    while not left_over(database.connection) and time.monotonic() < deadline:
        pass  # until the server has noticed
    assert left_over(database.connection) == [copy]
    drop(database.connection, [copy])

    assert others(database) == []
    assert left_over(database.connection) == []


@ON_15
def test_a_survey_that_ends_well_leaves_nothing(database: Database) -> None:
    database.execute(WALLED)
    done = subprocess.run(
        [sys.executable, "-c", SURVEY, database.url(), database.url("app")],
        input="", capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == "ready\n"
    assert others(database) == []


@ON_15
def test_a_database_of_somebody_elses_is_not_left_over(database: Database) -> None:
    name = f"{PREFIX}mine_0"
    database.connection.execute(f"CREATE DATABASE {name} TEMPLATE partywall_template".encode())

    assert left_over(database.connection) == []
