"""The control plane's database, migrated, on both kinds."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from partywall.control.database import Database
from partywall.control.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = ("postgresql", "sqlite")


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("house") / "house.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(params=KINDS)
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A control plane's database of the test's own."""
    if request.param == "sqlite":
        path = tmp_path / "house.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        opened = Database(f"sqlite:///{path}")
    else:
        opened = Database(request.getfixturevalue("database").url())
        migrate(opened)
    yield opened
    opened.close()


@pytest.fixture
def server(postgres15: object) -> object:
    """One PostgreSQL is enough: the control plane asks nothing of it that is new."""
    return postgres15
