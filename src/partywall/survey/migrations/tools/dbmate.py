"""dbmate: one file a migration, its halves told apart by comments with options.

https://github.com/amacneil/dbmate#creating-migrations
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.migrations.tool import Script, marked, natural, read, section, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UP, DOWN = "migrate:up", "migrate:down"
PLACES = (".", "db/migrations", "migrations")


def find(folder: Path) -> Path | None:
    """Where files have the comment ``-- migrate:up``."""
    return next((folder / place for place in PLACES if marked(folder / place, UP)), None)


@tool("dbmate", find)
def dbmate(folder: Path) -> Iterator[Script]:
    """What stands below ``-- migrate:up``, by version."""
    for file in sorted(folder.glob("*.sql"), key=natural):
        if found := section(read(file), UP, DOWN):
            text, options = found
            yield Script(file, text, whole="transaction:false" not in options)
