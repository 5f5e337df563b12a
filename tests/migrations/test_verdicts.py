"""The same mistake in the migrations of each tool is found, and its absence is held."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from partywall.survey.audit import audit
from partywall.survey.configuration import Configuration
from partywall.survey.migrations import logins
from partywall.survey.migrations.finding import found
from partywall.survey.migrations.loading import Loading
from partywall.survey.migrations.tools import every_tool
from tests.migrations.projects import Kind, project

if TYPE_CHECKING:
    from tests.conftest import Database

pytestmark = pytest.mark.parametrize("server", ["postgres15"], indirect=True)
SCRIPTED = [tool.name for tool in every_tool() if tool.scripts and not tool.platform]
ONLY = frozenset({"read-rows"})


@pytest.mark.parametrize(
    ("tool", "kind"), [("plain", "sound"), *((tool, "leaky") for tool in SCRIPTED)]
)
def test_the_wall_that_the_migrations_make(
    database: Database, tmp_path: Path, tool: str, kind: Kind
) -> None:
    migration_tool, place = found(project(tmp_path, tool, kind))
    assert migration_tool.scripts
    loading = Loading(database.connection)
    for script in migration_tool.scripts(place):
        loading.run(script)
    logins.provide(database.connection, "postgres", [], loading.note)

    report = audit(Configuration(database.url()), only=ONLY)

    assert (report.verdict, report.controls["failed"]) == (
        "held" if kind == "sound" else "breached", 0,
    )  # fmt: skip
    assert {one.at for one in report.findings} == (set() if kind == "sound" else {"public.notes"})
