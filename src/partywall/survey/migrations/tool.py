"""The contract between a migration tool and the loader: a tool says what to run, in its order.

A tool is one module in `tools`. Most are pure functions from a folder to scripts; what only the
tool's own program can run (Alembic, Django) is a pure function to a command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from partywall.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SECTION = re.compile(r"^\s*--\s*(?P<words>\S.*?)\s*$")
DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Script:
    """One migration's SQL.

    Attributes:
        file: where it stands, for messages.
        text: what to run; its lines are numbered as those of the file.
        whole: run in one transaction, as the tool does it; else each statement in its own.
        rows: it only fills tables: should it fail, that is said and no more.
    """

    file: Path
    text: str
    whole: bool = True
    rows: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A program that migrates a database by itself.

    Attributes:
        words: its command line.
        folder: where to start it.
        environment: what it is told beside the environment of this process.
        stated: what the environment says only where nothing else is said there.
        files: further files it needs, by name, in a folder that is first on Python's path; their
            place in `words` is written ``{files}``.
    """

    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stated: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a program finds the disposable database; everybody on its host is trusted."""

    host: str
    port: int
    user: str
    database: str

    @property
    def url(self) -> str:
        """As one URL, with a password that nobody asks for."""
        return f"postgresql://{self.user}:unused@{self.host}:{self.port}/{self.database}"


Scripts: TypeAlias = "Callable[[Path], Iterable[Script]]"
Program: TypeAlias = "Callable[[Path, str, Address], Command]"


@dataclass(frozen=True, slots=True)
class Tool:
    """One migration tool.

    Attributes:
        name: as `--migrations-tool` takes it.
        title: as people call it.
        find: the folder of the tool's own within the one given, None where it isn't there.
        scripts: the migrations in their order; None for a program.
        program: the command that migrates, from the folder, a Python and the database.
        platform: the name of the stubs that the tool's platform provides, "" for none.
        others: patterns of migrations that the tool has in another language than SQL.
    """

    name: str
    title: str
    find: Callable[[Path], Path | None]
    scripts: Scripts | None = None
    program: Program | None = None
    platform: str = ""
    others: tuple[str, ...] = ()


def tool(
    title: str,
    find: Callable[[Path], Path | None],
    platform: str = "",
    others: tuple[str, ...] = (),
) -> Callable[[Callable[[Path], Iterator[Script]]], Tool]:
    """Register a function that yields a folder's scripts as the tool of its module's name."""

    def registered(scripts: Callable[[Path], Iterator[Script]]) -> Tool:
        return Tool(scripts.__name__, title, find, scripts, None, platform, others)

    return registered


def program(title: str, find: Callable[[Path], Path | None]) -> Callable[[Program], Tool]:
    """Register a function that says the command as the tool of its module's name."""

    def registered(command: Program) -> Tool:
        return Tool(command.__name__, title, find, program=command)

    return registered


def natural(path: Path) -> tuple[tuple[int, str], ...]:
    """By name as people read it: 2 before 10."""
    parts = DIGITS.split(path.name)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def holds(folder: Path, pattern: str) -> bool:
    """Whether a file of that pattern is in *folder*."""
    return folder.is_dir() and any(path.is_file() for path in folder.glob(pattern))


def first(folder: Path, places: Iterable[str], pattern: str) -> Path | None:
    """The first of *places* within *folder* that holds a file of that pattern."""
    return next((folder / p for p in places if holds(folder / p, pattern)), None)


def read(file: Path) -> str:
    """The text of a migration; a byte order mark is left out.

    Raises:
        MigrationError: it can't be read, or is no text in UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{shown(file)} can't be read as text in UTF-8: {error}") from error


def shown(file: Path) -> Path:
    """*file* as messages name it: from the working folder where it lies below."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def section(text: str, begins: str, ends: str) -> tuple[str, str] | None:
    """The part of *text* between two comments, and the words after the first; None without one.

    Its lines keep their numbers: what stands before becomes empty lines.
    """
    kept: list[str] = []
    words: str | None = None
    for line in text.splitlines():
        found = SECTION.match(line)
        said = found["words"].lower() if found else ""
        if words is None:
            kept.append("")
            if said.startswith(begins):
                words = said.removeprefix(begins).strip()
        elif said.startswith(ends):
            break
        else:
            kept.append(line)
    return None if words is None else ("\n".join(kept), words)


def marked(folder: Path, mark: str) -> bool:
    """Whether a script in *folder* has the comment *mark*."""
    return folder.is_dir() and any(
        section(read(file), mark, mark) is not None for file in folder.glob("*.sql")
    )
