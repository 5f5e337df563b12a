"""PW253 cross-database, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.survey.surveys import found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

OTHER = "partywall_other"
TABLE = "CREATE TABLE contacts (id int PRIMARY KEY, name text NOT NULL);"


@pytest.fixture
def other(database: Database) -> psycopg.Connection:
    """The database of B, with the logins of both."""
    database.execute("CREATE ROLE app_one LOGIN; CREATE ROLE app_two LOGIN")
    database.execute(f"CREATE DATABASE {OTHER}")
    database.execute(TABLE + "GRANT SELECT, INSERT ON contacts TO app_one")
    connection = psycopg.connect(database.server.url(OTHER), autocommit=True)
    connection.execute((TABLE + "GRANT SELECT, INSERT ON contacts TO app_two").encode())
    return connection


def ways(database: Database) -> dict[str, object]:
    return {
        "attacker": "query", "enter": "", "logins": ("app_one", "app_two"),
        "ids": (database.name, OTHER), "databases": (database.name, OTHER),
    }  # fmt: skip


@pytest.mark.parametrize("place", ["copy", "target"])
def test_connect_is_everyones_by_default(
    database: Database, survey: Survey, other: psycopg.Connection, place: Place
) -> None:
    other.execute("GRANT SELECT ON contacts TO PUBLIC")
    other.close()
    report = survey("cross-database", place=place, **ways(database))  # type: ignore[arg-type]
    assert found(report) == {
        ("read", f"{OTHER}: public.contacts"),
        ("detect", f"database {OTHER}"),
    }
    assert not any("partywall_copy" in at for at, _ in report.cells)  # another name each time
    database.execute(report.findings[0].fix)
    assert quiet(survey("cross-database", **ways(database)))  # type: ignore[arg-type]


def test_what_may_only_be_listed(
    database: Database, survey: Survey, other: psycopg.Connection
) -> None:
    other.close()
    report = survey("cross-database", **ways(database))  # type: ignore[arg-type]
    assert found(report) == {("detect", f"database {OTHER}")}
    assert report.cells[f"database {OTHER}", "detect"] == "breached"
    assert {at for at, _ in report.cells} == {f"database {OTHER}"}  # and not its copy


def test_writing_there(database: Database, survey: Survey, other: psycopg.Connection) -> None:
    other.execute("GRANT INSERT ON contacts TO app_one")
    other.close()
    report = survey("cross-database", **ways(database))  # type: ignore[arg-type]
    assert ("write", f"{OTHER}: public.contacts") in found(report)


@pytest.mark.parametrize("place", ["copy", "target"])
def test_without_connect_nothing_else_matters(
    database: Database, survey: Survey, other: psycopg.Connection, place: Place
) -> None:
    other.execute("GRANT SELECT ON contacts TO PUBLIC")
    other.execute(f"REVOKE CONNECT ON DATABASE {OTHER} FROM PUBLIC".encode())
    other.execute(f"GRANT CONNECT ON DATABASE {OTHER} TO app_two".encode())
    other.close()
    report = survey("cross-database", place=place, **ways(database))  # type: ignore[arg-type]
    assert quiet(report)
