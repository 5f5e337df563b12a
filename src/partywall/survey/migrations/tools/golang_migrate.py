"""golang-migrate: ``000001_init.up.sql``.

A file is sent as one message, which PostgreSQL runs as one transaction:
https://github.com/golang-migrate/migrate/tree/master/database/postgres
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from partywall.survey.migrations.tool import Script, first, natural, read, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACES = (".", "migrations", "db/migrations", "database/migrations")


@tool("golang-migrate", partial(first, places=PLACES, pattern="*.up.sql"))
def golang_migrate(folder: Path) -> Iterator[Script]:
    """Every ``.up.sql``, by version."""
    for file in sorted(folder.glob("*.up.sql"), key=natural):
        yield Script(file, read(file))
