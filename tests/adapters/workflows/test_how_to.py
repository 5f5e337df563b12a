"""The how-to of workflows does what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.workflows.application import KEY
from tests.blocks import blocks, run

if TYPE_CHECKING:
    from tests.conftest import Database

PAGE = "how-to/workflows.md"


@pytest.mark.parametrize("server", ["postgres15"], indirect=True)
def test_workflows(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [statements] = blocks(PAGE, "sql")
    database.execute("CREATE ROLE app LOGIN")
    database.execute(statements.replace("DATABASE app", f"DATABASE {database.name}"))
    monkeypatch.setenv("DATABASE_URL", database.url("app"))
    monkeypatch.setenv("WORKFLOWS_URL", database.url("works"))
    monkeypatch.setenv("WORKFLOWS_KEY", KEY)
    run(PAGE)
    assert capsys.readouterr().out == "".join(blocks(PAGE, "text"))
