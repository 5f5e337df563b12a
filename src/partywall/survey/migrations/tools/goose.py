"""goose: one file a migration, its halves told apart by comments.

https://pressly.github.io/goose/documentation/annotations/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from partywall.survey.migrations.tool import Script, marked, natural, read, section, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UP, DOWN, LOOSE = "+goose up", "+goose down", "+goose no transaction"
PLACES = (".", "migrations", "db/migrations", "sql/migrations")


def find(folder: Path) -> Path | None:
    """Where files have the comment ``-- +goose Up``."""
    return next((folder / place for place in PLACES if marked(folder / place, UP)), None)


@tool("goose", find, others=("[0-9]*.go",))
def goose(folder: Path) -> Iterator[Script]:
    """What stands below ``-- +goose Up``, by version; migrations in Go are not SQL."""
    for file in sorted(folder.glob("*.sql"), key=natural):
        text = read(file)
        if found := section(text, UP, DOWN):
            yield Script(file, found[0], whole=section(text, LOOSE, LOOSE) is None)
