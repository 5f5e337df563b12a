"""Flyway: ``V1.2__name.sql`` by version, then ``R__name.sql``; undo scripts are not run.

https://documentation.red-gate.com/fd/migrations-184127470.html
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from partywall.errors import MigrationError
from partywall.survey.migrations.tool import Script, first, read, shown, tool
from partywall.survey.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLACES = (
    ".", "sql", "migrations", "db/migration", "src/main/resources/db/migration",
    "src/main/resources/db/migration/postgresql",
)  # fmt: skip
FILES = ("flyway.toml", "flyway.conf", "conf/flyway.toml", "conf/flyway.conf")
NAME = re.compile(r"^(?P<kind>[VBR])(?P<version>[\d._]*)__(?P<words>.+)\.sql$")
CALLBACK = re.compile(r"^(?P<event>beforeMigrate|afterMigrate)(__.*)?\.sql$")
PLACEHOLDER = re.compile(r"\$\{(?P<name>[^}]+)\}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What flyway.toml or flyway.conf says, and of it what is understood here."""

    locations: tuple[Path, ...]
    placeholders: Mapping[str, str] = field(default_factory=dict)
    replacing: bool = True
    schema: str = ""


def find(folder: Path) -> Path | None:
    """Where Flyway's configuration is, or scripts with its names."""
    if any((folder / name).is_file() for name in FILES):
        return folder
    return first(folder, PLACES, "V*__*.sql")


@tool("Flyway", find, others=("**/V*__*.java", "**/V*__*.kt"))
def flyway(folder: Path) -> Iterator[Script]:
    """Callbacks before, a baseline or none, versions above it, repeatable scripts, callbacks after.

    Raises:
        MigrationError: a placeholder has no value.
    """
    settings = configured(folder)
    files = sorted({file for place in settings.locations for file in place.rglob("*.sql")})
    if settings.schema:
        schema = identifier(settings.schema)
        yield Script(folder, f"CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema}")
    for file in ordered(files):
        path = f"SET search_path = {identifier(settings.schema)}; " if settings.schema else ""
        yield Script(file, path + filled(file, read(file), settings))


def ordered(files: list[Path]) -> Iterator[Path]:
    """The scripts that Flyway would run on an empty database, in its order."""
    named = [(found, file) for file in files if (found := NAME.match(file.name))]
    kinds: dict[str, list[tuple[tuple[int, ...], str, Path]]] = {"V": [], "B": [], "R": []}
    for found, file in named:
        kinds[found["kind"]].append((version(found["version"]), found["words"], file))
    baseline = max(kinds["B"], default=None)
    yield from (f for f in files if (c := CALLBACK.match(f.name)) and c["event"].startswith("b"))
    if baseline:
        yield baseline[2]
    for number, _, file in sorted(kinds["V"]):
        if baseline is None or number > baseline[0]:
            yield file
    for _, _, file in sorted(kinds["R"], key=lambda one: one[1]):
        yield file
    yield from (f for f in files if (c := CALLBACK.match(f.name)) and c["event"].startswith("a"))


def version(text: str) -> tuple[int, ...]:
    """``1.2`` and ``1_2`` as numbers; zeros at the end say nothing."""
    numbers = [int(part) for part in re.split(r"[._]", text) if part]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def filled(file: Path, text: str, settings: Settings) -> str:
    """*text* with every placeholder replaced."""
    if not settings.replacing:
        return text
    known = {
        "flyway:database": "app", "flyway:user": "migrations", "flyway:filename": file.name,
        "flyway:defaultschema": settings.schema or "public",
        "flyway:timestamp": datetime.now(tz=UTC).isoformat(sep=" "),
    }  # fmt: skip
    known |= settings.placeholders

    def value(found: re.Match[str]) -> str:
        name = found["name"].lower()
        variable = "FLYWAY_PLACEHOLDERS_" + name.upper()
        if name in known or variable in os.environ:
            return known[name] if name in known else os.environ[variable]
        line = text.count("\n", 0, found.start()) + 1
        raise MigrationError(
            f"{shown(file)}:{line}: the placeholder {found[0]} has no value: give it in "
            f"flyway.toml ([flyway.placeholders]), or as the environment variable {variable}"
        )

    return PLACEHOLDER.sub(value, text)


def configured(folder: Path) -> Settings:
    """The settings, from the first of Flyway's files that is there."""
    file = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if file is None:
        return Settings((folder,))
    said = _flat(_toml(file)) if file.suffix == ".toml" else _lines(file)
    named = [one.strip() for one in said.get("locations", "").split(",") if one.strip()]
    prefix = "placeholders."
    return Settings(
        tuple(place for one in named for place in _places(folder, one)) or _usual(folder),
        {k.removeprefix(prefix).lower(): v for k, v in said.items() if k.startswith(prefix)},
        said.get("placeholderReplacement", "true").lower() != "false",
        said.get("defaultSchema") or said.get("schemas", "").split(",")[0].strip(),
    )


def _usual(folder: Path) -> tuple[Path, ...]:
    return (first(folder, PLACES, "V*__*.sql") or folder,)


def _places(folder: Path, location: str) -> Iterator[Path]:
    """``filesystem:sql`` is a path; ``classpath:db/migration`` lies where builds put resources."""
    kind, _, path = location.rpartition(":")
    path = path.partition("*")[0]
    tried = [
        folder / path,
        *([folder / "src/main/resources" / path] if kind != "filesystem" else []),
    ]
    yield from (place for place in tried if place.is_dir())


def _toml(file: Path) -> Mapping[str, Any]:
    try:
        values = tomllib.loads(read(file))
    except tomllib.TOMLDecodeError as error:
        raise MigrationError(f"{file} can't be read as TOML: {error}") from error
    found = values.get("flyway", {})
    return found if isinstance(found, dict) else {}


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            found[before + name] = ",".join(str(one) for one in value)
        else:
            found[before + name] = str(value)
    return found


def _lines(file: Path) -> dict[str, str]:
    pairs = (line.strip().partition("=") for line in read(file).splitlines())
    return {
        name.strip().removeprefix("flyway."): value.strip()
        for name, equals, value in pairs
        if equals and not name.startswith("#")
    }
