"""One town for each file of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.adapters.fastapi.town import Town, settled
from tests.conftest import Database, clear

if TYPE_CHECKING:
    from collections.abc import Iterator

    from partywall.servers import Postgres


@pytest.fixture(scope="module")
def town(postgres18: Postgres) -> Iterator[Town]:
    """A town of this file's own."""
    name = "partywall_town"
    with psycopg.connect(postgres18.url(), autocommit=True) as control:
        control.execute(f"CREATE DATABASE {name}".encode())
        try:
            with (
                psycopg.connect(postgres18.url(name), autocommit=True) as connection,
                settled(Database(postgres18, name, connection)) as town,
            ):
                yield town
        finally:
            clear(control)
