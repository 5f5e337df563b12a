"""A database with the demo's application; one server is enough to test a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from partywall.servers import Postgres
from tests.cli.harbour import Harbour
from tests.cli.harbour import harbour as built
from tests.conftest import Database


@pytest.fixture(scope="session")
def server(postgres18: Postgres) -> Postgres:
    return postgres18


@pytest.fixture
def harbour(database: Database, tmp_path: Path) -> Harbour:
    return built(database, tmp_path)
