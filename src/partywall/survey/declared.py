"""How a configuration file is read: TOML as values, each fault named with its place.

What the survey at hand doesn't read is never looked at: a probe needs no database's password.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from partywall.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

REFERENCE = re.compile(r"\$\{(\w+)\}")
FILES = (Path("partywall.toml"), Path("pyproject.toml"))

Toml: TypeAlias = Any
"""Any value that TOML can hold."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file; ``${NAME}`` in a text is replaced when the text is asked for.

    Attributes:
        where: as messages name it, ``[tenants.acme]``.
        folder: of the file; relative paths start there.
        secrets: whether each variable it names has to be set; else it counts as empty.
    """

    values: Mapping[str, Toml]
    where: str
    folder: Path
    secrets: bool = True

    def only(self, known: AbstractSet[str]) -> Table:
        """The same table.

        Raises:
            ConfigurationError: it has other keys than *known*.
        """
        if unknown := sorted(set(self.values) - known):
            raise ConfigurationError(
                f"{self.where} has unknown keys: {', '.join(map(meant(known), unknown))}; "
                f"known are {', '.join(sorted(known))}"
            )
        return self

    def table(self, name: str) -> Table:
        """The table of that name; empty when there is none."""
        value = self.values.get(name, {})
        where = self._inner(name)
        if not isinstance(value, dict):
            raise ConfigurationError(f"{name} must be a table, as in {where}")
        return Table(value, where, self.folder, self.secrets)

    def named(self, name: str) -> dict[str, Table]:
        """The tables within a table, by name: ``[tenants.acme]`` and its like."""
        outer = self.table(name)
        return {inner: outer.table(inner) for inner in outer.values}

    def tables(self, name: str) -> list[Table]:
        """A list of tables: ``[[public]]``."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise ConfigurationError(f"{name} must be a list of tables, as in [[{name}]]")
        return [Table(entry, f"[[{name}]]", self.folder, self.secrets) for entry in value]

    def text(self, name: str, default: str | None = None) -> str:
        """A text, or a whole number as one; without *default* it is needed."""
        value = self.values.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ConfigurationError(f'{self.where} needs {name} = "…"')
        return str(self._expanded(value, name))

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; () when there is none."""
        value = self.values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise ConfigurationError(f'{self.where} needs {name} = ["…"], a list of texts')
        return tuple(self._expanded(value, name))

    def pairs(self, name: str) -> dict[str, str]:
        """A table of texts by name; numbers are written out."""
        inner = self.table(name)
        return {key: inner.text(key) for key in inner.values}

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise ConfigurationError(f"{self.where} needs {name} = true or {name} = false")
        return value

    def number(self, name: str, default: float) -> float:
        """A number that is not negative."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ConfigurationError(f"{self.where} needs {name} = a number, 0 or more")
        return value

    def path(self, name: str) -> Path | None:
        """A file that is there, None where none is named."""
        return self.file(self.text(name), name) if name in self.values else None

    def file(self, text: str, name: str) -> Path:
        """The file *text* that the key *name* names.

        Raises:
            ConfigurationError: there is none.
        """
        found = self.folder / text
        if not found.is_file():
            raise ConfigurationError(f"{f'{self.where} {name}'.strip()}: there is no file {found}")
        return found

    def value(self, name: str, default: Toml = None) -> Toml:
        """Whatever stands there."""
        return self._expanded(self.values.get(name, default), name)

    def contents(self) -> dict[str, Toml]:
        """All that stands in it."""
        return {name: self.value(name) for name in self.values}

    def _inner(self, name: str) -> str:
        outer = self.where[1:-1] if self.where.startswith("[") else ""
        return f"[{outer}.{name}]" if outer else f"[{name}]"

    def _expanded(self, value: Toml, name: str) -> Toml:
        if isinstance(value, dict):
            return {key: self._expanded(inner, f"{name}.{key}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self._expanded(inner, name) for inner in value]
        if not isinstance(value, str):
            return value

        def environment(match: re.Match[str]) -> str:
            if match[1] not in os.environ and not self.secrets:
                return ""
            if match[1] not in os.environ:
                raise ConfigurationError(
                    f"{self.where} {name} names the environment variable {match[1]}, "
                    "which is not set"
                )
            return os.environ[match[1]]

        return REFERENCE.sub(environment, value)


def meant(known: Iterable[str]) -> Callable[[str], str]:
    """How to name what is not *known*: with what may have been meant, where that is clear."""
    names = sorted(known)

    def named(unknown: str) -> str:
        near = get_close_matches(unknown, names, 1)
        return f"{unknown} (did you mean {near[0]}?)" if near else unknown

    return named


def document(path: Path | None, known: AbstractSet[str], *, secrets: bool = True) -> Table:
    """The whole file: *path*, or ``partywall.toml``, or ``[tool.partywall]`` of pyproject.toml.

    Without any file it is empty.

    Raises:
        ConfigurationError: *path* isn't there, a file is no TOML, or has other tables than *known*.
    """
    for candidate in [path] if path else FILES:
        if not candidate.exists() or (candidate.is_dir() and not path):
            continue
        try:
            values = tomllib.loads(candidate.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise ConfigurationError(f"{candidate} can't be read as TOML: {error}") from error
        whole = Table(values, "the top level", candidate.absolute().parent, secrets)
        if candidate.name == "pyproject.toml":
            whole = replace(whole.table("tool").table("partywall"), where=whole.where)
        return whole.only(known)
    if path:
        raise ConfigurationError(f"there is no configuration file {path}")
    return Table({}, "the top level", Path.cwd(), secrets)
