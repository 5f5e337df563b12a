"""One database a module, its schema made anew for every test: planting needs many schemas."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from partywall.servers import Postgres
from tests.conftest import Database

NAME = "planting"
EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"
ROLE = (
    "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'app_user') "
    "THEN CREATE ROLE app_user LOGIN; END IF; END $$"
)


@pytest.fixture(scope="module")
def module_database(postgres15: Postgres) -> Iterator[Database]:
    with psycopg.connect(postgres15.url(), autocommit=True) as control:
        control.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)".encode())
        control.execute(f"CREATE DATABASE {NAME}".encode())
        with psycopg.connect(postgres15.url(NAME), autocommit=True) as connection:
            connection.execute(ROLE)
            yield Database(postgres15, NAME, connection)
        control.execute(f"DROP DATABASE {NAME} WITH (FORCE)".encode())


@pytest.fixture
def land(module_database: Database) -> Database:
    """An empty database."""
    module_database.execute(EMPTY)
    return module_database
