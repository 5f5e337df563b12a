"""SQL files in the order of their names, as ``psql -f`` would run them one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.survey.migrations.tool import Script, holds, natural, read, tool

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKWARDS = re.compile(r"(^|[._-])(down|undo|rollback|revert|drop)\.sql$", re.IGNORECASE)


def find(folder: Path) -> Path | None:
    """A folder with SQL files, or one SQL file."""
    return folder if folder.suffix == ".sql" or holds(folder, "*.sql") else None


@tool("plain SQL files", find)
def plain(folder: Path) -> Iterator[Script]:
    """Every file but those that undo others (``.down.sql``)."""
    if folder.is_file():
        yield Script(folder, read(folder), whole=False)
        return
    for file in sorted(folder.glob("*.sql"), key=natural):
        if not BACKWARDS.search(file.name):
            yield Script(file, read(file), whole=False)
