"""PW252 shared-writable, on real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from partywall.survey.configuration import PublicRows
from tests.survey.surveys import WALLED, found, quiet

if TYPE_CHECKING:
    from partywall.survey.attack import Place
    from tests.conftest import Database
    from tests.survey.surveys import Survey

UPLOADS = """
CREATE TABLE uploads (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL DEFAULT 'file',
    body text NOT NULL, size int NOT NULL
);
"""


@pytest.mark.parametrize("place", ["copy", "target"])
def test_what_b_writes_a_reads(database: Database, survey: Survey, place: Place) -> None:
    database.execute(WALLED + UPLOADS + "GRANT SELECT, INSERT ON uploads TO app")
    report = survey("shared-writable", place=place, attacker="query")
    assert found(report) == {("read", "public.uploads")}
    assert database.rows("SELECT FROM uploads") == []


def test_rows_without_text_are_counted(database: Database, survey: Survey) -> None:
    database.execute(WALLED + "CREATE TABLE hits (at timestamptz NOT NULL DEFAULT now())")
    database.execute("GRANT SELECT, INSERT ON hits TO app")
    assert found(survey("shared-writable")) == {("detect", "public.hits")}


@pytest.mark.parametrize("grant", ["SELECT", "INSERT"])
def test_only_to_be_read_or_only_to_be_written(
    database: Database, survey: Survey, grant: str
) -> None:
    database.execute(WALLED + UPLOADS + f"GRANT {grant} ON uploads TO app")
    assert quiet(survey("shared-writable"))


def test_what_is_public_by_design(database: Database, survey: Survey) -> None:
    database.execute(WALLED + UPLOADS + "GRANT SELECT, INSERT ON uploads TO app")
    public = (PublicRows("public.uploads", "true"),)
    assert quiet(survey("shared-writable", public=public))


def test_what_a_alone_may_write_b_reads(database: Database, survey: Survey) -> None:
    database.execute(
        WALLED + UPLOADS + "CREATE ROLE app_two LOGIN; GRANT USAGE ON SCHEMA public TO app_two;"
        "GRANT SELECT ON notes, uploads TO app, app_two; GRANT INSERT ON uploads TO app"
    )
    report = survey("shared-writable", logins=("app", "app_two"))
    assert found(report) == {("write", "public.uploads")}
