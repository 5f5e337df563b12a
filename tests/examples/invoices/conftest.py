"""One running application for each isolation model, on one PostgreSQL server of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from partywall.servers import Postgres, postgres
from tests.conftest import installation
from tests.examples.invoices import behind
from tests.examples.invoices.houses import ISOLATIONS, House, running
from tests.examples.invoices.pairs import Pair, furnished

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = (
    "CREATE ROLE app LOGIN",
    "CREATE ROLE owner LOGIN CREATEDB CREATEROLE",
    "CREATE ROLE house LOGIN",
    "GRANT app TO owner WITH ADMIN OPTION",
)
"""As examples/invoices/README.md has them."""

SETTINGS = {"max_connections": "200", "shared_preload_libraries": "pg_stat_statements"}


@pytest.fixture(scope="session")
def invoices_server() -> Iterator[Postgres]:
    """A server that no other test clears up."""
    with postgres(installation(embedded=True), SETTINGS) as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for role in (*ROLES, "CREATE EXTENSION pg_stat_statements"):
                connection.execute(role.encode())
        yield server


@pytest.fixture(scope="session", params=ISOLATIONS)
def house(
    request: pytest.FixtureRequest,
    invoices_server: Postgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """The application on each isolation model in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    with running(request.param, invoices_server, folder) as house:
        yield house


@pytest.fixture(scope="session")
def pair(house: House) -> Pair:
    """Two companies that have something of everything."""
    return Pair(furnished(house.company()), furnished(house.company()))


@pytest.fixture(scope="session")
def administrator(house: House) -> dict[str, str]:
    """The credentials of somebody who may administrate all companies."""
    return behind.administrator(house)
