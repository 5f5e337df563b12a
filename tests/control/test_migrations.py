from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from partywall.control.database import Database
from partywall.control.migrations import migrate, newest, revision
from partywall.control.tables import SCHEMA, metadata
from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Database as Place


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
        there = set(inspect(connection).get_table_names(None if house.sqlite else SCHEMA))
        assert there - {"alembic_version"} == {table.name for table in metadata.sorted_tables}
        if not house.sqlite:
            options = {"version_table_schema": SCHEMA, "include_schemas": True}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, metadata) == []
            checks = {
                check["name"]
                for table in there
                for check in inspect(connection).get_check_constraints(table, SCHEMA)
            }
            assert {"tenants_status_check", "works_kind_check", "quotas_used_check"} <= checks


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql+asyncpg://x/y"]
)
def test_what_can_not_hold_it(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Database(url)
