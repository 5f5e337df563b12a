"""Drizzle Kit: SQL files, their order in ``meta/_journal.json``.

https://orm.drizzle.team/docs/kit-overview
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from partywall.errors import MigrationError
from partywall.survey.migrations.tool import Script, first, read, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLACES = (".", "drizzle", "drizzle/migrations", "src/db/migrations")


@tool("Drizzle", partial(first, places=PLACES, pattern="meta/_journal.json"))
def drizzle(folder: Path) -> Iterator[Script]:
    """Every file that the journal names, in its order.

    Raises:
        MigrationError: the journal is none, or names a file that isn't there.
    """
    journal = folder / "meta" / "_journal.json"
    try:
        entries = sorted(json.loads(read(journal))["entries"], key=lambda entry: entry["idx"])
        files = [folder / f"{entry['tag']}.sql" for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise MigrationError(f"{journal} is no journal of Drizzle Kit: {error!r}") from error
    for file in files:
        if not file.is_file():
            raise MigrationError(f"{journal} names {file.name}, which is not there")
        yield Script(file, read(file))
