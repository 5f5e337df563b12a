"""Prisma: a folder a migration, each with a ``migration.sql``.

https://www.prisma.io/docs/orm/prisma-migrate/understanding-prisma-migrate/migration-histories
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from partywall.survey.migrations.tool import Script, first, read, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACES = (".", "migrations", "prisma/migrations")


@tool("Prisma", partial(first, places=PLACES, pattern="*/migration.sql"))
def prisma(folder: Path) -> Iterator[Script]:
    """Every ``migration.sql``, in the order of its folder's name."""
    for file in sorted(folder.glob("*/migration.sql")):
        yield Script(file, read(file))
