"""Migrations on a server: what is mended and said, what ends the run and how it is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.errors import MigrationError
from partywall.survey.migrations import logins
from partywall.survey.migrations.loading import STUBS, Loading
from partywall.survey.migrations.tool import Script

if TYPE_CHECKING:
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres18"], indirect=True)


def loaded(database: Database, *texts: str, whole: bool = True, rows: bool = False) -> list[str]:
    loading = Loading(database.connection)
    for number, text in enumerate(texts, 1):
        loading.run(Script(Path(f"{number}_a.sql"), text, whole, rows))
    return list(loading.notes)


@pytest.mark.parametrize("whole", [True, False])
def test_roles_of_production_are_made_and_said(database: Database, *, whole: bool) -> None:
    said = loaded(
        database,
        "CREATE TABLE a (id int); GRANT SELECT ON a TO reader, public;"
        "CREATE POLICY own ON a TO \"the 'writer'\" USING (true);"
        "DO $$ BEGIN GRANT INSERT ON a TO late; END $$;",
        whole=whole,
    )

    assert said == [
        f"no migration makes the role {name}: it was made, without a login"
        for name in ("reader", "the 'writer'", "late")
    ]
    assert database.rows("SELECT DISTINCT rolcanlogin FROM pg_roles WHERE rolname = 'reader'") == [
        (False,)
    ]


def test_a_role_that_is_only_dropped_is_not_made(database: Database) -> None:
    with pytest.raises(MigrationError, match=r'1_a\.sql:1: role "ghost" does not exist'):
        loaded(database, "DROP ROLE ghost")


def test_extensions_that_the_wheel_lacks_get_a_stand_in(database: Database) -> None:
    said = loaded(
        database,
        'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"; CREATE SCHEMA extensions;'
        "CREATE EXTENSION pgcrypto WITH SCHEMA extensions;"
        "COMMENT ON EXTENSION pgcrypto IS 'x'; CREATE EXTENSION nothing_of_the_sort;"
        "CREATE TABLE a (id uuid DEFAULT uuid_generate_v4(), b bytea DEFAULT"
        " extensions.gen_random_bytes(20)); INSERT INTO a DEFAULT VALUES",
    )

    assert database.rows("SELECT length(b), id IS NOT NULL FROM a") == [(20, True)]
    assert [words.partition(": ")[2] for words in said] == [
        "its functions are stand-ins", "its functions are stand-ins", "it is left out",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "stub", sorted(f.name for f in STUBS.iterdir() if "supabase" not in f.name)
)
def test_every_stand_in_can_be_loaded(database: Database, stub: str) -> None:
    database.execute((STUBS / stub).read_text(encoding="utf-8"))


def test_vectors_have_a_length_and_a_distance(database: Database) -> None:
    database.execute((STUBS / "vector.sql").read_text(encoding="utf-8"))
    said = loaded(
        database,
        "CREATE TABLE a (e vector(1536)); INSERT INTO a VALUES ('[1,2]');"
        "CREATE INDEX ON a USING hnsw (e vector_cosine_ops) WITH (m = 16)",
    )

    assert database.rows("SELECT e <=> '[1,2]'::vector FROM a") == [(0.0,)]
    assert said == ["indexes by hnsw are left out: an extension that is not here"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE a (id int); CREATE INDEX CONCURRENTLY ON a (id); VACUUM a;",
        "CREATE TYPE t AS ENUM ('a'); CREATE TABLE a (t t); ALTER TYPE t ADD VALUE 'b';",
    ],
)
def test_what_needs_no_transaction_gets_none(database: Database, text: str) -> None:
    database.execute("CREATE TYPE u AS ENUM ('a')")
    said = loaded(database, text, "ALTER TYPE u ADD VALUE 'b'; SELECT 'b'::u")

    assert any(
        words.startswith("2_a.sql is run outside of a transaction: SELECT") for words in said
    )
    assert database.rows("SELECT count(*) > -1 FROM a") == [(True,)]


def test_a_script_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(MigrationError) as error:
        loaded(
            database, "CREATE TABLE a (id int);\n\nCREATE VIEW v AS\n  SELECT missing\n  FROM a;"
        )

    assert str(error.value).startswith(
        '1_a.sql:4: column "missing" does not exist (CREATE VIEW v AS'
    )
    assert database.rows("SELECT to_regclass('a')") == [(None,)]


def test_what_a_script_sets_ends_with_it(database: Database) -> None:
    loaded(
        database,
        "CREATE SCHEMA other; SET search_path = other; CREATE ROLE sub; SET ROLE sub;",
        "CREATE TABLE a (id int)",
    )

    assert database.rows("SELECT tableowner, schemaname FROM pg_tables WHERE tablename = 'a'") == [
        ("postgres", "public")
    ]


def test_rows_for_a_start_may_fail(database: Database) -> None:
    [said] = loaded(
        database, "CREATE TABLE a (id int); INSERT INTO b VALUES (1);", whole=False, rows=True
    )

    assert said.startswith("rows for a start were not all inserted: 1_a.sql:1: relation")
    assert database.rows("SELECT count(*) FROM a") == [(0,)]


TABLE = "CREATE TABLE a (id int);"
OWNED = "ALTER TABLE a OWNER TO keeper;"


@pytest.mark.parametrize(
    ("ddl", "declared", "login", "member_of"),
    [
        ("GRANT SELECT ON a TO reader", [], "application", "reader"),
        ("GRANT SELECT ON a TO reader", ["app"], "app", "reader"),
        ("GRANT ALL ON a TO wide; CREATE POLICY p ON a TO narrow USING (true)", [], "application",
         "narrow"),
        ("CREATE ROLE boss BYPASSRLS; GRANT ALL ON a TO boss; GRANT SELECT ON a TO reader", [],
         "application", "reader"),
        ("GRANT SELECT ON a TO app", ["app"], "app", "app"),
        ("CREATE ROLE mine LOGIN; GRANT SELECT ON a TO mine", [], "mine", "mine"),
        ("", [], "application", "application"),
        ("", ["app"], "app", "app"),
    ],
)  # fmt: skip
def test_the_login_gets_what_the_migrations_grant(
    database: Database, ddl: str, declared: list[str], login: str, member_of: str
) -> None:
    database.execute("CREATE ROLE keeper LOGIN")
    loaded(database, TABLE + OWNED + ddl)
    said: list[str] = []

    logins.provide(database.connection, "keeper", declared, said.append)

    with psycopg.connect(database.url(login)) as connection:
        row = connection.execute("SELECT pg_has_role(%s, 'USAGE')", [member_of]).fetchone()
    assert row == (True,)
    assert len(said) == (login != "mine" and not (ddl and member_of == "app"))
