"""A test leaves nothing behind on the server that it shares with the next."""

import psycopg
import pytest

from partywall.servers import Postgres
from tests.conftest import KEPT_DATABASES, OTHER_DATABASES, OTHER_ROLES, Database, clear

DEBRIS = """
CREATE ROLE keeper CREATEROLE;
CREATE ROLE app LOGIN IN ROLE keeper;
GRANT pg_read_all_data TO app WITH ADMIN OPTION;
CREATE TABLE mine (id int);
ALTER TABLE mine OWNER TO app;
GRANT CREATE ON DATABASE postgres TO app;
GRANT SET ON PARAMETER log_min_messages TO app;
ALTER ROLE ALL SET app.tenant TO 'everyone';
ALTER ROLE postgres SET app.tenant TO 'boss';
"""
SLOT = "SELECT pg_create_logical_replication_slot('moving', 'pgoutput')"


def test_the_next_test_finds_the_server_as_it_was_started(database: Database) -> None:
    database.execute(DEBRIS)
    database.execute(SLOT)
    database.execute('CREATE DATABASE "Of a Tenant"')
    with psycopg.connect(database.server.url(), autocommit=True) as control:
        clear(control)
        assert control.execute(OTHER_ROLES).fetchall() == []
        assert control.execute(OTHER_DATABASES, [KEPT_DATABASES]).fetchall() == []
        assert control.execute("SELECT * FROM pg_db_role_setting").fetchall() == []
        assert control.execute("SELECT * FROM pg_replication_slots").fetchall() == []


def test_a_role_of_the_test_logs_in_without_a_password(database: Database) -> None:
    database.execute("CREATE ROLE app LOGIN")
    assert database.rows("SELECT current_user, current_database()", user="app") == [
        ("app", database.name)
    ]


def test_the_servers_can_decode_their_changes(server: Postgres) -> None:
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)


@pytest.mark.parametrize("extension", ["pgcrypto", "uuid-ossp", "citext", "btree_gist", "ltree"])
def test_the_system_s_server_has_contrib(postgres15: Postgres, extension: str) -> None:
    query = "SELECT count(*) FROM pg_available_extensions WHERE name = %s"
    with psycopg.connect(postgres15.url()) as connection:
        assert connection.execute(query, [extension]).fetchone() == (1,)
