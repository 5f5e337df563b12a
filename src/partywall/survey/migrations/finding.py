"""Which tool made a folder of migrations."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError
from partywall.survey.migrations.tool import shown
from partywall.survey.migrations.tools import every_tool

if TYPE_CHECKING:
    from partywall.survey.migrations.tool import Tool

ANY = "plain"
MANY = 1_000


def found(folder: Path, chosen: str = "") -> tuple[Tool, Path]:
    """The tool of *folder*, the *chosen* one or the one it shows, and the folder of its own.

    Raises:
        ConfigurationError: there is nothing of that tool or of any; or of more than one.
    """
    if not folder.exists():
        raise ConfigurationError(f"there is no folder of migrations {folder}")
    folder = folder.absolute()
    known = {tool.name: tool for tool in every_tool()}
    if chosen:
        tool = known.get(chosen.lower().replace("-", "_"))
        if tool is None:
            names = ", ".join(known)
            raise ConfigurationError(f"there is no migration tool {chosen!r}; known are {names}")
        place = tool.find(folder)
        if place is None:
            raise ConfigurationError(f"{folder} holds no migrations of {tool.title}")
        return tool, place
    places = {name: place for name, tool in known.items() if (place := tool.find(folder))}
    plain = places.pop(ANY, None)
    if len(places) > 1:
        raise ConfigurationError(
            f"{folder} holds migrations of {' and of '.join(known[n].title for n in places)}: "
            f"choose with --migrations-tool {' or '.join(places)}"
        )
    for name, place in places.items():
        return known[name], place
    if plain:
        return known[ANY], plain
    raise ConfigurationError(f"{folder} holds no migrations that are known here{_near(folder)}")


def _near(folder: Path) -> str:
    """Where within *folder* SQL files are, for somebody who named the wrong one."""
    near = sorted({str(shown(file.parent)) for file in islice(folder.rglob("*.sql"), MANY)})[:3]
    listed = ", ".join(near)
    return f"; SQL files are in {listed}" if near else ": no SQL file, no tool's own file"
