"""Supabase: ``supabase/migrations/*.sql`` and ``seed.sql``, on what the platform provides.

https://supabase.com/docs/guides/deployment/database-migrations
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from partywall.survey.migrations.tool import Script, holds, read, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSIONED = re.compile(r"^\d+_.*\.sql$")


def find(folder: Path) -> Path | None:
    """The folder ``supabase``: this one, one within, or the one around ``migrations``."""
    folder = folder.absolute()
    inner = folder / "supabase"
    if holds(inner / "migrations", "*.sql"):
        return inner
    for one in (folder, folder.parent):
        named = one.name == "supabase" or (one / "config.toml").is_file()
        if named and holds(one / "migrations", "*.sql") and folder in {one, one / "migrations"}:
            return one
    return None


@tool("Supabase", find, platform="supabase")
def supabase(folder: Path) -> Iterator[Script]:
    """The migrations by version, then the seed; other names are left out, as the CLI does it."""
    for file in sorted((folder / "migrations").glob("*.sql")):
        if VERSIONED.match(file.name):
            yield Script(file, read(file))
    seed = folder / "seed.sql"
    if seed.is_file():
        yield Script(seed, read(seed), whole=False, rows=True)
