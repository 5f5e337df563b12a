"""What SQL may do in a tenant's file, and what it is told when it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, OperationalError

from partywall.context import TenantContext
from partywall.errors import PartywallError, WallError
from partywall.runtime.events import Observer
from partywall.runtime.housing import provision
from partywall.runtime.lease import KEY, Lease
from tests.runtime.filehouse import BEGIN, READ_ONLY, SYNC_AND_ASYNC, House, housed, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with housed(tmp_path / "tenants") as house:
        yield house


REFUSED = [
    "ATTACH DATABASE '{other}' AS other",
    "attach '{other}' as other",
    "/* a comment */ ATTACH /* and another */ '{other}' AS other -- and a third",
    ";;ATTACH '{other}' AS other",
    "EXPLAIN ATTACH '{other}' AS other",
    "DETACH main",
    "CREATE TEMP TABLE leftover (a)",
    "CREATE TABLE temp.leftover (a)",
    "CREATE TEMP VIEW leftover AS SELECT * FROM orders",
    "CREATE TEMP TRIGGER leftover AFTER INSERT ON orders BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE temp.leftover USING fts5 (a)",
    "CREATE TABLE another (a)",
    "CREATE TRIGGER spy AFTER INSERT ON orders BEGIN DELETE FROM orders; END",
    "CREATE VIEW seen AS SELECT * FROM orders",
    "CREATE INDEX found ON orders (item)",
    "CREATE VIRTUAL TABLE another USING fts5 (a)",
    "ALTER TABLE orders ADD COLUMN another",
    "DROP TABLE orders",
    "ANALYZE",
    "REINDEX",
    "SELECT load_extension('/tmp/evil')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT fts3_tokenizer('simple', x'4141414141414141')",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA main.journal_mode(off)",
    "PRAGMA synchronous = OFF",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA trusted_schema = ON",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA database_list",
    "SELECT * FROM pragma_database_list",
    "PRAGMA application_id = 0",
    "PRAGMA busy_timeout = 0",
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 7",
    "PRAGMA a_later_version_of_sqlite_has_it = 1",
    "INSERT INTO sqlite_master VALUES ('table', 'a', 'a', 1, 'x')",
    "UPDATE sqlite_sequence SET seq = 9",
]


@SYNC_AND_ASYNC
def test_sql_that_reaches_out_of_the_file_or_changes_it_is_refused(
    house: House, *, asynchronous: bool
) -> None:
    other = house.model.path("globex")
    for statement in REFUSED:
        with pytest.raises(WallError, match="is refused in a tenant's file"):
            house.run("acme", statement.format(other=other), asynchronous=asynchronous)


@SYNC_AND_ASYNC
def test_no_file_is_written_by_vacuum_into(
    house: House, tmp_path: Path, *, asynchronous: bool
) -> None:
    copy = tmp_path / "copy.sqlite"
    with pytest.raises(OperationalError, match="from within a transaction"):
        house.run("acme", f"VACUUM INTO '{copy}'", asynchronous=asynchronous)
    with pytest.raises(WallError, match="ATTACH is refused"):  # what VACUUM does inside
        house.run("acme", "COMMIT", f"VACUUM INTO '{copy}'", asynchronous=asynchronous)
    assert not copy.exists()


def test_a_change_of_sqlites_own_catalog_is_refused_by_sqlite(house: House) -> None:
    for statement in ("UPDATE sqlite_master SET sql = 'x'", "DELETE FROM sqlite_master"):
        with pytest.raises(OperationalError, match="may not be modified"):
            house.run("acme", statement)


def test_attach_hides_in_no_other_statement(house: House) -> None:
    hidden = [
        "WITH a AS (ATTACH '{0}' AS other) SELECT 1",
        "SELECT 1; ATTACH '{0}' AS other",
        "SELECT (ATTACH '{0}' AS other)",
        "CREATE TRIGGER a AFTER INSERT ON orders BEGIN ATTACH '{0}' AS other; END",
    ]
    for statement in hidden:
        with pytest.raises((DatabaseError, WallError)):
            house.run("acme", statement.format(house.model.path("globex")))


@SYNC_AND_ASYNC
def test_a_statement_let_through_before_is_asked_about_again(
    house: House, *, asynchronous: bool
) -> None:
    # The runtime itself sent these on the same connection, which keeps what it compiled.
    for statement in ("PRAGMA query_only = OFF", "PRAGMA journal_mode = WAL"):
        for _ in range(2):
            with pytest.raises(WallError):
                house.run("acme", statement, begin=READ_ONLY, asynchronous=asynchronous)


ALLOWED = [
    "SELECT * FROM json_each('[1, 2]')",
    "INSERT INTO notes VALUES ('hello')",
    "SELECT * FROM notes WHERE notes MATCH 'hello'",
    "INSERT INTO numbered DEFAULT VALUES",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n",
    "SELECT name FROM sqlite_master",
    "PRAGMA table_info(orders)",
    "PRAGMA foreign_key_check",
    "PRAGMA integrity_check",
    "PRAGMA defer_foreign_keys = ON",
    "SAVEPOINT a",
    "SELECT upper(item), count(*) OVER () FROM orders",
    "UPDATE orders SET item = 'b' WHERE id = 1 RETURNING id",
]


@SYNC_AND_ASYNC
def test_ordinary_sql_works(house: House, *, asynchronous: bool) -> None:
    for statement in ALLOWED:
        house.run("acme", statement, asynchronous=asynchronous)


def test_sessions_change_tables_only_where_the_model_says_so(tmp_path: Path) -> None:
    house = House(tmp_path / "tenants", alterable=True)
    provision(house.model, "acme", tables)
    alterations = [
        "CREATE TABLE another (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT REFERENCES orders)",
        "INSERT INTO another DEFAULT VALUES",
        "CREATE INDEX found ON another (a)",
        "CREATE VIEW seen AS SELECT * FROM another",
        "CREATE TRIGGER done AFTER INSERT ON another BEGIN DELETE FROM orders; END",
        "ALTER TABLE another RENAME TO renamed",
        "ALTER TABLE renamed RENAME COLUMN a TO b",
        "ALTER TABLE renamed ADD COLUMN c",
        "ALTER TABLE renamed DROP COLUMN c",
        "ANALYZE",
        "REINDEX",
        "DROP VIEW seen",
        "DROP TRIGGER done",
        "DROP INDEX found",
        "DROP TABLE renamed",
        "CREATE VIRTUAL TABLE places USING rtree (id, a, b)",
        "DROP TABLE places",
        "PRAGMA user_version = 7",
    ]
    house.run("acme", *alterations)
    for statement in (
        "CREATE TEMP TABLE leftover (a)",
        "ATTACH ':memory:' AS other",
        "CREATE VIRTUAL TABLE seen USING dbstat",
        "PRAGMA writable_schema = ON",
    ):
        with pytest.raises(WallError):
            house.run("acme", statement)
    house.dispose()


class Told(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.refusals: list[tuple[TenantContext | None, PartywallError]] = []

    def refused(self, context: TenantContext | None, error: PartywallError) -> None:
        self.refusals.append((context, error))


def test_the_observer_is_told_of_a_refusal(house: House) -> None:
    told = Told()
    context = TenantContext("acme")
    lease = Lease(house.model, context, BEGIN, observer=told)
    with house.engine("acme").connect() as plain:
        connection = plain.execution_options(**{KEY: lease})
        with pytest.raises(WallError) as raised:
            connection.execute(text("ATTACH ':memory:' AS other"))
    assert told.refusals == [(context, raised.value)]


def test_a_refused_statement_leaves_its_transaction_to_be_rolled_back(house: House) -> None:
    with pytest.raises(WallError):
        house.run("acme", "INSERT INTO orders VALUES (1, 'a')", "ATTACH 'x' AS other")
    assert house.run("acme", "SELECT count(*) FROM orders") == [(0,)]
