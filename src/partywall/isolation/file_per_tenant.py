"""File per tenant: one SQLite file for each, in a sharded folder.

A file's whole path follows from the tenant's physical name, whose characters are ``a-z0-9_$``: no
separator, no dot, no capital, and an underscore in the prefix, which no reserved name of Windows
(con, nul, com1) has. So no id leads out of the folder, and no two ids to one file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from partywall.errors import ConfigurationError
from partywall.isolation.naming import physical_name
from partywall.isolation.plan import IsolationModel, Place

if TYPE_CHECKING:
    from partywall.context import TenantContext

LIVING, DEAD = ".sqlite", ".deleted"


@dataclass(frozen=True, kw_only=True)
class FilePerTenant(IsolationModel):
    """Each tenant's tables stand in a SQLite file of its own, below *folder*.

    Attributes:
        folder: where the files lie, two levels down: `ab/cd/t_….sqlite`. Made absolute. It may
            be a symbolic link itself; nothing below it may.
        prefix: what every file's name begins with; ends in an underscore.
        durable: whether a commit is on the disk when it returns (`synchronous=FULL`). Without, a
            power cut may take the last commits, but never leaves half of one.
        alterable: whether sessions may create, alter and drop tables. Off, since that is the work
            of migrations; temporary tables are refused either way.
        busy_timeout_s: how long to wait for another writer of the same tenant.

    Raises:
        ConfigurationError: for an empty folder, one with a NUL, or a prefix without its underscore.
    """

    dialects: ClassVar[frozenset[str]] = frozenset({"sqlite"})
    folder: str
    prefix: str = "t_"
    durable: bool = True
    alterable: bool = False
    busy_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Hold the folder, so that a later `chdir` doesn't move it."""
        if not self.folder or "\0" in os.fspath(self.folder):
            raise ConfigurationError(
                'files of tenants need a folder of their own: FilePerTenant(folder="/var/lib/…")'
            )
        if not self.prefix.endswith("_"):
            raise ConfigurationError(
                f"{self.prefix!r} can't begin the files of tenants: end it with an underscore, "
                "without which a file could bear a name that Windows reserves"
            )
        # As SQLAlchemy makes a path absolute: without a look at the disk.
        object.__setattr__(self, "folder", os.path.abspath(self.folder))  # noqa: PTH100

    def place(self, context: TenantContext) -> Place:
        """The tenant's file."""
        path = self.path(context.tenant_id)
        return Place(Path(path).stem, database=path)

    def path(self, tenant: object) -> str:
        """Where the tenant's file lies, or would lie.

        Raises:
            MissingTenant: when *tenant* is no id, or one too long for a name.
        """
        name = physical_name(tenant, self.prefix)
        digest = sha256(name.encode()).hexdigest()
        return str(Path(self.folder, digest[:2], digest[2:4], name + LIVING))

    def tombstone(self, tenant: object) -> str:
        """The file that says the tenant was deleted, and keeps its name from being given out."""
        return tombstone_of(self.path(tenant))


def tombstone_of(path: str) -> str:
    """The tombstone beside the file of a tenant."""
    return path.removesuffix(LIVING) + DEAD


def mark_of(path: str) -> int:
    """What a tenant's file carries as its `application_id`: a 31-bit hash of its physical name.

    It tells the file of one tenant from that of another which a restore or a rename put in its
    place. Zero is the mark of no tenant.
    """
    return int.from_bytes(sha256(Path(path).stem.encode()).digest()[-4:]) & 0x7FFFFFFF or 1


def address(path: str, mode: str = "rw") -> str:
    """*path* as SQLite's URI: `rw` opens a file that is there and never creates one.

    https://www.sqlite.org/uri.html
    """
    return f"{Path(path).as_uri()}?mode={mode}"
