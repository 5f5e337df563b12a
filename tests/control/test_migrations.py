from __future__ import annotations

import re
import sqlite3
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from partywall.control import memberships, quotas, tenants
from partywall.control.database import Database
from partywall.control.migrations import migrate, newest, revision, script
from partywall.control.tables import SCHEMA, metadata
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.conftest import Database as Place

RELEASED = Path(__file__).parent / "released"
REVISIONS = [each.revision for each in ScriptDirectory.from_config(script()).walk_revisions()]
ACME, ANN = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
UUID = re.compile(r"'(\w{8})-(\w{4})-(\w{4})-(\w{4})-(\w{12})'")


def migrated(url: str) -> str | None:
    """Migrate in a process of its own."""
    database = Database(url)
    migrate(database)
    with database.reading() as connection:
        return revision(connection)


def test_it_is_done_once(house: Database) -> None:
    migrate(house)
    with house.reading() as connection:
        assert revision(connection) == newest()


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_two_processes_at_once(database: Place, tmp_path: Path, kind: str) -> None:
    url = database.url() if kind == "postgresql" else f"sqlite:///{tmp_path / 'house.db'}"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert list(processes.map(migrated, [url, url])) == [newest()] * 2


def test_a_database_of_a_newer_partywall_is_left_alone(house: Database) -> None:
    schema = "" if house.sqlite else f"{SCHEMA}."
    with house.begin() as connection:
        connection.execute(text(f"UPDATE {schema}alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="9999"):
        migrate(house)


def test_the_tables_are_those_that_the_code_has(house: Database) -> None:
    with house.reading() as connection:
        compare(connection)


def compare(connection: Connection) -> None:
    """Hold the tables to be those of the newest revision."""
    schema = None if connection.dialect.name == "sqlite" else SCHEMA
    there = set(inspect(connection).get_table_names(schema))
    assert there - {"alembic_version"} == {table.name for table in metadata.sorted_tables}
    if schema is not None:
        options = {"version_table_schema": SCHEMA, "include_schemas": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
        checks = {
            check["name"]
            for table in there
            for check in inspect(connection).get_check_constraints(table, SCHEMA)
        }
        assert {"tenants_status_check", "works_kind_check", "quotas_used_check"} <= checks


@pytest.mark.parametrize("old", REVISIONS)
@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_house_of_each_revision_is_brought_to_the_newest(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, old: str
) -> None:
    url = f"sqlite:///{tmp_path / 'house.db'}"
    if kind == "postgresql":
        url = request.getfixturevalue("database").url()
    house = Database(url)
    migrate(house, old)
    rows = (RELEASED / f"{old}.sql").read_text(encoding="utf-8")
    with house.begin() as connection:
        if house.sqlite:
            rows = UUID.sub(lambda found: f"'{''.join(found.groups())}'", rows)
        else:
            connection.execute(text("SET LOCAL search_path TO partywall"))
        for statement in filter(str.strip, rows.split(";\n")):
            connection.exec_driver_sql(statement)
    migrate(house)
    with house.reading() as connection:
        compare(connection)
        tenant = tenants.by_slug(connection, "acme")
        member = memberships.get(connection, ACME, ANN)
        assert tenant is not None
        assert (tenant.id, tenant.status, tenant.settings["plan"]) == (ACME, "active", "a")
        assert member is not None
        assert (member.role, member.version) == ("owner", 3)
        assert quotas.usage(connection, ACME) == [quotas.Quota("rows", 100, 7)]
    house.close()


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://x/y"]
)
def test_what_can_not_hold_it(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Database(url)


def test_a_file_that_somebody_is_writing_to_for_the_first_time_is_waited_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "house.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        ending = threading.Timer(0.2, lambda: other.execute("COMMIT"))
        ending.start()
        assert migrated(f"sqlite:///{path}") == newest()
        ending.join()
